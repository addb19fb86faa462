import type { ProgramActivity } from '../../inspect/index.ts';
import type { Json } from '../output/error-report.ts';

const HEADER = '      ID  TYPE              RUNS/S    AVERAGE NS     CPU %          RUNS  NAME';

/** Most of the CPU first, and of equals the lower id. */
export function byCpuShare(activities: readonly ProgramActivity[]): ProgramActivity[] {
  return [...activities].sort((one, other) =>
    one.runTime === other.runTime ? one.id - other.id : one.runTime < other.runTime ? 1 : -1,
  );
}

export function activityDocument(activity: ProgramActivity): Json {
  const { id, name, type, runs } = activity;
  const { perSecond, average, percent } = rates(activity);
  return {
    type: 'program',
    ...{ id, name, program_type: type, runs: runs.toString() },
    runs_per_second: perSecond,
    average_ns: average,
    cpu_percent: percent,
  };
}

/** To the top left, and clear what is there. */
const CLEAR = '\u001b[H\u001b[J';

/** One look on a terminal, in place of the one before: a longer one would scroll its busiest programs away. */
export function activityScreen(
  activities: readonly ProgramActivity[],
  { rows, columns }: { rows: number; columns: number },
): string {
  // The cursor stands in the last row.
  const lines = [HEADER, ...activities.map(row)].slice(0, Math.max(rows - 1, 1));
  return CLEAR + lines.map((line) => line.slice(0, columns)).join('\n');
}

/** A block for one look, with an empty line after it. */
export function activityTable(activities: readonly ProgramActivity[]): string {
  return `${[HEADER, ...activities.map(row)].join('\n')}\n`;
}

function row(activity: ProgramActivity): string {
  const { id, name, type, runs } = activity;
  const { perSecond, average, percent } = rates(activity);
  return [
    String(id).padStart(8),
    type.padEnd(14),
    perSecond.toFixed(1).padStart(10),
    (average === null ? '-' : average.toFixed(0)).padStart(12),
    percent.toFixed(3).padStart(8),
    runs.toString().padStart(12),
    name,
  ].join('  ');
}

/** The share is that of one CPU, so that several may come to more than 100 %. */
function rates({ runs, runTime, elapsed }: ProgramActivity): {
  perSecond: number;
  average: number | null;
  percent: number;
} {
  const seconds = Number(elapsed) / 1e9;
  return {
    perSecond: Number(runs) / seconds,
    average: runs === 0n ? null : Number(runTime) / Number(runs),
    percent: (Number(runTime) / Number(elapsed)) * 100,
  };
}
