import { TsXdpError } from '../../src/errors.ts';

/** The error that `action` throws; any other than ours passes through. */
export function thrown(action: () => unknown): TsXdpError {
  try {
    action();
  } catch (error) {
    if (error instanceof TsXdpError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
