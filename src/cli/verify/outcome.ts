import type { TsXdpError } from '../../errors.ts';
import type { ProgramVerdict, Verdict } from '../../loader/index.ts';

/** What became of one file. */
export interface ObjectOutcome {
  /** The file's name without its folders. */
  readonly object: string;
  /** Why nothing of it could be tried. */
  readonly error: TsXdpError | undefined;
  /** Of the object as a whole; undefined where it was not tried. */
  readonly whole: Verdict | undefined;
  readonly programs: readonly ProgramVerdict[];
}
