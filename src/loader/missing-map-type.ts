import { Feature, firstKernelOfMapType, mapTypeFeature, requireFeature } from '../features/index.ts';
import { MapType, mapTypeName } from '../maps/index.ts';
import type { Kernel } from '../sys/index.ts';

/**
 * Says that a kernel lacks a type of maps, which it refuses as an invalid argument, one of several.
 *
 * @throws UnsupportedFeatureError naming the first kernel that has it
 */
export function requireMapType(kernel: Kernel, { type, doing }: { type: number; doing: string }): void {
  if (firstKernelOfMapType(type) === undefined) return;
  const feature =
    type === MapType.RingBuffer
      ? Feature.RingBuffer
      : mapTypeFeature(`maps of type ${mapTypeName(type)}`, { type });
  requireFeature(feature, { doing, kernel });
}
