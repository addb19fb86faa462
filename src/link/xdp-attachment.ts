import { ArgumentError, AttachError, ClosedError, NetlinkError } from '../errors.ts';
import type { RouteSocket } from '../netlink/index.ts';
import { interfaceByIndex, setXdpProgram, tryInterfaceByIndex } from '../netlink/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import { errnoName, pinDescriptor, type Fd } from '../sys/index.ts';
import { findXdpLink, forceDetach, readLinkInfo, tryUpdateLink } from './bpf-link.ts';
import { Attachment } from './attachment.ts';
import type { XdpMode } from './xdp-mode.ts';
import type { XdpRefusal } from './xdp-refusal.ts';

/** How an attachment is held: by a bpf_link, which goes with its last holder, or by netlink, which stays. */
export type XdpVia = 'link' | 'netlink';

export interface XdpFacts {
  readonly target: string;
  readonly ifindex: number;
  /** The mode that won. */
  readonly mode: XdpMode;
  /** Modes that were tried before and refused, and why. */
  readonly refusals: readonly XdpRefusal[];
}

/** An XDP program on a network interface. Made by {@link attachXdp}. */
export abstract class XdpAttachment extends Attachment implements XdpFacts {
  override readonly kind = 'xdp';
  readonly ifindex: number;
  readonly mode: XdpMode;
  readonly refusals: readonly XdpRefusal[];
  abstract override readonly via: XdpVia;

  constructor(facts: XdpFacts) {
    super(facts.target);
    this.ifindex = facts.ifindex;
    this.mode = facts.mode;
    this.refusals = facts.refusals;
  }

  /** Puts another program in this one's place, without a gap. */
  abstract update(program: BpfProgram): void;

  protected override checkOpen(): void {
    if (this.closed) throw new ClosedError(`the XDP attachment on ${this.target}`);
  }
}

/** XDP by `bpf_link` (Linux 5.9). The kernel detaches it when its last descriptor and pin are gone. */
export class XdpLink extends XdpAttachment {
  readonly via = 'link';
  readonly #fd: Fd;
  #program: BpfProgram;
  /** What was under the link before, where the link is somebody else's. */
  readonly #previous: BpfProgram | undefined;
  readonly #id: number;

  /** Takes over `fd`, also where it throws: then the link is closed. */
  constructor(fd: Fd, facts: XdpFacts & { program: BpfProgram; previous?: BpfProgram | undefined }) {
    let program: BpfProgram | undefined;
    let id: number;
    try {
      ({ id } = readLinkInfo(facts.program.kernel, fd));
      program = facts.program.duplicate();
    } catch (error) {
      fd.close();
      throw error;
    }
    super(facts);
    this.#fd = fd;
    this.#program = program;
    this.#previous = facts.previous;
    this.#id = id;
  }

  override get id(): number {
    return this.#id;
  }

  override get attached(): boolean {
    this.checkOpen();
    return readLinkInfo(this.#program.kernel, this.#fd).xdp.ifindex !== 0;
  }

  override pin(path: string): void {
    this.checkOpen();
    pinDescriptor(this.#program.kernel, { fd: this.#fd, path });
  }

  override update(program: BpfProgram): void {
    this.checkOpen();
    const { kernel } = this.#program;
    const next = program.duplicate();
    const result = tryUpdateLink(kernel, { link: this.#fd, program: next.fd, expected: undefined });
    if (result < 0) {
      next.close();
      throw updateRefused(this.target, result);
    }
    this.#program.close();
    this.#program = next;
  }

  protected override detach(): void {
    const { kernel } = this.#program;
    if (this.#previous) {
      // Somebody else's link: what was there before comes back, unless it was replaced meanwhile.
      tryUpdateLink(kernel, { link: this.#fd, program: this.#previous.fd, expected: this.#program.fd });
      this.#previous.close();
    }
    this.#program.close();
    this.#fd.close();
  }

  protected override letBe(): void {
    this.#previous?.close();
    this.#program.close();
    this.#fd.close();
  }

  /** Detaches even where the link is pinned or others hold it. Linux 5.9. */
  forceDetach(): void {
    this.checkOpen();
    forceDetach(this.#program.kernel, this.#fd);
  }
}

/**
 * XDP by netlink, for kernels before 5.9 and for whoever wants the program to stay: nothing detaches it but
 * {@link close}, `ip link set dev NAME xdp off`, or the end of the interface.
 */
export class XdpNetlinkAttachment extends XdpAttachment {
  readonly via = 'netlink';
  override readonly id = undefined;
  readonly #socket: RouteSocket;
  #program: BpfProgram;

  constructor(socket: RouteSocket, facts: XdpFacts & { program: BpfProgram }) {
    super(facts);
    this.#socket = socket;
    this.#program = facts.program.duplicate();
  }

  override get attached(): boolean {
    this.checkOpen();
    const device = tryInterfaceByIndex(this.#socket, this.ifindex);
    return device?.xdp.programs[this.mode] === this.#program.id;
  }

  override pin(path: string): void {
    throw new ArgumentError(
      'via',
      `Cannot pin the attachment on ${this.target} to ${path}: it was made by netlink`,
      {
        hint: 'it stays without a pin, until it is detached; only a bpf_link can be pinned',
      },
    );
  }

  override update(program: BpfProgram): void {
    this.checkOpen();
    const { ifindex, mode } = this;
    const next = program.duplicate();
    try {
      const expectedFd = this.#program.fd.value;
      setXdpProgram(this.#socket, { ifindex, mode, programFd: next.fd.value, expectedFd });
    } catch (error) {
      next.close();
      throw error;
    }
    this.#program.close();
    this.#program = next;
  }

  protected override detach(): void {
    const { ifindex, mode } = this;
    try {
      setXdpProgram(this.#socket, { ifindex, mode, programFd: -1, expectedFd: this.#program.fd.value });
    } catch (error) {
      if (!isGone(error) && !this.#isReplacedByLink(error)) throw error;
    } finally {
      this.letBe();
    }
  }

  /** A link in the place answers EBUSY whoever asks (dev_xdp_attach() of net/core/dev.c): ours went before it came. */
  #isReplacedByLink(error: unknown): boolean {
    if (!(error instanceof NetlinkError) || error.errnoName !== 'EBUSY') return false;
    const { xdp } = interfaceByIndex(this.#socket, this.ifindex);
    const there = xdp.programs[this.mode];
    return there !== this.#program.id || findXdpLink(this.ifindex, there) !== undefined;
  }

  protected override letBe(): void {
    this.#program.close();
    this.#socket.close();
  }
}

/** The interface is gone, or another program has taken the place: either way ours is no longer attached. */
function isGone(error: unknown): boolean {
  return error instanceof NetlinkError && ['ENODEV', 'EEXIST', 'ENOENT'].includes(error.errnoName);
}

function updateRefused(target: string, result: number): AttachError {
  const name = errnoName(-result);
  if (name === 'ENOLINK') {
    return new AttachError(
      'ATTACH_CHANGED',
      target,
      `Cannot replace the program on ${target}: the interface is gone`,
    );
  }
  return new AttachError(
    'ATTACH_REFUSED',
    target,
    `Cannot replace the program on ${target}: the kernel says ${name}`,
  );
}
