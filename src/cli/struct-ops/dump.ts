import { formatType, resolveType, sizeOf } from '../../btf/index.ts';
import { BtfError } from '../../errors.ts';
import { fullProgramName, openIfThere } from '../../inspect/index.ts';
import { callBpf, systemKernel } from '../../sys/index.ts';
import type { Fd, Kernel } from '../../sys/index.ts';
import { bpf_attr_info, bpf_attr_map_elem } from '../../uapi/index.ts';
import { ExitCode } from '../exit-code.ts';
import { bpftoolValue } from '../map/bpftool-value.ts';
import type { Json } from '../output/error-report.ts';
import { jsonText } from '../output/json-text.ts';
import type { Output } from '../output/output.ts';
import { mapStructOps } from './select.ts';
import type { StructOpsMap } from './select.ts';

/** Prints struct_ops maps by the kernel's own types: what is known of each map, and the struct with its programs. */
export async function runStructOpsDump(given: readonly string[], output: Output): Promise<number> {
  const kernel = systemKernel();
  const documents = mapStructOps(kernel, { given, command: 'struct_ops dump' }, (map) => [
    { bpf_map_info: infoDocument(kernel, map) },
    { [map.btf.nameOf(map.info.btf_vmlinux_value_type_id)]: valueDocument(kernel, map) },
  ]).flat();
  output.result(documents, documents.map((document) => indented(document)).join('\n'));
  await output.flush();
  return ExitCode.Done;
}

/** As many fields as this kernel has, which its own types tell. */
function infoDocument(kernel: Kernel, { fd, btf }: StructOpsMap): Json {
  const types = btf.base ?? btf;
  const typeId = types.find('bpf_map_info', 'struct');
  if (typeId === undefined)
    throw new BtfError("Cannot dump struct_ops maps: the kernel's types have no struct bpf_map_info");
  const info = new Uint8Array(sizeOf(types, typeId));
  callBpf(kernel, {
    command: 'BPF_OBJ_GET_INFO_BY_FD',
    attribute: bpf_attr_info,
    fields: { bpf_fd: fd.value, info_len: info.length, info: kernel.addressOf(info) },
    keep: [info],
    doing: `read the info of ${fd.description}`,
  });
  return bpftoolValue(types, typeId, { view: new DataView(info.buffer), at: 0 });
}

function valueDocument(kernel: Kernel, { fd, info, btf }: StructOpsMap): Json {
  const { buffer } = readValue(kernel, { fd, size: info.value_size });
  // In place of a function the kernel gives the id of the program that stands for it.
  const pointer = (targetTypeId: number, id: bigint): Json | undefined =>
    btf.kindOf(resolveType(btf, targetTypeId)) === 'function_proto'
      ? `${formatType(btf, resolveType(btf, targetTypeId))} ${programText(kernel, Number(id))}`
      : undefined;
  return bpftoolValue(btf, info.btf_vmlinux_value_type_id, { view: new DataView(buffer), at: 0, pointer });
}

function readValue(kernel: Kernel, { fd, size }: { fd: Fd; size: number }): Uint8Array<ArrayBuffer> {
  const [key, value] = [new Uint8Array(4), new Uint8Array(size)];
  callBpf(kernel, {
    command: 'BPF_MAP_LOOKUP_ELEM',
    attribute: bpf_attr_map_elem,
    fields: { map_fd: fd.value, key: kernel.addressOf(key), value: kernel.addressOf(value) },
    keep: [key, value],
    doing: `read the value of ${fd.description}`,
  });
  return value;
}

/** `ssthresh/prog_id:7`; a program that is gone meanwhile has no name. */
function programText(kernel: Kernel, id: number): string {
  if (id === 0) return '0';
  using fd = openIfThere(kernel, 'program', id);
  return `${fd === undefined ? '' : fullProgramName(kernel, fd)}/prog_id:${id}`;
}

function indented(document: Json): string {
  return jsonText(document, { indent: 2 });
}
