import { VerifierError } from '../../errors.ts';
import type { ProgramVerdict } from '../../loader/index.ts';
import type { ObjectOutcome } from './outcome.ts';

const HEADINGS = ['program', 'verdict', 'instructions', 'states', 'peak', 'stack', 'time', 'code'];

/** A table of the programs of one object, then why those that were refused were. */
export function objectText(outcome: ObjectOutcome, { log }: { log: boolean }): string {
  const { object, error, whole, programs } = outcome;
  if (error) return `${object}: ${error.message}`;
  const blocks = [`${object}:`, ...table(programs.map(row)), ...programs.flatMap(reason)];
  if (whole?.error && programs.every((verdict) => !verdict.error))
    blocks.push(`  as a whole: ${whole.error.message}`);
  for (const warning of new Set(programs.flatMap(({ warnings }) => warnings)))
    blocks.push(`  note: ${warning}`);
  if (log)
    for (const { program, log: text } of programs) blocks.push('', `log of ${program}:`, text.trimEnd());
  return blocks.join('\n');
}

function row({ program, error, statistics, jitedSize }: ProgramVerdict): string[] {
  const { instructions, totalStates, peakStates, stackDepths = [], duration } = statistics ?? {};
  return [
    program,
    error ? 'refused' : 'accepted',
    numberOrDash(instructions),
    numberOrDash(totalStates),
    numberOrDash(peakStates),
    stackDepths.length === 0 ? '-' : stackDepths.join('+'),
    duration === undefined ? '-' : `${duration} us`,
    jitedSize === undefined ? '-' : `${jitedSize} B`,
  ];
}

function numberOrDash(value: number | undefined): string {
  return value === undefined ? '-' : String(value);
}

function table(rows: readonly string[][]): string[] {
  const all = [HEADINGS, ...rows];
  const widths = HEADINGS.map((_, column) => Math.max(...all.map((cells) => cells[column]?.length ?? 0)));
  return all.map((cells) =>
    `  ${cells.map((cell, column) => pad(cell, { column, widths })).join('  ')}`.trimEnd(),
  );
}

/** Names and verdicts to the left, numbers to the right. */
function pad(cell: string, { column, widths }: { column: number; widths: readonly number[] }): string {
  const width = widths[column] ?? 0;
  return column < 2 ? cell.padEnd(width) : cell.padStart(width);
}

function reason({ program, error }: ProgramVerdict): string[] {
  if (!error) return [];
  if (!(error instanceof VerifierError)) return [`  ${program}: ${error.message}`];
  return [
    `  ${program}: ${error.errnoName}: ${error.summary}`,
    ...(error.place === undefined ? [] : [`    at ${error.place}`]),
  ];
}
