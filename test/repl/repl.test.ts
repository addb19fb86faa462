/** The REPL without a kernel: how values look, what Tab offers, in which order lines are evaluated, what errors say. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { ObjectFile } from '../../src/elf/index.ts';
import { ArgumentError } from '../../src/errors.ts';
import { completeNames } from '../../src/repl/completion.ts';
import { historyPath } from '../../src/repl/history.ts';
import { inspectValue } from '../../src/repl/inspect-value.ts';
import { jsonValue } from '../../src/repl/json-value.ts';
import { pause, STACK } from '../helpers/cli.ts';
import { noTerminal, runScriptLines, sniffer, TerminalRepl } from './repl-process.ts';

const object = ObjectFile.open(sniffer);
const circular: { name: string; self?: unknown } = { name: 'x' };
circular.self = circular;

const values: readonly { name: string; value: unknown; text: string; json: unknown }[] = [
  {
    name: 'a bigint keeps its n, and is a decimal string',
    value: 2n ** 64n,
    text: '18446744073709551616n',
    json: '18446744073709551616',
  },
  {
    name: 'bytes are hexadecimal',
    value: Uint8Array.of(0xde, 0xad, 1),
    text: '<Uint8Array de ad 01>',
    json: 'dead01',
  },
  { name: 'a Buffer too', value: Buffer.from('hi'), text: '<Buffer 68 69>', json: '6869' },
  {
    name: 'entries of a map keep their structs',
    value: new Map([[{ port: 1 }, [1n, Uint8Array.of(2)]]]),
    text: 'Map(1) { { port: 1 } => [ 1n, <Uint8Array 02> ] }',
    json: [[{ port: 1 }, ['1', '02']]],
  },
  {
    name: 'a set of bytes',
    value: new Set([Uint8Array.of(9)]),
    text: 'Set(1) { <Uint8Array 09> }',
    json: ['09'],
  },
  {
    name: 'a hash map of an object that is not loaded',
    value: object.map('excluded_ports'),
    text: 'map excluded_ports hash __u16 → __u8, 1024 entries (not loaded)',
    json: { map: 'excluded_ports', type: 'hash', key: '__u16', value: '__u8', max_entries: 1024 },
  },
  {
    name: 'a ring buffer has bytes, no entries',
    value: { ring: object.map('events') },
    text: '{ ring: map events ringbuf, 1048576 bytes (not loaded) }',
    json: { ring: { map: 'events', type: 'ringbuf', max_entries: 1048576 } },
  },
  {
    name: 'a variable of an object that is not loaded',
    value: [object.variable('payload_limit')],
    text: '[ variable payload_limit: const volatile __u16 in .rodata (not loaded) ]',
    json: [{ variable: 'payload_limit', type: 'const volatile __u16', section: '.rodata' }],
  },
  {
    name: 'an error of ours says what to do and not where it was thrown',
    value: new ArgumentError('size', 'Cannot do it: too large', { hint: 'make it smaller' }),
    text: 'ArgumentError: Cannot do it: too large\nhint: make it smaller',
    json: { code: 'ARGUMENT_INVALID', message: 'Cannot do it: too large', hint: 'make it smaller' },
  },
  {
    name: 'a cycle ends',
    value: circular,
    text: "<ref *1> { name: 'x', self: [Circular *1] }",
    json: { name: 'x', self: '[Circular]' },
  },
  { name: 'undefined is null', value: undefined, text: 'undefined', json: null },
  {
    name: 'numbers that JSON lacks are strings',
    value: [NaN, -Infinity],
    text: '[ NaN, -Infinity ]',
    json: ['NaN', '-Infinity'],
  },
  { name: 'a function is named', value: Math.max, text: '[Function: max]', json: '[Function: max]' },
  {
    name: 'a date is ISO',
    value: new Date(0),
    text: '1970-01-01T00:00:00.000Z',
    json: '1970-01-01T00:00:00.000Z',
  },
];

t.test('values as text and as JSON', (t) => {
  for (const { name, value, text, json } of values) {
    t.equal(inspectValue(value, { object, oneLine: true }), text, name);
    t.same(jsonValue(value, object), json, name);
  }
  const long = inspectValue(new Uint8Array(300), { object });
  t.ok(long.endsWith(' 00 00 … 44 more bytes>'), 'a person sees the first 256 bytes');
  t.match(inspectValue(new Uint8Array(300), { object, oneLine: true }), /^<Uint8Array( 00){300}>$/);
  t.notMatch(inspectValue(object.program('xdp_sniffer_enhanced'), { object }), /relocations/);
  let read = 0;
  const lazy = {
    bytes: Uint8Array.of(1),
    get later() {
      return ++read;
    },
  };
  t.equal(inspectValue(lazy, { object, oneLine: true }), '{ bytes: <Uint8Array 01>, later: [Getter] }');
  t.equal(read, 0, 'looking at a value calls nothing');
  t.end();
});

t.test('what Tab offers besides what Node offers', (t) => {
  const names: Record<string, readonly string[]> = {
    programs: ['xdp_main'],
    maps: ['.rodata', '.rodata.str', 'events', 'events_v6'],
    variables: ['limit'],
  };
  const source = {
    members: (group: string) => names[group] ?? [],
    interfaces: () => ['eth0', 'eth1', 'lo'],
    attached: () => ['eth1'],
  };
  const rows: readonly {
    name: string;
    line: string;
    found: readonly string[] | undefined;
    replaced?: string;
  }[] = [
    {
      name: 'all maps, those with dots as subscripts',
      line: 'maps.',
      found: ['maps[".rodata"]', 'maps[".rodata.str"]', 'maps.events', 'maps.events_v6'],
      replaced: 'maps.',
    },
    {
      name: 'a name with a dot, its dot left out',
      line: 'x = maps.rod',
      found: ['maps[".rodata"]', 'maps[".rodata.str"]'],
      replaced: 'maps.rod',
    },
    {
      name: 'a name with a dot, typed after the dot',
      line: 'maps..rodata.',
      found: ['maps[".rodata.str"]'],
      replaced: 'maps..rodata.',
    },
    {
      name: 'a subscript in single quotes',
      line: "maps['.rodata.",
      found: ["maps['.rodata.str']"],
      replaced: "maps['.rodata.",
    },
    {
      name: 'a subscript that has not begun',
      line: 'variables[',
      found: ['variables["limit"]'],
      replaced: 'variables[',
    },
    { name: 'a look-up', line: 'collection.map("ev', found: ['"events")', '"events_v6")'], replaced: '"ev' },
    { name: 'a look-up in the file', line: "f(object.variable('", found: ["'limit')"], replaced: "'" },
    { name: 'an interface to attach to', line: '.attach e', found: ['eth0', 'eth1'], replaced: 'e' },
    { name: 'an interface to detach from', line: '.detach ', found: ['eth1'], replaced: '' },
    { name: 'whether events are printed', line: '.events of', found: ['off'], replaced: 'of' },
    { name: 'properties of a map are for Node', line: 'maps.events.', found: undefined },
    { name: 'a property called maps is for Node', line: 'mine.maps.ev', found: undefined },
    { name: 'the rest of the language is for Node', line: 'Coll', found: undefined },
  ];
  for (const { name, line, found, replaced } of rows) {
    t.same(completeNames(line, source), found && [found, replaced], name);
  }
  t.end();
});

t.test('where history is kept', (t) => {
  t.equal(historyPath({ XDG_STATE_HOME: '/state' }), '/state/ts-xdp/repl_history');
  t.match(historyPath({}), /\/\.local\/state\/ts-xdp\/repl_history$/);
  t.match(historyPath({ XDG_STATE_HOME: 'relative' }), /\/\.local\/state\/ts-xdp\/repl_history$/);
  t.equal(historyPath({ XDG_STATE_HOME: '/state', NODE_REPL_HISTORY: '' }), undefined, 'switched off');
  t.end();
});

t.test('a script is evaluated line by line, and each result is one line', async (t) => {
  const lines = [
    'const slow = await new Promise((done) => setTimeout(done, 150, 42n))',
    'slow',
    'Promise.resolve([slow, new Uint8Array([255])])',
    '[1,',
    '2]',
    'let nothing = 1',
    '({ a: 1 })',
    '_.a',
    'typeof Collection + typeof attachXdp + typeof load',
  ];
  const text = await runScriptLines(lines);
  t.same(text, {
    code: 0,
    stdout: "42n\n[ 42n, <Uint8Array ff> ]\n[ 1, 2 ]\n{ a: 1 }\n1\n'functionfunctionfunction'\n",
    stderr: '',
  });

  const json = await runScriptLines(lines, { args: ['--json'] });
  const results = [null, '42', ['42', 'ff'], [1, 2], null, { a: 1 }, 1, 'functionfunctionfunction'];
  t.equal(json.stdout, results.map((value) => `${JSON.stringify({ type: 'result', value })}\n`).join(''));
  t.same([json.code, json.stderr], [0, '']);
});

t.test('a line that fails does not stop the script, and its exit code is 1', async (t) => {
  const lines = [
    'nosuch',
    'ObjectFile.open("/nosuch")',
    'foo bar',
    'Promise.reject(7)',
    'throw null',
    '.nosuch',
    'await Promise.reject(new RangeError("late"))',
    '.attach eth0',
    '3',
    'f(',
  ];
  const text = await runScriptLines(lines);
  t.equal(text.code, 1);
  t.equal(text.stdout, '3\n');
  t.same(text.stderr.trimEnd().split('\n'), [
    'line 1: error: ReferenceError: nosuch is not defined',
    'line 2: error: Cannot open /nosuch: no such file',
    "line 3: error: SyntaxError: Unexpected identifier 'bar'",
    'line 4: error: 7',
    'line 5: error: null',
    'line 6: error: SyntaxError: there is no such command; .help lists them',
    'line 7: error: RangeError: late',
    'line 8: error: Cannot attach to eth0: no object is loaded',
    'hint: load one: load("sniffer.bpf.o")',
    'line 10: error: SyntaxError: Unexpected end of input',
  ]);
  const json = await runScriptLines(lines.slice(0, 2), { args: ['--json'] });
  t.equal(json.stderr, '');
  t.same(
    json.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
    [
      { error: { code: 'EVALUATION_FAILED', message: 'ReferenceError: nosuch is not defined', line: 1 } },
      {
        error: {
          code: 'FILE_NOT_FOUND',
          message: 'Cannot open /nosuch: no such file',
          path: '/nosuch',
          line: 2,
        },
      },
    ],
  );
});

t.test('a script that leaves a timer behind still ends, at .exit or at its last line', async (t) => {
  const left = await runScriptLines(['setInterval(() => {}, 1000) && 1']);
  t.same([left.code, left.stdout], [0, '1\n']);
  const exited = await runScriptLines(['1', '.exit', '2']);
  t.same([exited.code, exited.stdout], [0, '1\n']);
});

/** Still root, so that files can be read wherever they are, but without its powers. */
const withoutCapabilities = ['setpriv', '--inh-caps=-all', '--bounding-set=-all'];
const nothingToDrop = process.getuid?.() === 0 ? false : 'only root can give its capabilities up';

t.test(
  'without privileges an object can be looked at, and why it is not loaded is said',
  { skip: nothingToDrop },
  async (t) => {
    const lines = [
      'collection',
      'maps.excluded_ports',
      'programs.xdp_sniffer_enhanced.section',
      'payload_limit.get()',
      'object',
    ];
    const repl = await runScriptLines(lines, { args: [sniffer], prefix: withoutCapabilities });
    t.equal(repl.code, 0, repl.stderr);
    t.same(repl.stdout.split('\n').slice(0, 3), [
      'map excluded_ports hash __u16 → __u8, 1024 entries (not loaded)',
      "'xdp'",
      inspectValue(object.variable('payload_limit').get(), { object }),
    ]);
    t.match(repl.stdout, /^object sniffer: \d+ programs, \d+ maps, \d+ variables$/m);
    t.match(repl.stderr, /^note: Cannot .*CAP_BPF.* missing/m);
    t.match(repl.stderr, /^note: sniffer is not loaded: /m);

    const attached = await runScriptLines(['1'], {
      args: [sniffer, '--iface', 'lo'],
      prefix: withoutCapabilities,
    });
    t.same([attached.code, attached.stdout], [3, ''], 'but it cannot be attached');
  },
);

t.test('wrong arguments are refused as in every command', async (t) => {
  const missing = await runScriptLines(['1'], { args: ['/nosuch.o'] });
  t.same(missing, { code: 1, stdout: '', stderr: 'error: Cannot open /nosuch.o: no such file\n' });
  const alone = await runScriptLines(['1'], { args: ['--iface', 'lo', '--json'] });
  const message = '--iface and --prog go with an object: ts-xdp repl OBJECT --iface NAME';
  t.same([alone.code, JSON.parse(alone.stdout)], [2, { error: { code: 'USAGE', message } }]);
});

t.test('a prompt on a terminal', { skip: noTerminal }, async (t) => {
  const state = mkdtempSync(join(tmpdir(), 'ts-xdp-repl-'));
  t.teardown(() => {
    rmSync(state, { recursive: true });
  });
  const repl = new TerminalRepl([], { NODE_REPL_HISTORY: 'kept', XDG_STATE_HOME: state });
  t.teardown(() => {
    repl.close();
  });
  await repl.lastRow('ts-xdp> ');
  await repl.type('XdpNet\t');
  await repl.lastRow('ts-xdp> XdpNetlinkAttachment');
  await repl.type('\x15ObjectFile.open("/nosuch")\r');
  t.equal(
    await repl.shows(/^Uncaught/),
    'Uncaught FileError: Cannot open /nosuch: no such file',
    'an error of ours is a sentence',
  );
  t.notMatch(repl.screen.rows.join('\n'), STACK);
  await repl.type('while (true) {}\r');
  await repl.lastRow('');
  // Until the loop runs, Ctrl-C is a key that clears the line.
  await pause(200);
  await repl.type('\x03');
  await repl.shows(/^\^CUncaught Error: interrupted$/);
  await repl.type('await new Promise((done) => setTimeout(done, 50, 2n ** 40n))\r');
  await repl.shows(/^1099511627776n$/);
  await repl.type('.attach l\t');
  await repl.shows(/^ts-xdp> \.attach lo?$/);
  await repl.type('\x15.exit\r');
  t.equal(await repl.ended, 0);
  const path = join(state, 'ts-xdp/repl_history');
  t.equal(statSync(path).mode & 0o077, 0, 'for the eyes of its owner');
  const history = readFileSync(path, 'utf8').split('\n');
  t.ok(history.includes('while (true) {}'), 'what was typed is kept');
});
