import { struct, u32 } from '../binary/index.ts';
import { readProgramBtf, type BpfProgram } from '../programs/index.ts';
import { readInfo } from '../sys/index.ts';
import { bpf_prog_info } from '../uapi/index.ts';
import type { SlotSettings } from './configuration.ts';
import type { Ranked } from './order.ts';

const FunctionRecord = struct('bpf_func_info', { insn_off: u32, type_id: u32 });

/** A program that takes its turn on an interface. */
export interface Component extends Ranked {
  readonly settings: SlotSettings;
  readonly program: BpfProgram;
  readonly id: number;
}

/** @throws SyscallError, PermissionError from the kernel */
export function describeComponent(
  program: BpfProgram,
  facts: { settings: SlotSettings; installed: boolean },
): Component {
  const { id, tag, loadTime } = program.info();
  return { ...facts, program, id, tag, loadTime, name: functionName(program) };
}

/** The name of the program's function; of the program's own the kernel keeps 15 characters. Needs CAP_SYS_ADMIN. */
function functionName(program: BpfProgram): string {
  const { kernel, fd } = program;
  const { func_info_rec_size: size, nr_func_info: count } = readInfo(kernel, {
    fd,
    descriptor: bpf_prog_info,
  });
  const btf = count === 0 ? undefined : readProgramBtf(program);
  if (!btf) return program.info().name;
  const first = new Uint8Array(size);
  readInfo(kernel, {
    fd,
    descriptor: bpf_prog_info,
    fields: { nr_func_info: 1, func_info_rec_size: size, func_info: kernel.addressOf(first) },
    keep: [first],
  });
  return btf.nameOf(FunctionRecord.decode(first).type_id);
}
