import { struct, u32 } from '../../binary/index.ts';
import type { Btf } from '../../btf/index.ts';
import { errno, permissionError, readInfo, type Fd, type Kernel } from '../../sys/index.ts';
import { bpf_prog_info } from '../../uapi/index.ts';
import { readBtfById, readLines, type LoadedLine } from '../objects/index.ts';

const FunctionRecord = struct('bpf_func_info', { insn_off: u32, type_id: u32 });

/** A function as machine code. */
export interface JitedFunction {
  /** Where it is; 0n where the kernel does not tell. */
  readonly address: bigint;
  /** A copy. */
  readonly code: Uint8Array;
  /** Its type in the program's BTF; undefined without one. */
  readonly typeId: number | undefined;
  /** Where lines of the source begin: the index is that of a byte of the code. Empty where the kernel does not tell. */
  readonly lines: readonly LoadedLine[];
}

/**
 * What the kernel's compiler made of a program, function by function; empty where it is interpreted. Linux 4.18.
 *
 * @throws PermissionError where the kernel does not give it away, BtfError, SyscallError
 */
export function readJitedProgram(
  kernel: Kernel,
  fd: Fd,
): { readonly functions: readonly JitedFunction[]; readonly btf: Btf | undefined } {
  const sizes = readInfo(kernel, { fd, descriptor: bpf_prog_info });
  const code = new Uint8Array(sizes.jited_prog_len);
  const addresses = new Uint8Array(sizes.nr_jited_ksyms * 8);
  const lengths = new Uint8Array(sizes.nr_jited_func_lens * 4);
  const records = new Uint8Array(sizes.nr_func_info * sizes.func_info_rec_size);
  const lineRecords = new Uint8Array(sizes.nr_line_info * sizes.line_info_rec_size);
  const linePlaces = new Uint8Array(sizes.nr_jited_line_info * sizes.jited_line_info_rec_size);
  const info = readInfo(kernel, {
    fd,
    descriptor: bpf_prog_info,
    fields: {
      jited_prog_len: code.length,
      jited_prog_insns: kernel.addressOf(code),
      nr_jited_ksyms: sizes.nr_jited_ksyms,
      jited_ksyms: kernel.addressOf(addresses),
      nr_jited_func_lens: sizes.nr_jited_func_lens,
      jited_func_lens: kernel.addressOf(lengths),
      nr_func_info: sizes.nr_func_info,
      func_info_rec_size: sizes.func_info_rec_size,
      func_info: kernel.addressOf(records),
      nr_line_info: sizes.nr_line_info,
      line_info_rec_size: sizes.line_info_rec_size,
      line_info: kernel.addressOf(lineRecords),
      nr_jited_line_info: sizes.nr_jited_line_info,
      jited_line_info_rec_size: sizes.jited_line_info_rec_size,
      jited_line_info: kernel.addressOf(linePlaces),
    },
    keep: [code, addresses, lengths, records, lineRecords, linePlaces],
  });
  // The kernel clears the address instead of refusing (bpf_prog_get_info_by_fd() of kernel/bpf/syscall.c).
  if (code.length > 0 && info.jited_prog_insns === 0n) {
    const call = 'bpf(BPF_OBJ_GET_INFO_BY_FD)';
    const doing = `read the machine code of ${fd.description}`;
    throw permissionError({ call, errno: errno.EPERM, doing, needed: ['CAP_BPF', 'CAP_SYS_ADMIN'] });
  }
  const starts = new BigUint64Array(addresses.buffer);
  const btf = info.btf_id === 0 ? undefined : readBtfById(kernel, info.btf_id);
  // The places are one each for the lines, in the same order, and cleared where addresses are hidden.
  const hidden = info.jited_line_info === 0n;
  const lines = btf && !hidden ? readLines(btf, lineRecords, sizes.line_info_rec_size) : [];
  const places = new BigUint64Array(linePlaces.buffer);
  let end = 0;
  const functions = [...new Uint32Array(lengths.buffer)].map((length, index): JitedFunction => {
    const start = end;
    end += length;
    const at = index * sizes.func_info_rec_size;
    const typeId = at < records.length ? FunctionRecord.decode(records, at).type_id : undefined;
    const address = starts[index] ?? 0n;
    return {
      address,
      code: code.slice(start, end),
      typeId,
      lines: linesWithin({ lines, places }, { address, length }),
    };
  });
  return { functions, btf };
}

/** The lines of one function, from its first byte on. */
function linesWithin(
  { lines, places }: { lines: readonly LoadedLine[]; places: BigUint64Array },
  { address, length }: { address: bigint; length: number },
): LoadedLine[] {
  return lines.flatMap((line, index) => {
    const at = Number((places[index] ?? 0n) - address);
    return at >= 0 && at < length ? [{ ...line, index: at }] : [];
  });
}
