import { VerifierError } from '../../errors.ts';
import type { ProgramVerdict } from '../../loader/index.ts';
import type { Json } from '../output/error-report.ts';
import type { ObjectOutcome } from './outcome.ts';

/** One line of `ts-xdp verify --json`. */
export function objectDocument(outcome: ObjectOutcome, { log }: { log: boolean }): Json {
  const { object, error, whole, programs } = outcome;
  const verdicts = programs.map((verdict) => [verdict.program, programDocument(verdict, { log })] as const);
  return {
    object,
    error: error ? { code: error.code, message: error.message } : null,
    load: whole?.errno ?? null,
    ...(whole?.error && { load_error: { code: whole.error.code, message: whole.error.message } }),
    programs: Object.fromEntries(verdicts),
  };
}

function programDocument(verdict: ProgramVerdict, { log }: { log: boolean }): { [name: string]: Json } {
  const { errno, error, refusedBy, statistics, jitedSize, warnings } = verdict;
  const refused = error instanceof VerifierError ? error : undefined;
  return {
    verdict: error ? 'refused' : 'accepted',
    errno,
    ...(error && {
      refused_by: refusedBy ?? null,
      code: error.code,
      summary: refused?.summary ?? error.message,
    }),
    ...(refused?.place !== undefined && { source: refused.place }),
    ...(warnings.length > 0 && { warnings: [...warnings] }),
    ...(statistics && {
      instructions: statistics.instructions,
      total_states: statistics.totalStates,
      peak_states: statistics.peakStates,
      max_states_per_instruction: statistics.maxStatesPerInstruction,
      duration_us: statistics.duration ?? null,
      stack_depth: [...statistics.stackDepths],
    }),
    ...(jitedSize !== undefined && { jited_size: jitedSize }),
    ...(log && { log: verdict.log }),
  };
}
