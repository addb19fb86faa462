import { MapIncompatibleError, type MapDifference } from '../errors.ts';
import type { MapSpec } from '../elf/index.ts';
import { MapType, mapTypeName, type MapInfo } from '../maps/index.ts';
import type { Kernel } from '../sys/index.ts';
import { BPF_F_RDONLY, BPF_F_RDONLY_PROG, BPF_F_WRONLY } from '../uapi/index.ts';
import { maxEntriesOf } from './create-maps.ts';

/** How the existing map was found, for the error. */
export interface ExistingMap {
  readonly info: MapInfo;
  readonly kernel: Kernel;
  readonly path?: string;
  readonly id?: number;
}

/**
 * Refuses a map that cannot stand in for a spec, by the rules of map_is_reuse_compat() in libbpf: type, sizes, flags
 * and map_extra are equal; types in BTF and what a map of maps holds inside are not compared.
 *
 * @throws MapIncompatibleError with every difference
 */
export function checkCompatible(spec: MapSpec, existing: ExistingMap): void {
  const { info, kernel, path, id } = existing;
  const differences: MapDifference[] = [];
  const compare = (property: string, wanted: string, found: string): void => {
    if (wanted !== found) differences.push({ property, wanted, found });
  };
  compare('type', mapTypeName(spec.type), mapTypeName(info.type));
  compare('key size', String(spec.keySize), String(info.keySize));
  compare('value size', String(spec.valueSize), String(info.valueSize));
  compare('max entries', String(maxEntriesOf(spec, kernel)), String(info.maxEntries));
  compare('flags', hex(wantedFlags(spec)), hex(foundFlags(info)));
  compare('map_extra', String(spec.extra), String(info.extra));
  if (differences.length === 0) return;
  throw new MapIncompatibleError(spec.name, differences, { path, id, hint: hintFor(path) });
}

/** Whether a descriptor may write is no property of the map (bpf_map_flags_retain_permanent in kernel/bpf/syscall.c). */
function wantedFlags({ flags }: MapSpec): number {
  return (flags & ~(BPF_F_RDONLY | BPF_F_WRONLY)) >>> 0;
}

/** Programs may not write to device maps; the kernel adds that itself (dev_map_init_map in kernel/bpf/devmap.c). */
function foundFlags({ type, flags }: MapInfo): number {
  const device = type === MapType.DevMap || type === MapType.DevMapHash;
  return device ? (flags & ~BPF_F_RDONLY_PROG) >>> 0 : flags;
}

function hintFor(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  return `change the object, or have the next load make a new map, without the contents of this one: rm ${path}`;
}

function hex(flags: number): string {
  return `0x${flags.toString(16)}`;
}
