import { SyscallError } from '../../errors.ts';
import { linkInfo } from '../../link/index.ts';
import { programTypeName, readProgramInfo, type BpfProgram } from '../../programs/index.ts';
import { bpfError, errno, errnoName, openIfThere, type Fd, type Kernel } from '../../sys/index.ts';

/** Types without update_prog in their struct bpf_link_ops (link_update() of kernel/bpf/syscall.c answers EINVAL). */
const FIXED: readonly string[] = ['raw_tracepoint', 'tracing', 'perf_event', 'kprobe_multi', 'uprobe_multi'];

/** Why the kernel put no other program under a link, of which it says EINVAL alone. `result` is the negated errno. */
export function updateRefused(
  kernel: Kernel,
  { link, program, result }: { link: Fd; program: BpfProgram; result: number },
): Error {
  const doing = `put ${program.fd.description} under ${link.description}`;
  const why = reason(kernel, { link, program, result });
  if (why === undefined) return bpfError({ command: 'BPF_LINK_UPDATE', doing }, result);
  const name = errnoName(result);
  return new SyscallError('bpf(BPF_LINK_UPDATE)', -result, name, `Cannot ${doing}: ${why} (${name})`);
}

function reason(
  kernel: Kernel,
  { link, program, result }: { link: Fd; program: BpfProgram; result: number },
): string | undefined {
  if (result === -errno.ENOLINK) return 'it is detached';
  if (result !== -errno.EINVAL && result !== -errno.EOPNOTSUPP) return undefined;
  const { kind, programId } = linkInfo(kernel, link);
  if (kind === 'struct_ops') return 'links of type struct_ops have a map and no program';
  if (FIXED.includes(kind) || result === -errno.EOPNOTSUPP)
    return `links of type ${kind} keep the program that they were made with`;
  const [own, given] = [typeOf(kernel, programId), programTypeName(program.type)];
  if (own === undefined) return undefined;
  return own === given
    ? `the program was loaded for another hook than program ${programId}`
    : `the program is of type ${given}, and the link wants ${own}`;
}

function typeOf(kernel: Kernel, id: number): string | undefined {
  using fd = openIfThere(kernel, 'program', id);
  return fd && programTypeName(readProgramInfo(kernel, fd).type);
}
