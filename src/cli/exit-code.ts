import { PermissionError, UnsupportedFeatureError } from '../errors.ts';

/** Exit codes are part of the command line's contract: scripts tell failures apart by them. */
export const ExitCode = {
  Done: 0,
  Failed: 1,
  /** The command line does not parse. */
  Usage: 2,
  NotPermitted: 3,
  /** Not supported by this kernel. */
  Unsupported: 4,
} as const;

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return ExitCode.Usage;
  if (error instanceof PermissionError) return ExitCode.NotPermitted;
  if (error instanceof UnsupportedFeatureError) return ExitCode.Unsupported;
  return ExitCode.Failed;
}

/** The command line does not parse. */
export class UsageError extends Error {
  readonly code = 'USAGE';
}
