import { readdirSync, readlinkSync } from 'node:fs';
import { bpfError, errno, exchangeBpf, type Kernel } from '../../sys/index.ts';
import {
  BPF_FD_TYPE_KPROBE,
  BPF_FD_TYPE_KRETPROBE,
  BPF_FD_TYPE_RAW_TRACEPOINT,
  BPF_FD_TYPE_TRACEPOINT,
  BPF_FD_TYPE_UPROBE,
  BPF_FD_TYPE_URETPROBE,
  bpf_attr_task_fd_query,
} from '../../uapi/index.ts';
import { unlessGone } from '../unless-gone.ts';

/** A descriptor of a process by which a program is attached to an event. */
export interface TaskEvent {
  readonly pid: number;
  readonly fd: number;
  readonly programId: number;
  readonly kind:
    'raw_tracepoint' | 'tracepoint' | 'kprobe' | 'kretprobe' | 'uprobe' | 'uretprobe' | 'unknown';
  /** The tracepoint, the function or the file; empty for a kprobe by address. */
  readonly name: string;
  readonly offset: bigint;
  readonly address: bigint;
}

const KINDS: Readonly<Record<number, TaskEvent['kind']>> = {
  [BPF_FD_TYPE_RAW_TRACEPOINT]: 'raw_tracepoint',
  [BPF_FD_TYPE_TRACEPOINT]: 'tracepoint',
  [BPF_FD_TYPE_KPROBE]: 'kprobe',
  [BPF_FD_TYPE_KRETPROBE]: 'kretprobe',
  [BPF_FD_TYPE_UPROBE]: 'uprobe',
  [BPF_FD_TYPE_URETPROBE]: 'uretprobe',
};
const PATH_MAX = 4096;
const NO_DESCRIPTOR = 0x7fff_ffff;
/**
 * No program on the event (ENOENT), a program of type perf_event (EOPNOTSUPP, bpf_get_perf_event_info() of
 * kernel/trace/bpf_trace.c), a descriptor of something else (ENOTSUPP), a process or descriptor that went away, or kernels
 * before 4.18 (EINVAL).
 */
const UNTOLD: readonly number[] = [
  ...[errno.ENOENT, errno.EOPNOTSUPP, errno.ENOTSUPP, errno.ESRCH],
  ...[errno.EBADF, errno.EINVAL, errno.ENOSYS],
];
/** What can be such a descriptor; all others need not be asked about. */
const LINKS = [
  'anon_inode:[perf_event]',
  'anon_inode:bpf-raw-tracepoint',
  'anon_inode:bpf_link',
  'anon_inode:bpf-link',
];

/**
 * The descriptors of all processes that attach a program to a tracepoint, kprobe or uprobe (`BPF_TASK_FD_QUERY`, Linux
 * 4.18). Needs CAP_SYS_ADMIN.
 *
 * @throws PermissionError, SyscallError
 */
export function listTaskEvents(kernel: Kernel): TaskEvent[] {
  // Without the capability /proc hides the descriptors, so that nothing would be asked: the kernel refuses before it looks for one.
  queryTaskEvent(kernel, { pid: process.pid, fd: NO_DESCRIPTOR });
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return pids.flatMap((pid) => descriptorsOf(pid).flatMap((fd) => queryTaskEvent(kernel, { pid, fd }) ?? []));
}

function descriptorsOf(pid: number): number[] {
  const folder = `/proc/${pid}/fd`;
  const names = unlessGone(() => readdirSync(folder)) ?? [];
  return names
    .filter((name) => LINKS.includes(unlessGone(() => readlinkSync(`${folder}/${name}`)) ?? ''))
    .map(Number);
}

/**
 * What is attached by one descriptor of a process. Undefined where that is nothing, or no longer there.
 *
 * @throws PermissionError, SyscallError
 */
export function queryTaskEvent(
  kernel: Kernel,
  { pid, fd }: { pid: number; fd: number },
): TaskEvent | undefined {
  const name = new Uint8Array(PATH_MAX);
  const call = {
    command: 'BPF_TASK_FD_QUERY',
    attribute: bpf_attr_task_fd_query,
    fields: { pid, fd, buf: kernel.addressOf(name), buf_len: name.length },
    keep: [name],
    doing: 'list the events that programs are attached to',
    needed: ['CAP_SYS_ADMIN'],
  } as const;
  const { result, answer } = exchangeBpf(kernel, call);
  if (UNTOLD.includes(-result)) return undefined;
  if (result < 0) throw bpfError(call, result);
  return {
    pid,
    fd,
    programId: answer.prog_id,
    kind: KINDS[answer.fd_type] ?? 'unknown',
    name: new TextDecoder().decode(name.subarray(0, Math.max(0, name.indexOf(0)))),
    offset: answer.probe_offset,
    address: answer.probe_addr,
  };
}
