/** One comparison. `theirs` and `ratio` are null where the peer is not there. */
export interface BenchmarkResult {
  readonly peer: string;
  readonly unit: string;
  readonly what: string;
  readonly ours: number;
  readonly theirs: number | null;
  /** Ours to theirs: of times below 1 is faster, of rates above. */
  readonly ratio: number | null;
  readonly [more: string]: unknown;
}

export interface BenchmarkReport {
  readonly benchmark: string;
  readonly results: readonly BenchmarkResult[];
}

/** One table over all. */
export function printTables(reports: readonly BenchmarkReport[]): void {
  const rows = reports.flatMap(({ benchmark, results }) =>
    results.map((result) => [
      benchmark,
      result.what,
      String(result.ours),
      result.theirs === null ? 'missing' : String(result.theirs),
      result.ratio === null ? '' : `${result.ratio.toFixed(2)} x`,
      `${result.unit}, against ${result.peer}`,
    ]),
  );
  printTable(['', '', 'ours', 'theirs', 'ratio', ''], rows);
}

/** A line for each report, after everything else. */
export function printJson(reports: readonly BenchmarkReport[]): void {
  for (const report of reports) console.log(JSON.stringify(report));
}

function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const table = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  for (const row of table) {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column <= 1 || column === row.length - 1 ? cell.padEnd(width) : cell.padStart(width);
    });
    console.log(cells.join('  ').trimEnd());
  }
}
