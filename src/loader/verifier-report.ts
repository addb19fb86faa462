import type { InvolvedRegister, RefusedInstruction, SourceLine } from '../errors.ts';

/** What a verifier log says of a refusal. */
export interface VerifierReport {
  /** The reason in one line. */
  readonly summary: string;
  /** The verifier's own lines about it, without instructions, states and statistics. */
  readonly reasons: readonly string[];
  readonly instruction: RefusedInstruction | undefined;
  readonly source: SourceLine | undefined;
  /** Those that the reason names, or else those of the instruction. */
  readonly registers: readonly InvolvedRegister[];
  /** Which rule was broken: a name of {@link VERIFIER_RULES}, or what the kernel calls it (Linux 7.3). */
  readonly rule: string | undefined;
  readonly suggestion: string | undefined;
}
