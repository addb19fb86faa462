import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { compileWithLibbpf } from '../../bench/compile-c.ts';
import { EventReaders } from '../../bench/events/event-readers.ts';
import { measureLatency } from '../../bench/events/latency.ts';
import { measureSustained } from '../../bench/events/sustained.ts';
import { benchLoad } from '../../bench/load/benchmark.ts';
import { benchMaps } from '../../bench/maps/benchmark.ts';
import { benchMemory } from '../../bench/memory/benchmark.ts';
import { compileWithAya } from '../../bench/peers/compile-rust.ts';
import { projectRoot } from '../../bench/project-root.ts';
import type { BenchmarkReport } from '../../bench/report.ts';
import { checkAnswers, ChecksumMismatch } from '../../bench/ring/check-answers.ts';
import { benchStartup } from '../../bench/startup/benchmark.ts';
import { median } from '../../bench/statistics.ts';

type Report = BenchmarkReport;

const root = projectRoot();
const onPath = (command: string): boolean => spawnSync(command, ['--version']).error === undefined;

function whyNoKernelBenchmark(): string | false {
  if (process.getuid?.() !== 0) return 'needs root';
  return onPath('clang') && onPath('llvm-strip') ? false : 'needs clang and llvm-strip';
}

function runBenchmark(...args: readonly string[]): {
  status: number | null;
  lines: string[];
  stderr: string;
} {
  const script = join(root, 'build/bench/main.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
  });
  return { status, lines: stdout.trimEnd().split('\n'), stderr };
}

const lastReport = (lines: readonly string[]): Report => JSON.parse(lines.at(-1) ?? '') as Report;

/** Every comparison is of that peer and unit, with a figure of ours, and one of theirs where the peer is there. */
function checkResults(
  t: Test,
  { results }: Report,
  expected: { peer: string; unit: string; missing: boolean },
): void {
  const { missing, ...rest } = expected;
  for (const { peer, unit, ours, theirs, ratio } of results) {
    t.strictSame({ peer, unit }, rest);
    t.ok(ours > 0);
    t.equal(theirs === null, missing);
    t.equal(ratio === null, missing);
    if (theirs !== null && ratio !== null) t.ok(Math.abs(ratio - ours / theirs) < 0.02 * ratio + 0.02);
  }
}

t.test('answers of readers are compared before any time is', (t) => {
  const answer = { events: 3, checksum: 7, nanoseconds: 1 };
  t.doesNotThrow(() => {
    checkAnswers(
      new Map([
        ['ours', answer],
        ['theirs', { ...answer, nanoseconds: 2 }],
      ]),
      3,
    );
  }, 'equal checksums pass, whatever the time');
  t.throws(
    () => {
      checkAnswers(
        new Map([
          ['ours', answer],
          ['theirs', { ...answer, checksum: 8 }],
        ]),
        3,
      );
    },
    new ChecksumMismatch('Cannot compare: the fields read by ours sum up to 7, those read by theirs to 8'),
    'unequal checksums fail',
  );
  t.throws(
    () => {
      checkAnswers(new Map([['ours', { ...answer, events: 2 }]]), 3);
    },
    new ChecksumMismatch('Cannot compare: ours has read 2 events of 3'),
    'a reader that lost an event fails, alone too',
  );
  t.end();
});

t.test('the median', (t) => {
  t.equal(median([3, 1, 2]), 2, 'is the value in the middle, in whatever order they come');
  t.equal(median([10, 1, 2, 9]), 5.5, 'is the mean of the two in the middle');
  t.throws(() => median([]), new Error('Cannot take the median of nothing'));
  t.end();
});

t.test('an unknown benchmark is refused', (t) => {
  const { status, stderr } = runBenchmark('speed');
  t.equal(status, 1);
  t.match(
    stderr,
    'usage: npm run bench -- [latency|load|maps|memory|ring|startup|sustained|peers] [--json] [--events N] [--runs N] [--objects DIR] [--preferred]',
  );
  t.end();
});

/** What `run` returns where caches are below `folder` and it has all the commands that there are. */
function within<Result>(folder: string, run: () => Result): Result {
  const { XDG_CACHE_HOME, PATH } = process.env;
  try {
    Object.assign(process.env, { XDG_CACHE_HOME: folder, PATH: folder });
    return run();
  } finally {
    delete process.env['XDG_CACHE_HOME'];
    Object.assign(process.env, { PATH, ...(XDG_CACHE_HOME !== undefined && { XDG_CACHE_HOME }) });
  }
}

t.test('aya: what it lacks is said', (t) => {
  const folder = t.testdir();
  const whatIsMissing = (): string | undefined =>
    within(folder, () => compileWithAya(root, 'bench/ring/aya-reader').missing);
  t.equal(whatIsMissing(), 'aya is not in the cache; `npm run bench -- peers` fetches it');
  mkdirSync(join(folder, 'ts-xdp-bench/aya/usr/share/cargo/registry'), { recursive: true });
  const hint = 'aya wants 1.85 or later; on Debian 12: apt install cargo-web';
  t.equal(whatIsMissing(), `there is no Rust with its cargo; ${hint}`);
  for (const name of ['rustc', 'cargo'])
    writeFileSync(join(folder, name), `#!/bin/sh\necho ${name} 1.63.0\n`, { mode: 0o755 });
  t.equal(whatIsMissing(), `Rust is 1.63; ${hint}`);
  t.end();
});

t.test('ring: all sides read the same events', { skip: whyNoKernelBenchmark() }, (t) => {
  // More than one filling of the ring, and a last one that is not full.
  const { status, lines, stderr } = runBenchmark('ring', '--json', '--events', '26001', '--runs', '1');
  t.equal(status, 0, stderr);
  const report = lastReport(lines);
  t.equal(report.benchmark, 'ring');
  t.ok(report.results.every(({ events }) => events === 26001));
  const unit = 'ns/event';
  const noCilium = stderr.includes('cilium/ebpf is not in the cache; `npm run bench -- peers` fetches it');
  const noAya = /^(aya is not in the cache; |there is no Rust with its cargo; |Rust is 1\.\d+; )/m.test(
    stderr,
  );
  for (const [peer, count, missing] of [
    ['libbpf', 3, stderr.includes('nothing to compare with: ')],
    ['cilium/ebpf', 2, noCilium],
    ['aya', 1, noAya],
  ] as const) {
    const results = report.results.filter((result) => result.peer === peer);
    t.equal(results.length, count, 'four fields, against C also by hand, and the whole object');
    checkResults(t, { ...report, results }, { peer, unit, missing });
  }
  t.end();
});

/** Those that need no command line run in this process, which spares a start of Node for each. */
t.test('with somebody to compare with', { skip: whyNoKernelBenchmark() }, async (t) => {
  const missing = compileWithLibbpf(root, 'bench/maps/libbpf-maps.c').path === undefined;

  await t.test('startup: the command attaches, and so does libbpf', async (t) => {
    const report = await benchStartup({ runs: 1 });
    t.equal(report.benchmark, 'startup');
    checkResults(t, report, { peer: 'node+libbpf', unit: 'ms', missing });
    t.equal(report.results[0]?.['difference'] === null, missing);
  });

  await t.test('memory: the command over a Node process that does nothing', async (t) => {
    const report = await benchMemory({ runs: 1 });
    t.equal(report.benchmark, 'memory');
    t.equal(report.results.length, 3);
    checkResults(t, report, { peer: 'node', unit: 'MB', missing: false });
    const [resident, anonymous, files] = report.results;
    t.ok(Math.abs(resident!.ours - anonymous!.ours - files!.ours) < 0.2, 'the parts are the whole');
  });

  await t.test('load: both sides get the same objects into the kernel', async (t) => {
    // Without the kernel's test programs objects of our own stand in.
    const report = await benchLoad({ runs: 1, warm: 1, objects: '/nowhere' });
    t.equal(report.benchmark, 'load');
    t.equal(report.results.length, 9, 'the kernel BTF and two objects: first, with kept code, and warm');
    checkResults(t, report, { peer: 'libbpf', unit: 'ms of CPU outside of bpf(2)', missing });
  });

  await t.test('maps: both sides leave and find the same entries', async (t) => {
    const report = await benchMaps({ runs: 1, events: 5000 });
    t.equal(report.benchmark, 'maps');
    t.equal(report.results.length, 7, 'one at a time, by batches, and a counter in memory');
    checkResults(t, report, { peer: 'libbpf', unit: 'ns of CPU/entry', missing });
  });

  await t.test('latency and sustained: each reader sees every event', async (t) => {
    const readers = EventReaders.start({ preferred: false });
    t.teardown(() => readers.close());
    const latency = await measureLatency(readers, { runs: 1, events: 20 });
    t.equal(latency.benchmark, 'latency');
    t.equal(latency.results.length, 6, 'three readers, median and tail');
    checkResults(t, latency, { peer: 'libbpf', unit: 'µs', missing });
    // More than the ring holds.
    const sustained = await measureSustained(readers, { runs: 1, events: 3000 });
    t.equal(sustained.benchmark, 'sustained');
    t.equal(sustained.results.length, 3);
    checkResults(t, sustained, { peer: 'libbpf', unit: 'events/s', missing });
  });
});
