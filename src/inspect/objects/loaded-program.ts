import { struct, u32, type StructType } from '../../binary/index.ts';
import type { Btf } from '../../btf/index.ts';
import { openIfThere, errno, permissionError, readInfo, type Fd, type Kernel } from '../../sys/index.ts';
import { bpf_map_info, bpf_prog_info } from '../../uapi/index.ts';
import { readBtfById } from './btf-objects.ts';

const FunctionRecord = struct('bpf_func_info', { insn_off: u32, type_id: u32 });
const LineRecord = struct('bpf_line_info', {
  insn_off: u32,
  file_name_off: u32,
  line_off: u32,
  line_col: u32,
});

/** A function of a loaded program: instructions count from the start of the program. */
export interface LoadedFunction {
  readonly index: number;
  readonly name: string;
  /** In the program's BTF. */
  readonly typeId: number;
}

/** Where a line of the source begins. */
export interface LoadedLine {
  readonly index: number;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** A program as the verifier left it. */
export interface LoadedProgram {
  readonly id: number;
  readonly name: string;
  readonly tag: string;
  /** With ids of maps where descriptors were, and addresses relative to `__bpf_call_base` where numbers of helpers were. */
  readonly instructions: Uint8Array;
  /** In the order of instructions; the program itself is the first. */
  readonly functions: readonly LoadedFunction[];
  readonly lines: readonly LoadedLine[];
  /** Names of the maps by id; one that went away is not among them. */
  readonly maps: ReadonlyMap<number, string>;
  /** Undefined for a program that was loaded without. */
  readonly btf: Btf | undefined;
  /** Where the functions are as machine code; empty where they are interpreted, or the kernel hides it. */
  readonly addresses: readonly bigint[];
}

/**
 * The instructions of a program in the kernel, its functions, lines and maps. Linux 4.15; functions 5.0, lines 5.0.
 *
 * @throws PermissionError where the kernel does not give the instructions away, BtfError, SyscallError
 */
export function readLoadedProgram(kernel: Kernel, fd: Fd): LoadedProgram {
  const sizes = readInfo(kernel, { fd, descriptor: bpf_prog_info });
  const instructions = new Uint8Array(sizes.xlated_prog_len);
  const mapIds = new Uint8Array(sizes.nr_map_ids * 4);
  const functions = new Uint8Array(sizes.nr_func_info * sizes.func_info_rec_size);
  const lines = new Uint8Array(sizes.nr_line_info * sizes.line_info_rec_size);
  const addresses = new Uint8Array(sizes.nr_jited_ksyms * 8);
  const info = readInfo(kernel, {
    fd,
    descriptor: bpf_prog_info,
    fields: {
      xlated_prog_len: instructions.length,
      xlated_prog_insns: kernel.addressOf(instructions),
      nr_map_ids: sizes.nr_map_ids,
      map_ids: kernel.addressOf(mapIds),
      nr_func_info: sizes.nr_func_info,
      func_info_rec_size: sizes.func_info_rec_size,
      func_info: kernel.addressOf(functions),
      nr_line_info: sizes.nr_line_info,
      line_info_rec_size: sizes.line_info_rec_size,
      line_info: kernel.addressOf(lines),
      nr_jited_ksyms: sizes.nr_jited_ksyms,
      jited_ksyms: kernel.addressOf(addresses),
    },
    keep: [instructions, mapIds, functions, lines, addresses],
  });
  // The kernel clears the address instead of refusing (bpf_prog_get_info_by_fd() of kernel/bpf/syscall.c).
  if (info.xlated_prog_insns === 0n) throw withheld(fd);
  const btf = info.btf_id === 0 ? undefined : readBtfById(kernel, info.btf_id);
  return {
    id: info.id,
    name: info.name,
    tag: Buffer.from(info.tag).toString('hex'),
    instructions,
    functions: btf ? readFunctions(btf, functions, sizes.func_info_rec_size) : [],
    lines: btf ? readLines(btf, lines, sizes.line_info_rec_size) : [],
    maps: mapNames(kernel, mapIds),
    btf,
    // As with the instructions, the address is cleared where the kernel does not tell.
    addresses: info.jited_ksyms === 0n ? [] : [...new BigUint64Array(addresses.buffer)],
  };
}

function withheld(fd: Fd): Error {
  const call = 'bpf(BPF_OBJ_GET_INFO_BY_FD)';
  const doing = `read the instructions of ${fd.description}`;
  return permissionError({ call, errno: errno.EPERM, doing, needed: ['CAP_BPF', 'CAP_SYS_ADMIN'] });
}

function readFunctions(btf: Btf, bytes: Uint8Array, size: number): LoadedFunction[] {
  return records(FunctionRecord, bytes, size).map((record) => ({
    index: record.insn_off,
    name: btf.nameOf(record.type_id),
    typeId: record.type_id,
  }));
}

/** What `bpf_prog_info.line_info` says, in its order. */
export function readLines(btf: Btf, bytes: Uint8Array, size: number): LoadedLine[] {
  return records(LineRecord, bytes, size).map((record) => ({
    index: record.insn_off,
    file: btf.string(record.file_name_off),
    text: btf.string(record.line_off),
    // BPF_LINE_INFO_LINE_NUM and BPF_LINE_INFO_LINE_COL of include/uapi/linux/bpf.h.
    line: record.line_col >>> 10,
    column: record.line_col & 0x3ff,
  }));
}

function records<Value>(descriptor: StructType<Value>, bytes: Uint8Array, size: number): Value[] {
  const count = size === 0 ? 0 : bytes.length / size;
  return Array.from({ length: count }, (_, index) => descriptor.decode(bytes, index * size));
}

function mapNames(kernel: Kernel, ids: Uint8Array): Map<number, string> {
  const names = new Map<number, string>();
  const view = new DataView(ids.buffer);
  for (let at = 0; at < ids.length; at += 4) {
    const id = view.getUint32(at, true);
    const fd = openIfThere(kernel, 'map', id);
    if (fd === undefined) continue;
    try {
      names.set(id, readInfo(kernel, { fd, descriptor: bpf_map_info }).name);
    } finally {
      fd.close();
    }
  }
  return names;
}
