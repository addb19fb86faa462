/** The short run of what `npm run fuzz` does at length (docs/robustness.md), and everything that it ever found. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { LIMITS } from './limits.ts';
import { parsers } from './parsers.ts';
import { runTarget } from './run-jobs.ts';
import { collectSeeds, Seeds } from './seeds.ts';
import { exerciseObject } from './targets/elf.ts';
import { targets } from './targets/index.ts';
import { makeTarget, mutantOf, runJob, type Job } from './worker.ts';
import { projectRoot as root } from '../helpers/project-root.ts';

const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-fuzz-'));
t.teardown(() => {
  rmSync(folder, { recursive: true });
});
const seeds = collectSeeds(root, { folder, corpus: join(folder, 'none') });
const jobOf = (target: string, to: number): Job => ({
  ...{ target, seed: 0x5eed, from: 0, to, seeds },
  ...{ findings: folder, progress: join(folder, 'progress') },
});

const mutants = join(root, 'test/fixtures/mutants');
t.test('inputs that once were mistaken', (t) => {
  const files = readdirSync(mutants).sort();
  t.ok(files.length > 4);
  for (const file of files) {
    const [target = ''] = file.split('.');
    const input = new Uint8Array(readFileSync(join(mutants, file)));
    const exercise = (): unknown =>
      target === 'elf'
        ? exerciseObject(input, { target: new Seeds(seeds).coreTarget, thorough: true })
        : makeTarget({ target, seeds }).exercise(input);
    t.doesNotThrow(exercise, file);
  }
  t.end();
});

/** For each target how many mutants, and the outcomes of which each must be met in one of fifty at least. */
const RUNS: readonly [target: string, mutants: number, outcomes: readonly string[]][] = [
  ['elf', 1300, ['refused at the section table', 'refused past the section table', 'read', 'loaded']],
  ['btf', 600, ['refused', 'read in part']],
  ['btf-ext', 1500, ['refused', 'read in part', 'read']],
  ['btf-dedup', 200, ['refused', 'read in part', 'read']],
  ['btf-raw', 200, ['refused', 'read in part', 'read']],
  ['executable', 1000, ['refused', 'read in part', 'read']],
  ['value', 1000, ['refused', 'read', 'no values']],
  ['asm', 1000, ['refused', 'read']],
  ['instructions', 1000, ['read']],
  ['netlink', 1000, ['refused', 'read in part', 'read']],
  ['ring', 1000, ['read', 'nothing there']],
  ['perf-ring', 1000, ['refused', 'read', 'nothing there']],
  ['configuration', 1000, ['refused']],
  ['settings', 500, ['refused', 'read']],
  ['kallsyms', 500, ['nothing there', 'read']],
  ['verifier-log', 500, ['read']],
  ['proc', 500, ['nothing there', 'read']],
  ['arguments', 500, ['refused', 'read']],
  ['event', 500, ['refused', 'read']],
  ['dispatcher', 500, ['refused', 'read']],
  ['kernel-text', 1000, ['read']],
];

for (const [name, count, outcomes] of RUNS) {
  t.test(`${count} mutants for ${name} are read, or refused with an error of ours`, (t) => {
    const result = runJob(jobOf(name, count));
    t.comment({ ...result.outcomes, slowest: result.slowest, growth: `${result.growth >> 20} MB` });
    for (const { index, what } of result.findings) t.fail(`mutant ${index}: ${what}`);
    for (const outcome of outcomes)
      t.ok((result.outcomes[outcome] ?? 0) >= count / 50, `"${outcome}" is met often`);
    t.ok(result.growth < LIMITS.memory, 'none takes more memory than it may');
    t.end();
  });
}

t.test('every target has a short run', (t) => {
  t.same(
    RUNS.map(([name]) => name),
    Object.keys(targets),
  );
  t.end();
});

t.test('every parser is there, and fed by a target', (t) => {
  for (const { reads, places, targets: fed } of parsers) {
    for (const place of places) t.ok(existsSync(join(root, 'src', place)), `src/${place} is there`);
    for (const name of fed) t.ok(name in targets, `${reads}: there is a target ${name}`);
  }
  const fed = new Set(parsers.flatMap((parser) => parser.targets));
  t.same(
    Object.keys(targets).filter((name) => !fed.has(name)),
    [],
  );
  t.end();
});

t.test('a mutant is made anew from its number alone', (t) => {
  const [one, other] = [makeTarget({ target: 'elf', seeds }), makeTarget({ target: 'elf', seeds })];
  mutantOf(one, { seed: 1, index: 7 });
  const place = { seed: 1, index: 8 };
  t.same(Buffer.compare(mutantOf(one, place), mutantOf(other, place)), 0);
  t.not(Buffer.compare(mutantOf(one, { seed: 2, index: 8 }), mutantOf(one, place)), 0);
  t.end();
});

t.test('processes that hang or die are found out, and the rest of the inputs is run', async (t) => {
  // Plays a worker that is at its third input, stops there, and answers from the next one on.
  const worker = (end: string): string[] => [
    process.execPath,
    '--eval',
    `const job = JSON.parse(process.argv.at(-1));
     const { writeFileSync } = require('node:fs');
     const at = Buffer.alloc(4);
     at.writeUInt32LE(job.from + 2);
     writeFileSync(job.progress, at);
     if (job.from === 0) { ${end} }
     const slowest = { index: job.from, milliseconds: 1 };
     console.log(JSON.stringify({ outcomes: { read: job.to - job.from }, slowest, growth: 0, findings: [] }));`,
    '--',
  ];
  const cases = [
    ['for (;;);', /^it hangs for 1500 ms/],
    ['process.exit(9);', /^its process ends with 9/],
    ["process.kill(process.pid, 'SIGKILL'); for (;;);", /^its process ends with SIGKILL/],
  ] as const;
  for (const [end, message] of cases) {
    const job = jobOf('asm', 10);
    const result = await runTarget(job, { command: worker(end), chunk: 10, hang: 1500 });
    t.same(result.outcomes, { failed: 1, 'run before a failure': 2, read: 7 });
    t.equal(result.findings.length, 1);
    t.match(result.findings[0]?.what, message);
    const saved = readFileSync(result.findings[0]?.file ?? '');
    t.same(saved, Buffer.from(mutantOf(makeTarget(job), { seed: job.seed, index: 2 })));
  }
});
