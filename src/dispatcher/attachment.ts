import { ArgumentError, AttachError, NotFoundError } from '../errors.ts';
import { Attachment, type XdpMode, type XdpRefusal } from '../link/index.ts';
import { tryInterfaceByIndex, type RouteSocket } from '../netlink/index.ts';
import type { XdpAction } from './actions.ts';
import { changeDispatcher } from './change.ts';
import { isPinnedIn, unpinLeftovers } from './leftovers.ts';
import { withDispatcherLock } from './pins.ts';

/** What is known of a program in a dispatcher that was attached here. */
export interface DispatchedXdpFacts {
  readonly target: string;
  readonly ifindex: number;
  /** Of the dispatcher. */
  readonly mode: XdpMode;
  /** Modes that were tried before and refused, and why. */
  readonly refusals: readonly XdpRefusal[];
  /** The name of its function, in full. */
  readonly program: string;
  readonly programId: number;
  /** Lower runs earlier. */
  readonly priority: number;
  /** After which the next program runs. */
  readonly chainCallActions: readonly XdpAction[];
}

/**
 * One of several XDP programs on an interface. Made by {@link attachXdpMulti}.
 *
 * Nothing ends it with the process, since the dispatcher is held by netlink and pins, for all of its programs: only
 * {@link close} does, another tool that detaches it, or the end of the interface.
 */
export class DispatchedXdp extends Attachment implements DispatchedXdpFacts {
  override readonly kind = 'xdp';
  override readonly via = 'dispatcher';
  /** Whoever changes the dispatcher makes new links. */
  override readonly id = undefined;
  readonly ifindex: number;
  readonly mode: XdpMode;
  readonly refusals: readonly XdpRefusal[];
  readonly program: string;
  readonly programId: number;
  readonly priority: number;
  readonly chainCallActions: readonly XdpAction[];
  readonly #socket: RouteSocket;
  /** The dispatcher that was last seen to have the program: another one is looked into, this one has it. */
  #dispatcherId: number | undefined;

  /** Takes over the socket, which is in the interface's namespace. */
  constructor(socket: RouteSocket, facts: DispatchedXdpFacts) {
    super(facts.target);
    this.#socket = socket;
    this.ifindex = facts.ifindex;
    this.mode = facts.mode;
    this.refusals = facts.refusals;
    this.program = facts.program;
    this.programId = facts.programId;
    this.priority = facts.priority;
    this.chainCallActions = facts.chainCallActions;
  }

  /** Whether it is in the dispatcher that is on the interface now, which other tools may have made anew. */
  override get attached(): boolean {
    this.checkOpen();
    if (this.#dispatcherId !== undefined && this.#installedId() === this.#dispatcherId) return true;
    // Under the lock the pins are those of the dispatcher that is there.
    return withDispatcherLock(() => {
      const { ifindex, programId } = this;
      const dispatcherId = this.#installedId();
      if (dispatcherId === undefined || !isPinnedIn({ ifindex, dispatcherId }, programId)) return false;
      this.#dispatcherId = dispatcherId;
      return true;
    });
  }

  override pin(path: string): void {
    throw new ArgumentError(
      'path',
      `Cannot pin the attachment of ${this.program} on ${this.target} to ${path}: its dispatcher has pinned it already`,
      { hint: 'it stays until it is detached' },
    );
  }

  protected override detach(): void {
    const { ifindex, programId } = this;
    try {
      // Where somebody else has taken the dispatcher off, nothing but its pins holds the programs.
      if (!this.#takeOut()) unpinLeftovers(ifindex, programId);
    } finally {
      this.letBe();
    }
  }

  #installedId(): number | undefined {
    const programs = tryInterfaceByIndex(this.#socket, this.ifindex)?.xdp.programs;
    return programs?.[this.mode];
  }

  /** False where the program is not there, or its interface is not. */
  #takeOut(): boolean {
    const { ifindex, programId } = this;
    let found = false;
    try {
      changeDispatcher({
        doing: 'detach from',
        socket: this.#socket,
        ifindex,
        modes: [],
        components: (installed) => {
          const others = installed.filter(({ id }) => id !== programId);
          found = others.length < installed.length;
          return found ? others : installed;
        },
      });
      return found;
    } catch (error) {
      if (isGone(error)) return false;
      throw error;
    }
  }

  protected override letBe(): void {
    this.#socket.close();
  }
}

/** The interface is gone, or another program has taken the place of the dispatcher. */
function isGone(error: unknown): boolean {
  return (
    (error instanceof NotFoundError && error.code === 'INTERFACE_NOT_FOUND') ||
    (error instanceof AttachError && error.code === 'ALREADY_ATTACHED')
  );
}
