/**
 * `npm run fuzz -- [--mutants N] [--seed S] [--target NAME] [--corpus DIR] [--findings DIR] [--coverage] [--json]`: mutants of objects, of BTF
 * and of everything else that is read, each in a process with a watchdog. Exit code 1 where something was found.
 *
 * `--document FILE...` runs nothing, and writes what `--json` printed in earlier runs into docs/robustness.md.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../../bench/project-root.ts';
import { lineCoverage } from './coverage.ts';
import { document, type RunReport } from './document.ts';
import { runTarget, type TargetResult } from './run-jobs.ts';
import { collectSeeds } from './seeds.ts';
import { targets } from './targets/index.ts';

const CHUNK = 20_000;
/** Megabytes of JavaScript objects; what lies outside of the heap, the limit of each input watches. */
const HEAP = 192;

const { values, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    mutants: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    target: { type: 'string', multiple: true },
    corpus: { type: 'string' },
    findings: { type: 'string' },
    coverage: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    document: { type: 'boolean', default: false },
  },
});

const root = projectRoot();
if (values.document) {
  const reports = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as RunReport);
  document(join(root, 'docs/robustness.md'), reports);
  process.exit();
}
const folder = join(root, 'build/fuzz');
const findings = values.findings ?? join(folder, 'findings');
const coverage = join(folder, 'coverage');
mkdirSync(findings, { recursive: true });
rmSync(coverage, { recursive: true, force: true });

const mutants = positive('mutants', values.mutants);
const seed = positive('seed', values.seed);
const names = values.target ?? Object.keys(targets);
const seeds = collectSeeds(root, {
  folder: join(folder, 'seeds'),
  ...(values.corpus === undefined ? {} : { corpus: values.corpus }),
});
console.error(`${seeds.own.length} objects of our own, ${seeds.corpus.length} of the corpus; seed ${seed}`);

const results: TargetResult[] = [];
for (const target of names) results.push(await fuzz(target));
const lines = values.coverage ? lineCoverage(root, coverage) : undefined;
if (values.json)
  console.log(JSON.stringify({ mutants, seed, results, coverage: lines && Object.fromEntries(lines) }));
if (lines)
  for (const [file, { covered, total }] of lines) console.error(`${percent(covered, total)} ${file}`);
process.exitCode = results.some((result) => result.findings.length > 0) ? 1 : 0;

async function fuzz(target: string): Promise<TargetResult> {
  const share = targets[target]?.share;
  if (share === undefined)
    throw new Error(`there is no target ${target}; there are ${Object.keys(targets).join(', ')}`);
  // A target asked for by name gets all of them.
  const to = values.target ? mutants : Math.ceil((mutants * share) / 1_000_000);
  const result = await runTarget(
    { target, seed, from: 0, to, seeds, findings, progress: join(folder, `progress-${process.pid}`) },
    {
      command: [
        process.execPath,
        '--enable-source-maps',
        `--max-old-space-size=${HEAP}`,
        join(import.meta.dirname, 'worker-main.js'),
      ],
      chunk: CHUNK,
      environment: values.coverage ? { NODE_V8_COVERAGE: coverage } : {},
      onProgress: (done) => {
        if (process.stderr.isTTY) process.stderr.write(`\r${target} ${done}/${to}`);
      },
    },
  );
  console.error(describe(result));
  return result;
}

function describe({ target, inputs, elapsed, outcomes, slowest, growth, findings }: TargetResult): string {
  const parts = Object.entries(outcomes)
    .sort((a, b) => b[1] - a[1])
    .map(([outcome, count]) => `${outcome} ${percent(count, inputs)}`);
  const cost = `slowest ${slowest.milliseconds.toFixed()} ms (${slowest.index}), memory ${growth >> 20} MB`;
  const found = findings.map(({ file, what }) => `\n  ${file}: ${what.split('\n').slice(0, 3).join(' ')}`);
  return `${target}: ${inputs} in ${elapsed.toFixed()} s; ${parts.join(', ')}; ${cost}; ${findings.length} findings${found.join('')}`;
}

function percent(part: number, whole: number): string {
  return `${((part / whole) * 100).toFixed(1)} %`;
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`--${option} takes a number above 0, not ${text}`);
}
