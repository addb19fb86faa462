import { createCodec, type BtfValue } from '../../btf/index.ts';
import { BpfMap, MapType } from '../../maps/index.ts';
import { readInfo, type Kernel } from '../../sys/index.ts';
import { bpf_map_info } from '../../uapi/index.ts';
import { openIfThere, readBtfById } from '../objects/index.ts';

const PREFIX = 'bpf_metadata_';

/**
 * What the author of a program put into it to be found: the variables `bpf_metadata_*` of its read-only data, without that
 * prefix. Empty where there is none. Linux 5.10 (BPF_PROG_BIND_MAP), by which the data stay although nothing reads them.
 *
 * @throws PermissionError, SyscallError, BtfError
 */
export function readProgramMetadata(
  kernel: Kernel,
  mapIds: readonly number[],
): ReadonlyMap<string, BtfValue> {
  for (const id of mapIds) {
    const fd = openIfThere(kernel, 'map', id);
    if (fd === undefined) continue;
    try {
      const info = readInfo(kernel, { fd, descriptor: bpf_map_info });
      if (isReadOnlyData(info)) return variablesOf(kernel, info);
    } finally {
      fd.close();
    }
  }
  return new Map();
}

function isReadOnlyData(info: bpf_map_info): boolean {
  const { type, key_size, max_entries, btf_value_type_id, name } = info;
  const isArrayOfOne = type === MapType.Array && key_size === 4 && max_entries === 1;
  return isArrayOfOne && btf_value_type_id !== 0 && name.includes('.rodata');
}

function variablesOf(kernel: Kernel, info: bpf_map_info): ReadonlyMap<string, BtfValue> {
  const found = new Map<string, BtfValue>();
  const btf = readBtfById(kernel, info.btf_id);
  const section = btf.type(info.btf_value_type_id);
  if (section.kind !== 'datasec') return found;
  const variables = section.variables.filter(({ typeId }) => btf.nameOf(typeId).startsWith(PREFIX));
  if (variables.length === 0) return found;
  using map = BpfMap.fromId(info.id, { kernel });
  const value = map.getBytes(new Uint8Array(4));
  if (value === undefined) return found;
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  for (const { typeId, offset, size } of variables) {
    const codec = createCodec(btf, typeId);
    // Larger than its type is what ends in a flexible array with elements.
    const end = size > codec.size ? offset + size : undefined;
    found.set(btf.nameOf(typeId).slice(PREFIX.length), codec.read(view, offset, end));
  }
  return found;
}
