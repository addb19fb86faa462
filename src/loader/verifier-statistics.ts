/** How much work verification was, from the end of a log with statistics. */
export interface VerifierStatistics {
  /** Instructions that the verifier walked over, on all paths. */
  readonly instructions: number;
  readonly totalStates: number;
  readonly peakStates: number;
  readonly maxStatesPerInstruction: number;
  /** Microseconds; undefined on kernels that do not say. */
  readonly duration: number | undefined;
  /** Bytes of stack of each function, in the program's order; empty on kernels that do not say (before 4.18). */
  readonly stackDepths: readonly number[];
}

/** print_verification_stats() in kernel/bpf/verifier.c. */
const PROCESSED =
  /^processed (\d+) insns (?:\(limit \d+\) )?max_states_per_insn (\d+) total_states (\d+) peak_states (\d+)/m;

/** Undefined for a log without statistics: the kernel refused before verification, or none were asked for. */
export function readVerifierStatistics(log: string): VerifierStatistics | undefined {
  const processed = PROCESSED.exec(log);
  if (!processed) return undefined;
  const [instructions = 0, maxStatesPerInstruction = 0, totalStates = 0, peakStates = 0] = processed
    .slice(1)
    .map(Number);
  const duration = /^verification time (\d+) usec/m.exec(log)?.[1];
  const depths = /^stack depth (\d+(?:\+\d+)*)/m.exec(log)?.[1];
  return {
    instructions,
    totalStates,
    peakStates,
    maxStatesPerInstruction,
    duration: duration === undefined ? undefined : Number(duration),
    stackDepths: depths?.split('+').map(Number) ?? [],
  };
}
