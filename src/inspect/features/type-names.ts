import { helperName } from '../../asm/index.ts';
import type { Btf } from '../../btf/index.ts';
import { BtfError, FileError } from '../../errors.ts';
import { KernelBtf } from '../../loader/index.ts';
import { mapTypeName } from '../../maps/index.ts';
import { programTypeName } from '../../programs/index.ts';
import * as uapi from '../../uapi/index.ts';

/** Names and numbers, in the order of the numbers. */
export type Names = readonly (readonly [name: string, value: number])[];

/** What there is to ask for: everything that this library knows, and what the running kernel has besides. */
export interface KnownNames {
  readonly programTypes: Names;
  readonly mapTypes: Names;
  readonly helpers: Names;
}

/** What this library knows. */
export const ownNames = (): KnownNames => ({
  programTypes: upTo(uapi.BPF_PROG_TYPE_NETFILTER, programTypeName),
  mapTypes: upTo(uapi.BPF_MAP_TYPE_RHASH, mapTypeName),
  helpers: upTo(uapi.BPF_FUNC_cgrp_storage_delete, (number) => helperName(number) ?? ''),
});

function upTo(last: number, name: (value: number) => string): Names {
  return Array.from({ length: last }, (_, index) => [name(index + 1), index + 1] as const);
}

/** With what the running kernel's BTF names and this library does not. Without that BTF it is what this library knows. */
export function namesOfRunningKernel(): KnownNames {
  const own = ownNames();
  const btf = kernelTypes();
  if (btf === undefined) return own;
  const later = (known: Names, [type, prefix]: readonly [string, string]): Names => [
    ...known,
    ...valuesBeyond(btf, { type, prefix, last: known.length }),
  ];
  return {
    programTypes: later(own.programTypes, ['bpf_prog_type', 'BPF_PROG_TYPE_']),
    mapTypes: later(own.mapTypes, ['bpf_map_type', 'BPF_MAP_TYPE_']),
    helpers: later(own.helpers, ['bpf_func_id', 'BPF_FUNC_']),
  };
}

function kernelTypes(): Btf | undefined {
  try {
    return new KernelBtf().vmlinux;
  } catch (error) {
    // CONFIG_DEBUG_INFO_BTF adds to what can be asked for, and nothing depends on it.
    if (error instanceof FileError || error instanceof BtfError) return undefined;
    throw error;
  }
}

/** `__MAX_BPF_MAP_TYPE` closes these enums and is none of their values, nor is what has another prefix. */
function valuesBeyond(btf: Btf, wanted: { type: string; prefix: string; last: number }): Names {
  const { type, prefix, last } = wanted;
  const id = btf.find(type, 'enum');
  const found = id === undefined ? undefined : btf.type(id);
  if (found?.kind !== 'enum') return [];
  return found.values
    .filter(({ name, value }) => value > last && name.startsWith(prefix))
    .map(({ name, value }) => [nameOf(name.slice(prefix.length), prefix), value] as const)
    .sort(([, a], [, b]) => a - b);
}

function nameOf(name: string, prefix: string): string {
  return prefix === 'BPF_FUNC_' ? `bpf_${name}` : name.toLowerCase();
}
