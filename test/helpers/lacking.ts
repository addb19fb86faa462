import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import type { Test } from 'tap';
import { UnsupportedFeatureError, VerifierError } from '../../src/index.ts';
import { firstKernelOfHelper } from '../../src/features/index.ts';
import { compareVersions } from '../../src/loader/needed-kernel/need.ts';
import { isGuest } from './clang.ts';
import { openDescriptors } from './open-descriptors.ts';

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

/** What kernels say that are built without a kind of program, or forbid it to root too, before the verifier looks. */
const FORBIDDING: readonly string[] = [
  'UNSUPPORTED_FEATURE',
  'PERMISSION_DENIED',
  'ATTACH_REFUSED',
  'ATTACH_TARGET_NOT_FOUND',
  'SYSCALL_FAILED',
  'FILE_UNREADABLE',
  'VERIFIER_REFUSED',
];

/** Whether the kernel says of itself that it is built without an option; unknown counts as no. */
function isBuiltWithout(option: string): boolean {
  const path = `/boot/config-${release()}`;
  return existsSync(path) && !new RegExp(`^${option}=[ym]$`, 'm').test(readFileSync(path, 'utf8'));
}

/**
 * Why a test cannot be done here, or undefined where an error is a failure. The kernels of guests forbid nothing, so
 * that `mayForbid` counts elsewhere only; they may be built without an `option`, though.
 */
export function whyNotHere(
  error: unknown,
  { mayForbid, option }: { mayForbid: boolean; option?: string | undefined },
): string | undefined {
  if (isTooOld(error)) return error.message;
  const { code = '', message } = error as { code?: string; message: string };
  if (!FORBIDDING.includes(code)) return undefined;
  if (option !== undefined && isBuiltWithout(option)) return `${message} (built without ${option})`;
  return mayForbid && !isGuest ? message : undefined;
}

/** Makes the test that runs one that was skipped, if it has asserted nothing yet. */
export function skipWhole(t: Test, reason: string): void {
  if (t.count > 0) t.comment(`skipped: ${reason}`);
  else t.plan(0, reason);
}

/** Ends a test of an attachment: it was skipped for a reason, or asserts that no descriptor is left. */
export function endAttachTest(t: Test, facts: { before: string[]; missing: string | undefined }): void {
  const { before, missing } = facts;
  const after = openDescriptors();
  if (missing !== undefined && isDeepStrictEqual(after, before)) skipWhole(t, missing);
  else t.same(after, before, 'no descriptor is left');
}
