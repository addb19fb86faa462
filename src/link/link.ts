/** What holds a program where it is attached, and so what it takes to end that. */
export type AttachedBy =
  /** A bpf_link: goes with its last descriptor and pin. */
  | 'link'
  /** `BPF_PROG_ATTACH`: stays until it is detached, or until what it is attached to is gone. */
  | 'prog_attach'
  /** Route netlink: stays until it is detached, or until the interface is gone. */
  | 'netlink'
  /** A slot of an XDP dispatcher: stays until it is detached, or until the interface is gone. */
  | 'dispatcher'
  /** A perf event, which this process has open. */
  | 'perf_event'
  /** A socket option: goes with the socket. */
  | 'socket';

/** What every attachment of a program has in common. */
export interface Link {
  /** `xdp`, `tcx`, `cgroup`, `tracepoint`, … */
  readonly kind: string;
  readonly via: AttachedBy;
  /** The id of the bpf_link; undefined for attachments that are none. */
  readonly id: number | undefined;
  /** Where it is attached, for people: `eth0`, `/sys/fs/cgroup/web`, `sched/sched_switch`. */
  readonly target: string;
  readonly closed: boolean;
  /**
   * False once somebody else has detached it, or what it was attached to is gone. Asks the kernel, unless nothing but its
   * holders can end it. Of netfilter links the kernel does not tell: true. @throws ClosedError
   */
  readonly attached: boolean;
  /** Keeps the attachment in a bpf file system, beyond this process. @throws PinExistsError, ArgumentError */
  pin(path: string): void;
  /** Ends the attachment, unless it is pinned. Idempotent. */
  close(): void;
  /** Ends this handle and leaves the program attached as far as the kernel allows: pinned, or held by no handle. */
  leave(): void;
  [Symbol.dispose](): void;
}
