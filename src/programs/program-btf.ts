import { Btf } from '../btf/index.ts';
import { openBpf, readInfo } from '../sys/index.ts';
import { bpf_attr_get_id, bpf_btf_info } from '../uapi/index.ts';
import type { BpfProgram } from './program.ts';

/**
 * The types that a loaded program came with; undefined for one without. Needs CAP_SYS_ADMIN, as everything that is
 * opened by id.
 *
 * @throws PermissionError, SyscallError, BtfError
 */
export function readProgramBtf(program: BpfProgram): Btf | undefined {
  const { kernel } = program;
  const { btfId } = program.info();
  if (btfId === 0) return undefined;
  using fd = openBpf(kernel, {
    command: 'BPF_BTF_GET_FD_BY_ID',
    attribute: bpf_attr_get_id,
    fields: { btf_id: btfId },
    doing: `open the BTF of program ${program.name}`,
    description: `BTF ${btfId}`,
  });
  const { btf_size: size } = readInfo(kernel, { fd, descriptor: bpf_btf_info });
  const bytes = new Uint8Array(size);
  readInfo(kernel, {
    fd,
    descriptor: bpf_btf_info,
    fields: { btf: kernel.addressOf(bytes), btf_size: size },
    keep: [bytes],
  });
  return Btf.parse(bytes);
}
