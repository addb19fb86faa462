import { bpfError, errno, exchangeBpf, type Kernel } from '../../sys/index.ts';
import { bpf_attr_query } from '../../uapi/index.ts';

/** Programs that are attached somewhere: their ids, and those of the links that hold them, 0 where none does. */
export interface AttachedPrograms {
  readonly programIds: readonly number[];
  /** Empty where the kernel does not tell. */
  readonly linkIds: readonly number[];
}

export interface ProgramQuery {
  /** A descriptor of a cgroup, a map or a network namespace, or the index of an interface. */
  readonly target: { readonly fd: number } | { readonly ifindex: number };
  readonly attachType: number;
  /** Whether the kernel tells the links of this kind (tcx and netkit). @default false */
  readonly withLinks?: boolean;
}

const NONE: AttachedPrograms = { programIds: [], linkIds: [] };
/** No such attach type or target, on kernels before it and on what went away. */
const absent: readonly number[] = [
  errno.EINVAL,
  errno.ENOENT,
  errno.ENODEV,
  errno.EOPNOTSUPP,
  errno.ENOTSUPP,
  errno.E2BIG,
];
/** More than the kernel lets there be in one place (BPF_CGROUP_MAX_PROGS, BPF_MPROG_MAX: 64). */
const CAPACITY = 128;

/** BPF_PROG_QUERY. Linux 4.15. @throws PermissionError, SyscallError */
export function queryPrograms(kernel: Kernel, query: ProgramQuery): AttachedPrograms {
  const { target, attachType, withLinks = false } = query;
  const programIds = new Uint32Array(CAPACITY);
  const linkIds = new Uint32Array(CAPACITY);
  const [programBytes, linkBytes] = [new Uint8Array(programIds.buffer), new Uint8Array(linkIds.buffer)];
  const call = {
    command: 'BPF_PROG_QUERY',
    attribute: bpf_attr_query,
    fields: {
      ...('fd' in target ? { target_fd: target.fd } : { target_ifindex: target.ifindex }),
      attach_type: attachType,
      prog_ids: kernel.addressOf(programBytes),
      count: CAPACITY,
      ...(withLinks && { link_ids: kernel.addressOf(linkBytes) }),
    },
    keep: [programBytes, linkBytes],
    doing: 'ask which programs are attached',
    needed: ['CAP_NET_ADMIN'],
  } as const;
  const { result, answer } = exchangeBpf(kernel, call);
  if (result < 0 && absent.includes(-result)) return NONE;
  if (result < 0) throw bpfError(call, result);
  return {
    programIds: [...programIds.subarray(0, answer.count)],
    linkIds: withLinks ? [...linkIds.subarray(0, answer.count)] : [],
  };
}
