import type { StructType } from '../binary/index.ts';
import { bpf_attr_info } from '../uapi/index.ts';
import { SyscallError } from '../errors.ts';
import { callBpf } from './bpf.ts';
import { errno } from './errno.ts';
import type { Fd } from './fd.ts';
import type { Kernel } from './kernel.ts';

export interface InfoRequest<Info extends object> {
  readonly fd: Fd;
  /** `bpf_map_info`, `bpf_prog_info`, … */
  readonly descriptor: StructType<Info>;
  /** What the kernel reads from the struct: addresses and lengths of buffers that it is to fill. */
  readonly fields?: Partial<Info> | undefined;
  /** Those buffers. */
  readonly keep?: readonly Uint8Array[] | undefined;
}

/**
 * BPF_OBJ_GET_INFO_BY_FD. A kernel that knows fewer fields leaves the rest zero; one that knows more leaves them out.
 * Linux 4.13.
 */
export function readInfo<Info extends object>(kernel: Kernel, request: InfoRequest<Info>): Info {
  const { fd, descriptor, fields = {}, keep = [] } = request;
  const info = descriptor.encode(fields);
  callBpf(kernel, {
    command: 'BPF_OBJ_GET_INFO_BY_FD',
    attribute: bpf_attr_info,
    fields: { bpf_fd: fd.value, info_len: info.length, info: kernel.addressOf(info) },
    keep: [info, ...keep],
    doing: `read the ${descriptor.name} of ${fd.description}`,
  });
  return descriptor.decode(info);
}

/**
 * The same with `fields` that older kernels do not have: undefined there. What lies past the end of the kernel's own struct
 * must be zero (bpf_check_uarg_tail_zero() in kernel/bpf/syscall.c), which is E2BIG otherwise.
 */
export function tryReadInfo<Info extends object>(
  kernel: Kernel,
  request: InfoRequest<Info>,
): Info | undefined {
  try {
    return readInfo(kernel, request);
  } catch (error) {
    if (error instanceof SyscallError && error.errno === errno.E2BIG) return undefined;
    throw error;
  }
}
