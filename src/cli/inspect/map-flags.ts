import * as uapi from '../../uapi/index.ts';

/** The flags of `BPF_MAP_CREATE`, by their names in `include/uapi/linux/bpf.h` without `BPF_F_`. */
const FLAGS: readonly [name: string, bit: number][] = [
  ['NO_PREALLOC', uapi.BPF_F_NO_PREALLOC],
  ['NO_COMMON_LRU', uapi.BPF_F_NO_COMMON_LRU],
  ['NUMA_NODE', uapi.BPF_F_NUMA_NODE],
  ['RDONLY', uapi.BPF_F_RDONLY],
  ['WRONLY', uapi.BPF_F_WRONLY],
  ['STACK_BUILD_ID', uapi.BPF_F_STACK_BUILD_ID],
  ['ZERO_SEED', uapi.BPF_F_ZERO_SEED],
  ['RDONLY_PROG', uapi.BPF_F_RDONLY_PROG],
  ['WRONLY_PROG', uapi.BPF_F_WRONLY_PROG],
  ['CLONE', uapi.BPF_F_CLONE],
  ['MMAPABLE', uapi.BPF_F_MMAPABLE],
  ['PRESERVE_ELEMS', uapi.BPF_F_PRESERVE_ELEMS],
  ['INNER_MAP', uapi.BPF_F_INNER_MAP],
  ['LINK', uapi.BPF_F_LINK],
  ['PATH_FD', uapi.BPF_F_PATH_FD],
  ['VTYPE_BTF_OBJ_FD', uapi.BPF_F_VTYPE_BTF_OBJ_FD],
  ['TOKEN_FD', uapi.BPF_F_TOKEN_FD],
  ['SEGV_ON_FAULT', uapi.BPF_F_SEGV_ON_FAULT],
  ['NO_USER_CONV', uapi.BPF_F_NO_USER_CONV],
  ['RB_OVERWRITE', uapi.BPF_F_RB_OVERWRITE],
];

/** The names of the flags that are set; bits without a name as one hexadecimal number. */
export function mapFlagNames(flags: number): string[] {
  const set = FLAGS.filter(([, bit]) => (flags & bit) !== 0);
  const rest = set.reduce((left, [, bit]) => left & ~bit, flags) >>> 0;
  return [...set.map(([name]) => name), ...(rest === 0 ? [] : [`0x${rest.toString(16)}`])];
}
