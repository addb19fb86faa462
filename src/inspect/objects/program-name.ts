import { struct, u32 } from '../../binary/index.ts';
import { readInfo, type Fd, type Kernel } from '../../sys/index.ts';
import { bpf_prog_info } from '../../uapi/index.ts';
import { readBtfById } from './btf-objects.ts';
import { LONGEST_NAME } from './selector.ts';

const FunctionRecord = struct('bpf_func_info', { insn_off: u32, type_id: u32 });

/**
 * The name of a program as its source has it: the kernel cuts it to 15 characters, and the function that the program begins
 * with has the whole in its BTF (Linux 5.0).
 *
 * @throws PermissionError, SyscallError, BtfError
 */
export function fullProgramName(kernel: Kernel, fd: Fd): string {
  const { name, btf_id, nr_func_info, func_info_rec_size } = readInfo(kernel, {
    fd,
    descriptor: bpf_prog_info,
  });
  if (name.length < LONGEST_NAME || btf_id === 0 || nr_func_info === 0) return name;
  const record = new Uint8Array(func_info_rec_size);
  readInfo(kernel, {
    fd,
    descriptor: bpf_prog_info,
    fields: { nr_func_info: 1, func_info_rec_size, func_info: kernel.addressOf(record) },
    keep: [record],
  });
  const btf = readBtfById(kernel, btf_id);
  const full = btf.nameOf(FunctionRecord.decode(record).type_id);
  // A program that was given another name than its function's keeps it.
  return full.startsWith(name) ? full : name;
}
