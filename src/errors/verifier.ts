import { TsXdpError, type Fact, type ErrorContext } from './base.ts';

/** A line of C. */
export interface SourceLine extends Record<string, Fact> {
  /** As the compiler was given it; the log tells file and line since Linux 6.9. */
  file: string | undefined;
  line: number | undefined;
  text: string;
}

/** An instruction of a program, counted from 0. */
export interface RefusedInstruction extends Record<string, Fact> {
  index: number;
  /** As the kernel prints it, `r0 = *(u8 *)(r1 +20)`. */
  text: string | undefined;
}

/** What the verifier knew of a register: `{ register: 'R1', state: 'pkt(r=0)' }`. */
export interface InvolvedRegister extends Record<string, Fact> {
  register: string;
  state: string | undefined;
}

/** What is known of a refused program. */
export interface VerifierRefusal {
  readonly program: string;
  readonly errno: number;
  readonly errnoName: string;
  readonly summary: string;
  readonly log: string;
  readonly source?: SourceLine | undefined;
  readonly instruction?: RefusedInstruction | undefined;
  readonly registers?: readonly InvolvedRegister[] | undefined;
  readonly rule?: string | undefined;
  readonly suggestion?: string | undefined;
}

/** The verifier, or a check before it, refused a program. */
export class VerifierError extends TsXdpError {
  readonly code = 'VERIFIER_REFUSED';
  readonly program: string;
  readonly errno: number;
  readonly errnoName: string;
  /** The verifier's reason in one line. */
  readonly summary: string;
  /** Where line information leads to it. */
  readonly source: SourceLine | undefined;
  readonly instruction: RefusedInstruction | undefined;
  /** Those that the reason names. */
  readonly registers: readonly InvolvedRegister[];
  /** `packet-bounds`, `null-check`, `reference-leak`, …; undefined where it is no classic. */
  readonly rule: string | undefined;
  /** What is usually done about it. */
  readonly suggestion: string | undefined;
  /** The whole log. */
  readonly log: string;

  constructor(refusal: VerifierRefusal, context?: ErrorContext) {
    const place = placeOf(refusal.source);
    super(
      `Cannot load program ${refusal.program}: ${refusal.summary}` +
        (place === undefined ? '' : ` (at ${place})`),
      context,
    );
    this.program = refusal.program;
    this.errno = refusal.errno;
    this.errnoName = refusal.errnoName;
    this.summary = refusal.summary;
    this.source = refusal.source;
    this.instruction = refusal.instruction;
    this.registers = refusal.registers ?? [];
    this.rule = refusal.rule;
    this.suggestion = refusal.suggestion;
    this.log = refusal.log;
  }

  /** `file.c:42: the line of C`. */
  get place(): string | undefined {
    return placeOf(this.source);
  }
}

function placeOf(source: SourceLine | undefined): string | undefined {
  if (source?.file === undefined) return source?.text;
  return `${source.file}:${String(source.line)}: ${source.text}`;
}
