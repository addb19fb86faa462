/** Writes what runs have seen into docs/robustness.md, between marks, so that nobody copies numbers by hand. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { LineCoverage } from './coverage.ts';
import { parsers } from './parsers.ts';
import type { TargetResult } from './run-jobs.ts';

/** What `--json` prints. */
export interface RunReport {
  readonly seed: number;
  readonly results: readonly TargetResult[];
  readonly coverage?: Readonly<Record<string, LineCoverage>>;
}

/** Replaces the parts of a page by what the reports of any number of runs say. */
export function document(page: string, reports: readonly RunReport[]): void {
  const results = reports.filter(({ coverage }) => coverage === undefined).flatMap((one) => one.results);
  const coverage = reports.find((one) => one.coverage !== undefined);
  let text = readFileSync(page, 'utf8');
  if (results.length > 0) text = replacePart(text, 'results', resultTable(results));
  if (coverage?.coverage)
    text = replacePart(text, 'coverage', coverageTable(coverage.coverage, coverage.results));
  writeFileSync(page, text);
}

function replacePart(text: string, name: string, part: string): string {
  const [begin, end] = [`<!-- ${name}: written by npm run fuzz -- --document -->`, `<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`Cannot write the ${name}: the page has no place for them`);
  return `${text.slice(0, from + begin.length)}\n\n${part}\n\n${text.slice(to)}`;
}

function resultTable(results: readonly TargetResult[]): string {
  const names = [...new Set(results.map(({ target }) => target))];
  const rows = names.map((name) => {
    const own = results.filter(({ target }) => target === name);
    const outcomes = new Map<string, number>();
    for (const one of own)
      for (const [outcome, count] of Object.entries(one.outcomes))
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + count);
    return [
      name,
      sum(own, ({ inputs }) => inputs).toLocaleString('en'),
      [...outcomes]
        .sort((a, b) => b[1] - a[1])
        .map(([outcome, count]) => `${outcome} ${count.toLocaleString('en')}`)
        .join(', '),
      `${Math.max(...own.map(({ slowest }) => slowest.milliseconds)).toFixed()} ms`,
      `${(Math.max(...own.map(({ growth }) => growth)) / 2 ** 20).toFixed()} MB`,
      String(sum(own, ({ findings }) => findings.length)),
    ];
  });
  const inputs = sum(results, (one) => one.inputs).toLocaleString('en');
  const seconds = sum(results, ({ elapsed }) => elapsed).toFixed();
  return [
    `${inputs} inputs in ${seconds} s, of which past the section table of objects: ${pastTheTable(results)} %.`,
    table(['target', 'inputs', 'came out as', 'slowest', 'memory', 'findings'], rows),
  ].join('\n\n');
}

/** Of the objects whose outcome is known. */
function pastTheTable(results: readonly TargetResult[]): string {
  const objects = results.filter(({ target }) => target === 'elf');
  const count = (test: (outcome: string) => boolean): number =>
    sum(objects, ({ outcomes }) =>
      sum(
        Object.entries(outcomes).filter(([name]) => test(name)),
        ([, one]) => one,
      ),
    );
  const unknown = ['failed', 'run before a failure'];
  const all = count((name) => !unknown.includes(name));
  return ((1 - count((name) => name === 'refused at the section table') / all) * 100).toFixed(1);
}

function coverageTable(
  coverage: Readonly<Record<string, LineCoverage>>,
  results: readonly TargetResult[],
): string {
  const rows = parsers.map(({ reads, places, targets }) => {
    const files = Object.entries(coverage).filter(([file]) => places.some((place) => isIn(file, place)));
    const total = sum(files, ([, lines]) => lines.total);
    const covered = sum(files, ([, lines]) => lines.covered);
    const least = files
      .map(([file, lines]) => ({ file, share: lines.covered / lines.total }))
      .filter(({ share }) => share < 0.9)
      .sort((a, b) => a.share - b.share)
      .map(({ file, share }) => `\`${file.slice('src/'.length, -'.ts'.length)}\` ${percent(share)}`);
    return [reads, targets.join(', '), total === 0 ? 'not run' : percent(covered / total), least.join(', ')];
  });
  const inputs = sum(results, (one) => one.inputs).toLocaleString('en');
  return [
    `Of ${inputs} inputs, lines in per cent, and the files below 90:`,
    table(['what is read', 'targets', 'lines', 'least'], rows),
  ].join('\n\n');
}

function isIn(file: string, place: string): boolean {
  return file === `src/${place}` || file.startsWith(`src/${place}/`);
}

const percent = (share: number): string => (share * 100).toFixed(1);

function sum<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

/** In the form that Prettier leaves as it is. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
