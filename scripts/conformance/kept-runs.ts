/** Runs take long, in virtual machines most of an hour: what was answered is kept, and can be compared again. */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConformanceFailure } from './failure.ts';
import type { LoaderRun, RunFacts } from './loader-run.ts';
import type { Answer } from './loaders/ask.ts';

const FACTS = 'facts.json';
const ANSWERS = { libbpf: 'libbpf.jsonl', ours: 'ts-xdp.jsonl' } as const;

/** Of a whole corpus there is one folder a kernel in `folder`: `here`, `6.12`, … */
export function keepRun(run: LoaderRun, folder: string): void {
  const kept = join(folder, run.facts.guest ?? 'here');
  mkdirSync(kept, { recursive: true });
  writeFileSync(join(kept, FACTS), `${JSON.stringify(run.facts)}\n`);
  for (const loader of ['libbpf', 'ours'] as const) {
    const lines = run[loader].map((answer) => `${JSON.stringify(answer)}\n`);
    writeFileSync(join(kept, ANSWERS[loader]), lines.join(''));
  }
}

export function readKeptRun(folder: string): LoaderRun {
  const facts = JSON.parse(readText(join(folder, FACTS))) as RunFacts;
  return {
    facts,
    libbpf: readAnswers(join(folder, ANSWERS.libbpf)),
    ours: readAnswers(join(folder, ANSWERS.ours)),
  };
}

/** That of this machine first, then guests by version. */
export function readKeptRuns(folder: string): LoaderRun[] {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const byVersion = new Intl.Collator('en', { numeric: true });
  return names
    .map((name) => readKeptRun(join(folder, name)))
    .sort((a, b) => byVersion.compare(a.facts.guest ?? '', b.facts.guest ?? ''));
}

function readAnswers(path: string): Answer[] {
  const lines = readText(path).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Answer);
}

function readText(path: string): string {
  if (!existsSync(path)) throw new ConformanceFailure(`Cannot compare what was kept: there is no ${path}`);
  return readFileSync(path, 'utf8');
}
