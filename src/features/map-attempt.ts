import { BtfBuilder } from '../btf/index.ts';
import { bpfError, errno, openBpf, tryBpf } from '../sys/index.ts';
import type { Fd, Kernel } from '../sys/index.ts';
import * as uapi from '../uapi/index.ts';
import type { bpf_attr_map_create as MapFields } from '../uapi/index.ts';
import { canOpen } from './attempt.ts';
import type { Attempt } from './attempt.ts';
import { integer } from './btf-features.ts';
import { loadProbeTypes } from './probe-types.ts';

const LPM_KEY_SIZE = 8;
/** `struct bpf_cgroup_storage_key`. */
const CGROUP_STORAGE_KEY_SIZE = 16;
/** `struct bpf_insn_array_value`. */
const INSTRUCTION_VALUE_SIZE = 16;

const word = { key_size: 4, value_size: 4, max_entries: 1 };
const noKey = { key_size: 0, value_size: 4, max_entries: 1 };
/** Their keys and values need types (bpf_local_storage_map_alloc_check() in kernel/bpf/bpf_local_storage.c). */
const storage = {
  ...word,
  max_entries: 0,
  map_flags: uapi.BPF_F_NO_PREALLOC,
  btf_key_type_id: 1,
  btf_value_type_id: 1,
};
const cgroupStorage = { key_size: CGROUP_STORAGE_KEY_SIZE, value_size: 8, max_entries: 0 };

/** What types of maps cannot be created with other sizes than these; all others take 4 bytes of key and of value. */
const shapes: Readonly<Record<number, Partial<MapFields>>> = {
  [uapi.BPF_MAP_TYPE_STACK_TRACE]: { ...word, value_size: 8 },
  [uapi.BPF_MAP_TYPE_LPM_TRIE]: { ...word, key_size: LPM_KEY_SIZE, map_flags: uapi.BPF_F_NO_PREALLOC },
  [uapi.BPF_MAP_TYPE_CGROUP_STORAGE]: cgroupStorage,
  [uapi.BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE]: cgroupStorage,
  [uapi.BPF_MAP_TYPE_QUEUE]: noKey,
  [uapi.BPF_MAP_TYPE_STACK]: noKey,
  [uapi.BPF_MAP_TYPE_BLOOM_FILTER]: noKey,
  [uapi.BPF_MAP_TYPE_SK_STORAGE]: storage,
  [uapi.BPF_MAP_TYPE_INODE_STORAGE]: storage,
  [uapi.BPF_MAP_TYPE_TASK_STORAGE]: storage,
  [uapi.BPF_MAP_TYPE_CGRP_STORAGE]: storage,
  [uapi.BPF_MAP_TYPE_ARENA]: { max_entries: 1, map_flags: uapi.BPF_F_MMAPABLE },
  [uapi.BPF_MAP_TYPE_INSN_ARRAY]: { ...word, value_size: INSTRUCTION_VALUE_SIZE },
  [uapi.BPF_MAP_TYPE_RHASH]: { ...word, map_flags: uapi.BPF_F_NO_PREALLOC },
};

const ofMaps: readonly number[] = [uapi.BPF_MAP_TYPE_ARRAY_OF_MAPS, uapi.BPF_MAP_TYPE_HASH_OF_MAPS];
const ofPages: readonly number[] = [uapi.BPF_MAP_TYPE_RINGBUF, uapi.BPF_MAP_TYPE_USER_RINGBUF];

/** Creates the smallest map of a type, and closes it and what it needed. */
export function createsMap(
  kernel: Kernel,
  map: { readonly type: number; readonly device: number | undefined; readonly subject: string },
): boolean {
  const { type, device, subject } = map;
  const shape: Partial<MapFields> = ofPages.includes(type)
    ? { max_entries: kernel.pageSize }
    : (shapes[type] ?? word);
  const fields = { map_type: type, map_ifindex: device ?? 0, ...shape };
  if (type === uapi.BPF_MAP_TYPE_STRUCT_OPS) return knowsStructOps(kernel, subject);
  if (ofMaps.includes(type)) {
    using inner = createInnerMap(kernel, subject);
    return canOpen(kernel, creation(subject, { ...fields, inner_map_fd: inner.value }));
  }
  if (shape.btf_key_type_id === undefined) return canOpen(kernel, creation(subject, fields));
  using types = loadProbeTypes(kernel, { subject, types: anInteger() });
  return canOpen(kernel, creation(subject, { ...fields, btf_fd: types.value }));
}

function creation(subject: string, fields: Partial<MapFields>): Attempt<MapFields> {
  return { command: 'BPF_MAP_CREATE', attribute: uapi.bpf_attr_map_create, fields, subject };
}

function createInnerMap(kernel: Kernel, subject: string): Fd {
  const { command, attribute, fields } = creation(subject, {
    map_type: uapi.BPF_MAP_TYPE_HASH,
    ...word,
  });
  const doing = `probe for ${subject}`;
  return openBpf(kernel, { command, attribute, fields, doing, description: 'inner map of a probe' });
}

function anInteger(): BtfBuilder {
  const builder = new BtfBuilder();
  builder.add(integer);
  return builder;
}

/** Type 1 is no struct that programs can implement: a kernel that looks for one says ENOTSUPP. */
function knowsStructOps(kernel: Kernel, subject: string): boolean {
  const attempt = creation(subject, {
    map_type: uapi.BPF_MAP_TYPE_STRUCT_OPS,
    ...word,
    btf_vmlinux_value_type_id: 1,
  });
  const call = { ...attempt, doing: `probe for ${subject}` };
  const result = tryBpf(kernel, call);
  if (result === -errno.ENOTSUPP) return true;
  if (result === -errno.EINVAL || result === -errno.E2BIG) return false;
  if (result < 0) throw bpfError(call, result);
  kernel.close(result);
  return true;
}
