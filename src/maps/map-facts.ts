import { alignUp } from '../binary/index.ts';
import type { Btf } from '../btf/index.ts';
import type { Kernel } from '../sys/index.ts';
import { isPerCpu } from './map-type.ts';

/** BTF that gives keys and values their types. */
export interface MapTypes {
  readonly btf: Btf;
  readonly keyTypeId: number;
  readonly valueTypeId: number;
}

/** What is known of a map besides its descriptor. Sizes in bytes. */
export interface MapFacts {
  readonly kernel: Kernel;
  readonly name: string;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly types: MapTypes | undefined;
}

/** Bytes that the kernel copies for a value: bpf_map_value_size() in kernel/bpf/syscall.c. */
export function copiedValueSize({ type, valueSize, kernel }: MapFacts): number {
  return isPerCpu(type) ? alignUp(valueSize, 8) * kernel.possibleCpus() : valueSize;
}
