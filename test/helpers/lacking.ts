import { release } from 'node:os';
import { UnsupportedFeatureError } from '../../src/index.ts';
import { compareVersions } from '../../src/loader/needed-kernel/need.ts';

/** Whether an error says that this kernel is too old, and it is: a test skips then, and fails where it is new enough. */
export function isTooOld(error: unknown): error is UnsupportedFeatureError {
  const [version = ''] = /^\d+\.\d+/.exec(release()) ?? [];
  return error instanceof UnsupportedFeatureError && compareVersions(error.minKernel, version) > 0;
}
