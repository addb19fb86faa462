import { bpfError, errno, exchangeBpf, type Kernel } from '../sys/index.ts';
import { bpf_attr_query } from '../uapi/index.ts';

/** A program at a hook, in the order in which they run. */
export interface HookedProgram {
  readonly programId: number;
  /** 0 where no link holds it, and where the kernel does not tell. */
  readonly linkId: number;
  readonly programFlags: number;
  readonly linkFlags: number;
}

export interface HookQuery {
  /** A descriptor of a cgroup, a network namespace or a map of sockets, or the index of an interface. */
  readonly place: { readonly fd: number } | { readonly ifindex: number };
  /** `BPF_TCX_INGRESS`, … */
  readonly attachType: number;
  /** `BPF_F_QUERY_EFFECTIVE` */
  readonly flags?: number;
  /** To follow "Cannot". */
  readonly doing: string;
}

/** What one hook has; `attachFlags` say what cgroups below may do. */
export interface HookAnswer {
  readonly attachFlags: number;
  readonly programs: readonly HookedProgram[];
}

/** More than any hook takes: 64 for cgroups and tcx (kernel/bpf/cgroup.c, include/linux/bpf_mprog.h). */
const ROOM = 1024;

/**
 * No such hook (EINVAL, also for what older kernels do not fill), or nothing of its kind at that place: a map of sockets with a
 * verdict program of the one kind has none of the other, which is EBUSY (sock_map_prog_lookup() of net/core/sock_map.c).
 */
const ABSENT: readonly number[] = [
  ...[errno.EINVAL, errno.ENOENT, errno.EOPNOTSUPP, errno.ENOTSUPP],
  ...[errno.ENODEV, errno.ENOSYS, errno.EBUSY],
];

/**
 * Asks what is attached at a hook (`BPF_PROG_QUERY`, Linux 4.15). Undefined where the kernel has no such hook, or not at that
 * place.
 *
 * @throws PermissionError, SyscallError
 */
export function queryHook(kernel: Kernel, query: HookQuery): HookAnswer | undefined {
  const answer = tryQueryHook(kernel, query);
  if (typeof answer !== 'number') return answer;
  if (ABSENT.includes(-answer)) return undefined;
  throw bpfError({ command: 'BPF_PROG_QUERY', doing: query.doing, needed: ['CAP_NET_ADMIN'] }, answer);
}

/** The same with any refusal as the negated errno. */
export function tryQueryHook(
  kernel: Kernel,
  { place, attachType, flags = 0, doing }: HookQuery,
): HookAnswer | number {
  const [ids, links, programFlags, linkFlags] = [0, 1, 2, 3].map(() => new Uint32Array(ROOM)) as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  const buffers = [ids, links, programFlags, linkFlags].map((array) => new Uint8Array(array.buffer));
  const [idBytes, linkBytes, programFlagBytes, linkFlagBytes] = buffers.map((bytes) =>
    kernel.addressOf(bytes),
  );
  const ofInterface = 'ifindex' in place;
  const call = {
    command: 'BPF_PROG_QUERY',
    attribute: bpf_attr_query,
    fields: {
      ...('fd' in place ? { target_fd: place.fd } : { target_ifindex: place.ifindex }),
      attach_type: attachType,
      query_flags: flags,
      count: ROOM,
      prog_ids: idBytes ?? 0n,
      // Other hooks than those of interfaces refuse what they do not fill (bpf_prog_query() of kernel/bpf/syscall.c).
      ...(ofInterface && {
        link_ids: linkBytes ?? 0n,
        prog_attach_flags: programFlagBytes ?? 0n,
        link_attach_flags: linkFlagBytes ?? 0n,
      }),
    },
    keep: buffers,
    doing,
  } as const;
  const { result, answer } = exchangeBpf(kernel, call);
  if (result < 0) return result;
  const programs = Array.from({ length: answer.count }, (_, index) => ({
    programId: ids[index] ?? 0,
    linkId: links[index] ?? 0,
    programFlags: programFlags[index] ?? 0,
    linkFlags: linkFlags[index] ?? 0,
  }));
  return { attachFlags: answer.attach_flags, programs };
}
