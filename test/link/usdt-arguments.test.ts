/** How the arguments of USDT probes are written on both architectures. */
import t from 'tap';
import { parseUsdtArguments, type UsdtArgument } from '../../src/link/usdt-arguments.ts';
import { thrown } from '../helpers/thrown.ts';

t.test('forms of x86-64', (t) => {
  const cases: [text: string, expected: Partial<UsdtArgument>][] = [
    ['-4@%edi', { kind: 'register', register: 112, size: 4, signed: true }],
    ['8@%r12', { kind: 'register', register: 24, size: 8, signed: false }],
    ['1@%al', { kind: 'register', register: 80, size: 1 }],
    ['2@%r9w', { kind: 'register', register: 64, size: 2 }],
    ['-4@$-9', { kind: 'constant', value: -9n, size: 4, signed: true }],
    ['8@$0x10', { kind: 'constant', value: 16n }],
    ['-4@-1204(%rbp)', { kind: 'memory', register: 32, value: -1204n }],
    ['8@(%rsp)', { kind: 'memory', register: 152, value: 0n }],
    ['1@-96(%rbp,%rax,8)', { kind: 'indexed', register: 32, index: 80, scaleShift: 3, value: -96n }],
    ['4@(%rdx,%rax)', { kind: 'indexed', register: 96, index: 80, scaleShift: 0, value: 0n }],
  ];
  for (const [text, expected] of cases) t.match(parseUsdtArguments(text, 'x64'), [expected], text);
  t.same(
    parseUsdtArguments(cases.map(([text]) => text).join(' '), 'x64'),
    cases.flatMap(([text]) => parseUsdtArguments(text, 'x64')),
    'several in a row',
  );
  t.same(parseUsdtArguments('', 'x64'), []);
  t.end();
});

t.test('forms of arm64', (t) => {
  const cases: [text: string, expected: Partial<UsdtArgument>][] = [
    ['-4@x1', { kind: 'register', register: 8, size: 4, signed: true }],
    ['4@w30', { kind: 'register', register: 240 }],
    ['8@[sp, 60]', { kind: 'memory', register: 248, value: 60n }],
    ['8@[x0]', { kind: 'memory', register: 0, value: 0n }],
    ['-8@[x29, -16]', { kind: 'memory', register: 232, value: -16n }],
    ['4@5', { kind: 'constant', value: 5n }],
    ['-4@-5', { kind: 'constant', value: -5n }],
  ];
  for (const [text, expected] of cases) t.match(parseUsdtArguments(text, 'arm64'), [expected], text);
  t.equal(
    parseUsdtArguments('8@[sp, 60] 4@x1', 'arm64').length,
    2,
    'a space after a comma separates nothing',
  );
  t.end();
});

t.test('what is not known is named', (t) => {
  for (const text of ['8@name(%rip,%x)', '3@%eax', '8%eax', '8@%xmm0', '8@$']) {
    const error = thrown(() => parseUsdtArguments(text, 'x64'));
    t.equal(error.message, `Cannot read the argument ${text} of a USDT probe: its form is not known`);
  }
  t.end();
});
