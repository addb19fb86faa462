/** What `npm run conformance` makes of answers: no kernel, no libbpf. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { renderDocument } from '../../scripts/conformance/document.ts';
import { BegunRun } from '../../scripts/conformance/begun-run.ts';
import { GuestLedger } from '../../scripts/conformance/guest-ledger.ts';
import { keepRun, readKeptRuns } from '../../scripts/conformance/kept-runs.ts';
import type { KnownDifference } from '../../scripts/conformance/known-differences.ts';
import type { LoaderRun } from '../../scripts/conformance/loader-run.ts';
import { askLoader } from '../../scripts/conformance/loaders/ask.ts';
import type { Answer } from '../../scripts/conformance/loaders/ask.ts';
import { measure } from '../../scripts/conformance/measure.ts';
import { readOptions } from '../../scripts/conformance/options.ts';
import { renderReport } from '../../scripts/conformance/report.ts';
import { inProject } from '../helpers/project-root.ts';

const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-conformance-'));
t.teardown(() => {
  rmSync(folder, { recursive: true });
});

/** Names of programs with what each loader says: 0 or an errno. */
type Results = Readonly<Record<string, number | null>>;
interface Given {
  readonly object: string;
  readonly libbpf: { readonly load: number; readonly programs: Results } | string;
  readonly ours: { readonly load: number | null; readonly programs: Results } | string;
}

function libbpfAnswer({ object, libbpf }: Given): Answer {
  if (typeof libbpf === 'string') return { object, missing: libbpf };
  return { object, line: JSON.stringify({ object, open: 0, ...libbpf }) };
}

function ourAnswer({ object, ours }: Given): Answer {
  if (typeof ours === 'string') return { object, missing: ours };
  const programs = Object.entries(ours.programs).map(([name, errno]) => {
    const verdict = errno === 0 ? 'accepted' : 'refused';
    return [
      name,
      { verdict, errno, ...(errno !== 0 && { code: 'VERIFIER_REFUSED', summary: 'R0 !read_ok' }) },
    ];
  });
  const said = { code: 'VERIFIER_REFUSED', message: 'Cannot load it' };
  const line = { object, error: null, load: ours.load, programs: Object.fromEntries(programs) as unknown };
  return { object, line: JSON.stringify({ ...line, ...(ours.load !== 0 && { load_error: said }) }) };
}

function runOf(given: readonly Given[], release = '6.12.1-test'): LoaderRun {
  const facts = {
    ...{ release, guest: null, libbpf: '1.7', clang: 'clang version 19.1.7', kernelSource: '6.12' },
    objects: given.map(({ object }) => object),
    uncompiled: [{ source: 'odd.c', reason: "no member named 'x' | 'y'" }],
  };
  return { facts, libbpf: given.map(libbpfAnswer), ours: given.map(ourAnswer) };
}

const same = (object: string, programs: Results, load = 0): Given => ({
  object,
  libbpf: { load, programs },
  ours: { load, programs },
});
/** Enough that one failure is less than half a percent. */
const many = Array.from({ length: 250 }, (_, index) => same(`many${String(index)}.bpf.o`, { p: 0, q: 13 }));

t.test('what is counted, and how', (t) => {
  const given: Given[] = [
    same('alike.bpf.o', { one: 0, two: 22 }, 22),
    {
      object: 'lost.bpf.o',
      libbpf: { load: 0, programs: { p: 0 } },
      ours: { load: 13, programs: { p: 13 } },
    },
    {
      object: 'errno.bpf.o',
      libbpf: { load: 3, programs: { p: 3 } },
      ours: { load: 22, programs: { p: null } },
    },
    {
      object: 'empty.bpf.o',
      libbpf: { load: 0, programs: { tail: 9 } },
      ours: { load: 0, programs: { tail: 0 } },
    },
  ];
  const { comparison } = measure(runOf(given), []);
  const { differences, ...figures } = comparison;
  t.same(figures, {
    programs: { expected: 2, loaded: 1 },
    objects: { expected: 2, loaded: 1 },
    refusals: { programs: 2, sameErrno: 1 },
    unfillable: 1,
    holds: false,
  });
  t.same(
    differences.map(({ object, program, kind }) => [object, program, kind]),
    [
      ['lost.bpf.o', null, 'not loaded'],
      ['lost.bpf.o', 'p', 'not loaded'],
      ['errno.bpf.o', 'p', 'errno'],
    ],
  );
  t.equal(
    renderReport(measure(runOf(given), [])),
    [
      'lost.bpf.o (as a whole): not loaded, errno 13: VERIFIER_REFUSED: Cannot load it',
      'lost.bpf.o p: not loaded, errno 13: VERIFIER_REFUSED: R0 !read_ok',
      'errno.bpf.o p: errno null, where libbpf gets 3: VERIFIER_REFUSED: R0 !read_ok',
      '',
      'Linux 6.12.1-test, libbpf 1.7, 4 objects',
      'programs that libbpf loads, alone      1 of 2 (50.00 %)',
      'objects that libbpf loads, as a whole  1 of 2 (50.00 %)',
      'programs that it does not, same errno  1 of 2 (50.00 %)',
      'left out: 1 programs for which libbpf cannot fill a map when it loads them alone',
      'NOT as good as it has to be',
    ].join('\n'),
  );
  t.end();
});

t.test('what holds', (t) => {
  const lenient: Given = {
    object: 'lenient.bpf.o',
    libbpf: { load: 0, programs: { p: 13 } },
    ours: { load: 0, programs: { p: 0 } },
  };
  const whole: Given = { ...same('whole.bpf.o', {}), libbpf: { load: 22, programs: {} } };
  const lost = (index: number): Given => ({
    object: `lost${String(index)}.bpf.o`,
    libbpf: { load: 22, programs: { p: 0 } },
    ours: { load: 22, programs: { p: 13 } },
  });
  const other = (index: number): Given => ({
    object: `other${String(index)}.bpf.o`,
    libbpf: { load: 22, programs: { p: 22 } },
    ours: { load: 22, programs: { p: 13 } },
  });
  const silent: Given = { ...same('silent.bpf.o', { p: 0 }), ours: 'the loader was ended by SIGSEGV' };
  const unasked: Given = { ...same('unasked.bpf.o', { p: 0 }), libbpf: 'no answer within 300 s' };
  const known = (object: string, kind: KnownDifference['kind']): KnownDifference[] => [
    { kind, object, reason: 'because', release: /^6\.12\./ },
  ];
  const rows: [string, readonly Given[], readonly KnownDifference[], boolean][] = [
    ['everything alike', many, [], true],
    ['one program in 251 not loaded', [...many, lost(0)], [], true],
    ['two programs in 252 not loaded', [...many, lost(0), lost(1)], [], false],
    ['a program that libbpf refuses', [...many, lenient], [], false],
    ['one that is explained', [...many, lenient], known('lenient', 'accepted'), true],
    ['one of another name', [...many, lenient], known('lenien', 'accepted'), false],
    ['one explained as something else', [...many, lenient], known('lenient', 'errno'), false],
    ['an object that libbpf refuses as a whole', [...many, whole], [], false],
    ['25 other errnos in 275', [...many, ...Array.from({ length: 25 }, (_, at) => other(at))], [], true],
    ['28 other errnos in 278', [...many, ...Array.from({ length: 28 }, (_, at) => other(at))], [], false],
    ['a crash', [...many, silent], [], false],
    ['a crash of libbpf, which nobody explained', [...many, unasked], [], false],
  ];
  for (const [what, given, table, holds] of rows) {
    t.equal(measure(runOf(given), table).comparison.holds, holds, what);
  }
  const elsewhere = measure(runOf([...many, lenient], '7.2.1-test'), known('lenient', 'accepted'));
  t.equal(elsewhere.comparison.holds, false, 'explained for another kernel only');
  const { comparison } = measure(runOf([...many, silent, unasked]), []);
  t.same(comparison.programs, { expected: 251, loaded: 250 }, 'what libbpf was not asked is not expected');
  t.same(
    comparison.differences.map(({ object, reason }) => [object, reason]),
    [
      ['silent.bpf.o', 'ts-xdp: the loader was ended by SIGSEGV'],
      ['silent.bpf.o', 'the loader was ended by SIGSEGV'],
      ['silent.bpf.o', 'the loader was ended by SIGSEGV'],
      ['unasked.bpf.o', 'libbpf: no answer within 300 s'],
    ],
  );
  t.end();
});

t.test('a loader that breaks off is started again behind the object that ended it', async (t) => {
  const script = join(folder, 'loader.mjs');
  writeFileSync(
    script,
    `console.log('{"error":{"code":"X"}}');
     for (const path of process.argv.slice(2)) {
       if (path.endsWith('crash')) process.kill(process.pid, 'SIGKILL');
       if (path.endsWith('fail')) { console.error('out of luck'); process.exit(7); }
       if (path.endsWith('hang')) { setInterval(() => {}, 1000); break; }
       console.log(JSON.stringify({ object: path.split('/').pop(), load: 0 }));
     }`,
  );
  const answers: Answer[] = [];
  await askLoader({
    command: [process.execPath, script],
    objects: ['/a/1', '/a/crash', '/a/2', '/a/fail', '/a/3'],
    batchSize: 3,
    patienceSeconds: 120,
    onAnswer: (answer) => answers.push(answer),
  });
  const line = (object: string): Answer => ({ object, line: JSON.stringify({ object, load: 0 }) });
  t.same(answers, [
    line('1'),
    { object: 'crash', missing: 'the loader was ended by SIGKILL' },
    line('2'),
    { object: 'fail', missing: 'exit code 7: out of luck' },
    line('3'),
  ]);
  const late: Answer[] = [];
  await askLoader({
    command: [process.execPath, script],
    objects: ['/a/hang'],
    batchSize: 1,
    patienceSeconds: 1,
    onAnswer: (answer) => late.push(answer),
  });
  t.same(late, [{ object: 'hang', missing: 'no answer within 1 s' }]);
});

t.test('a guest that ends early is asked on behind the object that it was at', (t) => {
  const left = join(folder, 'results');
  mkdirSync(left);
  const ledger = new GuestLedger(['a', 'b', 'c']);
  const asked = ledger.remaining();
  const answer = (object: string): string => JSON.stringify({ object, line: '{}' });
  writeFileSync(join(left, 'libbpf.jsonl'), ['a', 'b', 'c'].map((name) => `${answer(name)}\n`).join(''));
  writeFileSync(join(left, 'ts-xdp.jsonl'), `${answer('a')}\n${answer('b').slice(0, 9)}`);
  t.equal(ledger.collect(left), 4);
  ledger.blame('Kernel panic', asked);
  t.same(ledger.remaining(), [{ name: 'ts-xdp', objects: ['c'] }]);
  t.same(ledger.answers['ts-xdp'].at(-1), { object: 'b', missing: 'the guest ended: Kernel panic' });
  t.end();
});

t.test('guests are asked about some objects at a time, and an interrupted run goes on', (t) => {
  const objects = ['a', 'b', 'c', 'd'];
  const [objectsFolder, begunFolder, results] = ['begun-objects', 'begun', 'begun-results'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  mkdirSync(objectsFolder);
  mkdirSync(results);
  for (const object of objects) writeFileSync(join(objectsFolder, object), object);
  const answers = (...names: string[]): string => names.map((object) => `{"object":"${object}"}\n`).join('');
  const ledger = new GuestLedger(objects);
  const asked = ledger.remaining({ most: 2 });
  t.same(asked, [
    { name: 'libbpf', objects: ['a', 'b'] },
    { name: 'ts-xdp', objects: ['a', 'b'] },
  ]);
  writeFileSync(join(results, 'libbpf.jsonl'), answers('a', 'b'));
  writeFileSync(join(results, 'ts-xdp.jsonl'), answers('a'));
  ledger.collect(results);
  ledger.blame('Kernel panic', asked);
  t.same(ledger.answers['ts-xdp'].at(-1), { object: 'b', missing: 'the guest ended: Kernel panic' });
  const [reference, image] = ['begun-reference', 'begun-image'].map((name) => join(folder, name)) as [
    string,
    string,
  ];
  for (const file of [reference, image]) writeFileSync(file, 'first');
  const begin = (): BegunRun => new BegunRun(begunFolder, { objectsFolder, objects, reference, image });
  const resume = (run: BegunRun): GuestLedger['answers'] => {
    const resumed = new GuestLedger(objects);
    run.resume(resumed);
    return resumed.answers;
  };
  const nothing = { libbpf: [], 'ts-xdp': [] };
  t.same(resume(begin()), nothing);
  begin().save(ledger);
  t.same(resume(begin()), ledger.answers);
  for (const file of [join(objectsFolder, 'c'), image]) {
    const before = readFileSync(file);
    writeFileSync(file, 'another');
    t.same(resume(begin()), nothing, 'of other objects, or of another kernel');
    writeFileSync(file, before);
  }
  writeFileSync(reference, 'another');
  t.same(resume(begin()), { ...nothing, 'ts-xdp': ledger.answers['ts-xdp'] }, 'of another libbpf');
  writeFileSync(reference, 'first');
  begin().end(ledger);
  t.same(resume(begin()), nothing, 'of a libbpf that did not answer');
  const complete = new GuestLedger(objects);
  for (const object of objects) complete.answers.libbpf.push({ object, line: '{}' });
  begin().save(complete);
  begin().end(complete);
  t.same(resume(begin()), { ...nothing, libbpf: complete.answers.libbpf }, 'of an earlier run');
  t.end();
});

t.test('runs are kept, and become a page', (t) => {
  const kept = join(folder, 'kept');
  const here = runOf([same('a.bpf.o', { p: 0 })], '6.18.1-local');
  const guest = (kernel: '5.10' | '6.12'): LoaderRun => {
    const run = runOf([{ ...same('a.bpf.o', { p: 0 }), ours: 'gone' }], `${kernel}.1`);
    return { ...run, facts: { ...run.facts, guest: kernel } };
  };
  for (const run of [guest('6.12'), here, guest('5.10')]) keepRun(run, kept);
  const read = readKeptRuns(kept);
  t.same(read, [here, guest('5.10'), guest('6.12')]);
  const page = renderDocument(read.map((run) => measure(run, [])));
  for (const expected of [
    '| 6.18.1 | 1 of 1 (100.00 %) | 1 of 1 (100.00 %) | 0 of 0 (100.00 %) | 0 | yes |',
    '| `6.12.1` (QEMU) | 0 of 1 (0.00 %) | 0 of 1 (0.00 %) | 0 of 0 (100.00 %) | 0 | no |',
    "| odd.c | no member named 'x' \\| 'y' |",
    '### Linux 6.18.1\n\nNone.',
    '| a as a whole | no answer from ts-xdp: gone |',
  ]) {
    t.ok(page.includes(expected), expected);
  }
  t.end();
});

t.test('the command ends with 1 where the measure does not hold', (t) => {
  const script = inProject('build/scripts/conformance.js');
  const command = (...args: readonly string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  const good = join(folder, 'good');
  const bad = join(folder, 'bad');
  keepRun(runOf(many), good);
  keepRun(runOf([{ ...same('a.bpf.o', { p: 0 }), ours: 'gone' }]), bad);
  const held = command('--answers', join(good, 'here'), '--json');
  t.equal(held.status, 0);
  const { measures } = JSON.parse(held.stdout) as { measures: { comparison: { programs: unknown } }[] };
  t.same(measures[0]?.comparison.programs, { expected: 250, loaded: 250 });
  const failed = command('--answers', join(bad, 'here'));
  t.equal(failed.status, 1);
  t.match(failed.stdout, /^a\.bpf\.o \(as a whole\): no answer from ts-xdp: gone$/m);
  const absent = command('--answers', join(folder, 'none'));
  t.same([absent.status, absent.stdout], [1, '']);
  t.equal(absent.stderr, `Cannot compare what was kept: there is no ${join(folder, 'none/facts.json')}\n`);
  t.end();
});

t.test('options that make no sense are refused', (t) => {
  const rows: [readonly string[], RegExp][] = [
    [['--vm', '2.4'], /^There is no kernel 2\.4 to boot\n\nusage: /],
    [
      ['--write-docs', '--only', 'arena.*'],
      /^Cannot write the docs from a part: leave out --only and --objects$/,
    ],
    [['--fast'], /^Unknown option '--fast'.*\n\nusage: /],
  ];
  for (const [args, message] of rows) t.throws(() => readOptions(args), { message }, args.join(' '));
  t.equal(readOptions(['--only', 'a|b.*']).only?.test('ab'), false, 'the whole name has to fit');
  t.end();
});
