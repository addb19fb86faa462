import { bpfError, errno, exchangeBpf, type Kernel } from '../../sys/index.ts';
import { bpf_attr_task_fd_query } from '../../uapi/index.ts';
import type { PerfEventHolder } from './holder.ts';
import type { OpenDescriptor } from './processes.ts';
import type { Search } from './search.ts';

/** `enum bpf_task_fd_type` */
const types = ['raw_tracepoint', 'tracepoint', 'kprobe', 'kretprobe', 'uprobe', 'uretprobe'] as const;
const LONGEST_TARGET = 4096;
/**
 * No program on the event (ENOENT), a program of type perf_event (EOPNOTSUPP, bpf_get_perf_event_info() of
 * kernel/trace/bpf_trace.c), a process or descriptor that went away, or kernels before 4.18 (EINVAL).
 */
const untold: readonly number[] = [
  errno.ENOENT,
  errno.EOPNOTSUPP,
  errno.ENOTSUPP,
  errno.ESRCH,
  errno.EBADF,
  errno.EINVAL,
];

/** Perf events that processes have open with the program on them. Linux 4.18. @throws PermissionError, SyscallError */
export function perfEventHolders({ kernel, held, processes }: Search): PerfEventHolder[] {
  if (held.kind !== 'program') return [];
  return processes.descriptors.flatMap((descriptor): PerfEventHolder[] => {
    if (descriptor.kind !== 'perf_event') return [];
    const event = ask(kernel, descriptor);
    if (event?.programId !== held.id) return [];
    const { pid, command, fd } = descriptor;
    return [{ kind: 'perf_event', pid, command, fd, type: event.type, target: event.target }];
  });
}

function ask(
  kernel: Kernel,
  { pid, fd }: OpenDescriptor,
): { programId: number; type: string; target: string } | undefined {
  const name = new Uint8Array(LONGEST_TARGET);
  const call = {
    command: 'BPF_TASK_FD_QUERY',
    attribute: bpf_attr_task_fd_query,
    fields: { pid, fd, buf: kernel.addressOf(name), buf_len: name.length },
    keep: [name],
    doing: `ask about descriptor ${String(fd)} of process ${String(pid)}`,
    needed: ['CAP_SYS_ADMIN'],
  } as const;
  const { result, answer } = exchangeBpf(kernel, call);
  if (result < 0 && untold.includes(-result)) return undefined;
  if (result < 0) throw bpfError(call, result);
  const target = Buffer.from(name.subarray(0, Math.max(0, name.indexOf(0)))).toString('utf8');
  return {
    programId: answer.prog_id,
    type: types[answer.fd_type] ?? `type ${String(answer.fd_type)}`,
    target: target === '' && answer.probe_addr !== 0n ? `0x${answer.probe_addr.toString(16)}` : target,
  };
}
