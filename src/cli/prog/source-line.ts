import type { LoadedLine } from '../../inspect/index.ts';
import type { Json } from '../output/error-report.ts';

interface LineOptions {
  /** File, line and column beside the source. */
  readonly linum: boolean;
}

/** The line of the source that an instruction begins, as bpftool has it. */
export function lineDocument(
  { text, file, line, column }: LoadedLine,
  { linum }: LineOptions,
): Record<string, Json> {
  const place = linum && { file, ...(line !== 0 && { line_num: line, line_col: column }) };
  return { src: text.trimStart(), ...place };
}

/** The same as a line of its own; none where no line begins. */
export function lineText(line: LoadedLine | undefined, { linum }: LineOptions): string[] {
  if (line === undefined) return [];
  const place = ` [file:${line.file} line_num:${line.line} line_col:${line.column}]`;
  return [`; ${line.text.trimStart()}${linum ? place : ''}`];
}
