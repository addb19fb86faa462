import { readInfo, type Fd, type Kernel } from '../sys/index.ts';
import { bpf_map_info } from '../uapi/index.ts';

/** `struct bpf_map_info`. Sizes in bytes. */
export interface MapInfo {
  readonly id: number;
  /** At most 15 characters; the kernel keeps no more. */
  readonly name: string;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly extra: bigint;
  readonly btfId: number;
  readonly btfKeyTypeId: number;
  readonly btfValueTypeId: number;
  /** The network device that it is offloaded to; 0 for none. */
  readonly ifindex: number;
  /** Of a struct_ops map: the id of its value's type in the kernel's own BTF; otherwise 0. */
  readonly kernelValueTypeId: number;
}

/** Asks the kernel about a map. Linux 4.13. */
export function readMapInfo(kernel: Kernel, fd: Fd): MapInfo {
  const info = readInfo(kernel, { fd, descriptor: bpf_map_info });
  return {
    id: info.id,
    name: info.name,
    type: info.type,
    keySize: info.key_size,
    valueSize: info.value_size,
    maxEntries: info.max_entries,
    flags: info.map_flags,
    extra: info.map_extra,
    btfId: info.btf_id,
    btfKeyTypeId: info.btf_key_type_id,
    btfValueTypeId: info.btf_value_type_id,
    ifindex: info.ifindex,
    kernelValueTypeId: info.btf_vmlinux_value_type_id,
  };
}
