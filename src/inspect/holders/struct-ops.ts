import { resolveType, type Btf } from '../../btf/index.ts';
import { KernelBtf } from '../../loader/index.ts';
import type { BpfMap } from '../../maps/index.ts';
import { readInfo, type Kernel } from '../../sys/index.ts';
import { BPF_PROG_TYPE_STRUCT_OPS, bpf_map_info } from '../../uapi/index.ts';
import { readBtfById } from '../objects/index.ts';

const KEY = new Uint8Array(4);

/**
 * Whether a struct_ops map has a program: where the struct has functions, its value tells their ids
 * (bpf_struct_ops_map_sys_lookup_elem() of kernel/bpf/bpf_struct_ops.c).
 */
export function structOpsHolds(
  kernel: Kernel,
  { map, programId, programType }: { map: BpfMap; programId: number; programType: number | undefined },
): boolean {
  if (programType !== BPF_PROG_TYPE_STRUCT_OPS) return false;
  const { btf_vmlinux_value_type_id: typeId, btf_vmlinux_id: btfId } = readInfo(kernel, {
    fd: map.fd,
    descriptor: bpf_map_info,
  });
  const value = map.getBytes(KEY);
  if (typeId === 0 || value === undefined) return false;
  const vmlinux = new KernelBtf().vmlinux;
  // Linux 6.9 tells which BTF the id is of, and has structs of modules; before, all are the kernel's.
  const btf = btfId === 0 ? vmlinux : readBtfById(kernel, btfId, { base: vmlinux });
  const view = new DataView(value.buffer, value.byteOffset);
  return functionOffsets(btf, { typeId }).some(
    (offset) => offset + 8 <= value.length && view.getBigUint64(offset, true) === BigInt(programId),
  );
}

/** `struct bpf_struct_ops_NAME` has the state in the kernel first, and the struct itself as `data`. */
function functionOffsets(btf: Btf, { typeId, start = 0 }: { typeId: number; start?: number }): number[] {
  const type = btf.type(resolveType(btf, typeId));
  if (type.kind !== 'struct') return [];
  return type.members.flatMap(({ typeId: memberId, bitOffset, name }) => {
    const offset = start + bitOffset / 8;
    const member = btf.type(resolveType(btf, memberId));
    if (member.kind === 'struct')
      return name === 'data' ? functionOffsets(btf, { typeId: memberId, start: offset }) : [];
    if (member.kind !== 'pointer') return [];
    return btf.kindOf(member.typeId) === 'function_proto' ? [offset] : [];
  });
}
