import { AttachError } from '../errors.ts';
import type { BpfProgram } from '../programs/index.ts';
import {
  bpfError,
  describeErrno,
  errno,
  pinDescriptor,
  systemKernel,
  Fd,
  type Kernel,
  unpinDescriptor,
} from '../sys/index.ts';
import type { bpf_link_info } from '../uapi/index.ts';
import { Attachment } from './attachment.ts';
import {
  forceDetach,
  linkPlace,
  openLinkById,
  openPinnedLink,
  readLinkInfo,
  tryUpdateLink,
} from './bpf-link.ts';
import { linkInfo, type LinkInfo } from './link-info.ts';

export interface BpfLinkFacts {
  readonly kernel: Kernel;
  /** `tcx`, `cgroup`, `tracepoint`, … */
  readonly kind: string;
  /** Where it is attached, for people. */
  readonly target: string;
}

/**
 * A program attached by a bpf_link, of whichever kind. The kernel detaches it when its last descriptor and pin are
 * gone, so that nothing stays behind when the process ends.
 */
export class BpfLink extends Attachment {
  override readonly kind: string;
  override readonly via = 'link';
  override readonly id: number;
  readonly kernel: Kernel;
  readonly #fd: Fd;
  /** Whether the kernel tells of links of this type that they are detached. */
  readonly #tells: boolean;

  /** Takes over `fd`, also where it throws: then the link is closed. */
  constructor(fd: Fd, facts: BpfLinkFacts) {
    let info: bpf_link_info;
    try {
      info = readLinkInfo(facts.kernel, fd);
    } catch (error) {
      fd.close();
      throw error;
    }
    super(facts.target);
    this.kind = facts.kind;
    this.id = info.id;
    this.#tells = linkPlace(info) !== undefined;
    this.kernel = facts.kernel;
    this.#fd = fd;
  }

  /** Opens a pinned link. Linux 5.7. @throws NotFoundError (PIN_NOT_FOUND), PermissionError */
  static fromPin(path: string, facts: { kernel?: Kernel } = {}): BpfLink {
    const kernel = facts.kernel ?? systemKernel();
    return adopt(openPinnedLink(path, kernel), kernel);
  }

  /** Opens a link of this kernel. Linux 5.8. Needs CAP_SYS_ADMIN. */
  static fromId(id: number, facts: { kernel?: Kernel } = {}): BpfLink {
    const kernel = facts.kernel ?? systemKernel();
    return adopt(openLinkById(id, kernel), kernel);
  }

  override get attached(): boolean {
    this.checkOpen();
    return !this.#tells || Number(linkPlace(readLinkInfo(this.kernel, this.#fd))) !== 0;
  }

  /** What the kernel tells of it now. @throws ClosedError */
  info(): LinkInfo {
    this.checkOpen();
    return linkInfo(this.kernel, this.#fd);
  }

  override pin(path: string): void {
    this.checkOpen();
    pinDescriptor(this.kernel, { fd: this.#fd, path });
  }

  /**
   * Removes a pin of this link; the link stays while anything else holds it.
   *
   * @throws NotFoundError (PIN_NOT_FOUND) where nothing, or something else, is pinned there; it stays then
   */
  unpin(path: string): void {
    this.checkOpen();
    unpinDescriptor(this.kernel, { fd: this.#fd, path, what: 'link' });
  }

  /**
   * Puts another program in this one's place, without a moment in which none is attached (`BPF_LINK_UPDATE`, Linux
   * 5.7). The kernel can for cgroup, netns, XDP, iterator, tcx, netkit, netfilter and sockmap links.
   *
   * @throws AttachError: ATTACH_CHANGED where `expected` is given and another program is there, or what it was
   * attached to is gone; ATTACH_REFUSED where the kernel cannot, or the program is of another type
   */
  update(program: BpfProgram, options: { readonly expected?: BpfProgram } = {}): void {
    this.checkOpen();
    const result = tryUpdateLink(this.kernel, {
      link: this.#fd,
      program: program.fd,
      expected: options.expected?.fd,
    });
    if (result < 0) throw this.#updateRefused(program, { result, expected: options.expected });
  }

  /** Takes the program away although the link is pinned or held by others (`BPF_LINK_DETACH`, Linux 5.9). */
  forceDetach(): void {
    this.checkOpen();
    forceDetach(this.kernel, this.#fd);
  }

  protected override detach(): void {
    this.#fd.close();
  }

  protected override letBe(): void {
    this.#fd.close();
  }

  /** Gives the descriptor up to a new owner: this handle counts as closed from now on. */
  release(): Fd {
    this.checkOpen();
    const number = this.#fd.release();
    this.leave();
    return new Fd(this.kernel, number, this.#fd.description);
  }

  /** For commands on the link: iterators are read through it. @throws ClosedError */
  get fd(): Fd {
    this.checkOpen();
    return this.#fd;
  }

  #updateRefused(
    program: BpfProgram,
    { result, expected }: { result: number; expected: BpfProgram | undefined },
  ): Error {
    const doing = `put ${program.name} in the place of the program at ${this.target}`;
    if (expected && result === -errno.EPERM) {
      const why = `another program than ${expected.name} is there`;
      return new AttachError('ATTACH_CHANGED', this.target, `Cannot ${doing}: ${why}`);
    }
    if (result === -errno.ENOLINK) {
      const why = 'what it was attached to is gone';
      return new AttachError('ATTACH_CHANGED', this.target, `Cannot ${doing}: ${why}`);
    }
    if (result === -errno.EINVAL || result === -errno.EOPNOTSUPP) {
      const why = `the kernel refuses it with ${describeErrno(result)}`;
      return new AttachError('ATTACH_REFUSED', this.target, `Cannot ${doing}: ${why}`, {
        hint: `the program must be of the type and attach type of the one there, and links of kind ${this.kind} be replaceable`,
      });
    }
    return bpfError({ command: 'BPF_LINK_UPDATE', doing }, result);
  }
}

function adopt(fd: Fd, kernel: Kernel): BpfLink {
  let info: LinkInfo;
  try {
    info = linkInfo(kernel, fd);
  } catch (error) {
    fd.close();
    throw error;
  }
  return new BpfLink(fd, { kernel, kind: info.kind, target: describe(info) });
}

/** Where a link that somebody made is attached, by what the kernel tells of it. */
function describe(info: LinkInfo): string {
  switch (info.kind) {
    case 'raw_tracepoint':
      return info.tracepoint;
    case 'tracing':
      return `${info.attachType} of BTF id ${String(info.targetBtfId)}`;
    case 'cgroup':
      return `cgroup ${info.cgroupId.toString()}`;
    case 'iter':
      return info.target;
    case 'netns':
      return `network namespace ${String(info.inode)}`;
    case 'xdp':
    case 'tcx':
    case 'netkit':
      return `interface ${String(info.ifindex)}`;
    case 'struct_ops':
    case 'sockmap':
      return `map ${String(info.mapId)}`;
    case 'uprobe_multi':
      return info.path;
    case 'kprobe_multi':
      return `${String(info.count)} functions`;
    case 'netfilter':
      return `netfilter hook ${String(info.hook)}`;
    case 'perf_event':
      return describeEvent(info);
    default:
      return `link ${String(info.id)}`;
  }
}

function describeEvent(info: Extract<LinkInfo, { kind: 'perf_event' }>): string {
  if (info.event === 'tracepoint') return info.tracepoint;
  if (info.event === 'kprobe' || info.event === 'kretprobe') return info.function;
  if (info.event === 'uprobe' || info.event === 'uretprobe')
    return `${info.path}+0x${info.offset.toString(16)}`;
  return 'a perf event';
}
