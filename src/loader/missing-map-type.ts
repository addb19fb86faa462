import { SyscallError } from '../errors.ts';
import { Feature, firstKernelOfMapType, mapTypeFeature, requireFeature } from '../features/index.ts';
import { MapType, mapTypeName } from '../maps/index.ts';
import type { Kernel } from '../sys/index.ts';
import { BPF_F_LINK } from '../uapi/index.ts';

/**
 * Says that a kernel lacks a type of maps, or links for those of struct_ops, which it refuses as an invalid argument, one
 * of several.
 *
 * @throws UnsupportedFeatureError naming the first kernel that has it
 */
export function requireMapType(
  kernel: Kernel,
  { type, flags = 0, doing }: { type: number; flags?: number; doing: string },
): void {
  if (type === MapType.StructOps && (flags & BPF_F_LINK) !== 0) {
    requireFeature(Feature.StructOpsLink, {
      doing,
      kernel,
      hint: 'the section .struct_ops registers without one',
    });
  }
  if (firstKernelOfMapType(type) === undefined) return;
  const feature =
    type === MapType.RingBuffer
      ? Feature.RingBuffer
      : mapTypeFeature(`maps of type ${mapTypeName(type)}`, { type });
  try {
    requireFeature(feature, { doing, kernel });
  } catch (error) {
    // A probe that is refused itself tells nothing: what was said of the map stands then.
    if (!(error instanceof SyscallError)) throw error;
  }
}
