import { release } from 'node:os';
import { UnsupportedFeatureError, VerifierError } from '../../src/index.ts';
import { firstKernelOfHelper } from '../../src/features/index.ts';
import { compareVersions } from '../../src/loader/needed-kernel/need.ts';

/** Whether this kernel is older than a version: what a test expects of it differs then, or it skips. */
export function isKernelBefore(version: string): boolean {
  const [own = ''] = /^\d+\.\d+/.exec(release()) ?? [];
  return compareVersions(version, own) > 0;
}

/** Whether an error says that this kernel is too old, and it is: a test skips then, and fails where it is new enough. */
export function isTooOld(error: unknown): error is Error {
  if (error instanceof UnsupportedFeatureError) return isKernelBefore(error.minKernel);
  const helper =
    error instanceof VerifierError ? /^invalid func \S*#(\d+)/.exec(error.summary)?.[1] : undefined;
  return helper !== undefined && isKernelBefore(firstKernelOfHelper(Number(helper)) ?? '0.0');
}
