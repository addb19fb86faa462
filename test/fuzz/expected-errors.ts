import { TsXdpError } from '../../src/errors.ts';

type ErrorClass = abstract new (...args: never) => TsXdpError;

/** What ran must not have come to an end in this way. */
export class Unexpected extends Error {
  override readonly name = 'Unexpected';
}

/**
 * Runs `action`; undefined where it throws one of the promised errors. Any other error passes through, and so does
 * one that does not say what could not be done.
 */
export function attempt<Result>(promised: readonly ErrorClass[], action: () => Result): Result | undefined {
  try {
    return action();
  } catch (error) {
    checkError(error, promised);
    return undefined;
  }
}

export function checkError(error: unknown, promised: readonly ErrorClass[]): void {
  if (!(error instanceof TsXdpError) || !promised.some((it) => error instanceof it)) throw error;
  if (!error.message.startsWith('Cannot ')) throw new Unexpected(`an error says only: ${error.message}`);
  JSON.stringify(error.facts(), (_, fact: unknown) => (typeof fact === 'bigint' ? fact.toString() : fact));
}

export function demand(condition: boolean, what: string): void {
  if (!condition) throw new Unexpected(what);
}
