import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { projectRoot } from '../../bench/project-root.ts';
import { checkAnswers, ChecksumMismatch } from '../../bench/ring/check-answers.ts';
import { median } from '../../bench/statistics.ts';

interface Report {
  readonly benchmark: string;
  readonly results: readonly {
    readonly peer: string;
    readonly unit: string;
    readonly ours: number;
    readonly theirs: number | null;
    readonly ratio: number | null;
    readonly difference?: number | null;
    readonly events?: number;
  }[];
}

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
  const script = join(projectRoot(), 'build/bench/main.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
  });
  return { status, lines: stdout.trimEnd().split('\n'), stderr };
}

const lastReport = (lines: readonly string[]): Report => JSON.parse(lines.at(-1) ?? '') as Report;

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
    'usage: npm run bench -- load|maps|ring|startup [--json] [--events N] [--runs N] [--objects DIR]',
  );
  t.end();
});

t.test('ring: both sides read the same events', { skip: whyNoKernelBenchmark() }, (t) => {
  // More than one filling of the ring, and a last one that is not full.
  const { status, lines, stderr } = runBenchmark('ring', '--json', '--events', '26001', '--runs', '1');
  t.equal(status, 0, stderr);
  const { benchmark, results } = lastReport(lines);
  t.equal(benchmark, 'ring');
  t.equal(results.length, 2, 'the four fields, and the whole object');
  const peerMissing = stderr.includes('nothing to compare with: ');
  for (const { peer, unit, ours, theirs, ratio, events } of results) {
    t.strictSame({ peer, unit, events }, { peer: 'libbpf', unit: 'ns/event', events: 26001 });
    t.ok(ours > 0);
    t.equal(theirs === null, peerMissing);
    t.equal(ratio === null, peerMissing);
    if (theirs !== null && ratio !== null) t.ok(Math.abs(ratio - ours / theirs) < 0.01 * ratio + 0.001);
  }
  t.end();
});

t.test('startup: the command attaches, and so does libbpf', { skip: whyNoKernelBenchmark() }, (t) => {
  const { status, lines, stderr } = runBenchmark('startup', '--json', '--runs', '1');
  t.equal(status, 0, stderr);
  const { benchmark, results } = lastReport(lines);
  t.equal(benchmark, 'startup');
  const [result] = results;
  t.ok(result && result.ours > 0);
  t.strictSame({ peer: result?.peer, unit: result?.unit }, { peer: 'node+libbpf', unit: 'ms' });
  const peerMissing = stderr.includes("libbpf's part is missing: ");
  t.equal(result?.theirs === null, peerMissing);
  t.equal(result?.difference === null, peerMissing);
  t.end();
});

t.test('load: both sides get the same objects into the kernel', { skip: whyNoKernelBenchmark() }, (t) => {
  // Without the kernel's test programs an object of our own stands in.
  const { status, lines, stderr } = runBenchmark('load', '--json', '--runs', '1', '--objects', '/nowhere');
  t.equal(status, 0, stderr);
  t.match(stderr, 'there are no objects in /nowhere; an object of our own stands in');
  const { benchmark, results } = lastReport(lines);
  t.equal(benchmark, 'load');
  t.equal(results.length, 4, 'the kernel BTF and the object, first and warm');
  const peerMissing = stderr.includes('nothing to compare with: ');
  for (const { peer, unit, ours, theirs } of results) {
    t.strictSame({ peer, unit }, { peer: 'libbpf', unit: 'ms of CPU outside of bpf(2)' });
    t.ok(ours > 0);
    t.equal(theirs === null, peerMissing);
  }
  t.end();
});

t.test('maps: both sides leave and find the same entries', { skip: whyNoKernelBenchmark() }, (t) => {
  const { status, lines, stderr } = runBenchmark('maps', '--json', '--runs', '1');
  t.equal(status, 0, stderr);
  const { benchmark, results } = lastReport(lines);
  t.equal(benchmark, 'maps');
  t.equal(results.length, 7, 'one at a time, by batches, and a counter in memory');
  const peerMissing = stderr.includes('nothing to compare with: ');
  for (const { peer, unit, ours, theirs } of results) {
    t.strictSame({ peer, unit }, { peer: 'libbpf', unit: 'ns of CPU/entry' });
    t.ok(ours > 0);
    t.equal(theirs === null, peerMissing);
  }
  t.end();
});
