import { ArgumentError, AttachError, NetlinkError } from '../errors.ts';
import {
  addBpfFilter,
  addClsact,
  clsactSide,
  deleteBpfFilter,
  listBpfFilters,
  listQdiscs,
  RouteSocket,
  type BpfFilter,
  type BpfFilterPlace,
} from '../netlink/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import { checkInteger } from '../sys/index.ts';
import { BPF_PROG_TYPE_SCHED_CLS } from '../uapi/index.ts';
import { Attachment } from './attachment.ts';
import { checkProgram } from './create-link.ts';
import { findInterface, inNamespace, type InterfaceOptions } from './interface-target.ts';
import { directionOf, type TrafficDirection } from './tcx.ts';

/** Options of {@link attachTc}. */
export interface TcOptions extends InterfaceOptions {
  /** @default what the program's section says: `tc/ingress` */
  readonly direction?: TrafficDirection;
  /** 1 to 65535, lower runs first. @default one below those that are there */
  readonly priority?: number;
  /** Tells filters of one priority apart, 1 to 4294967295. @default the next one that is free */
  readonly handle?: number;
  /** Take the place of the program with this priority and handle. @default false */
  readonly replace?: boolean;
}

/**
 * Attaches a tc program to an interface by a clsact qdisc and a filter in direct action mode, as every kernel since 4.5
 * can; since 6.6 {@link attachTcx} is the better way. The qdisc is made where it is not there, and stays.
 *
 * The program stays when this process ends, until it is detached or the interface is gone. Needs CAP_NET_ADMIN in the
 * interface's namespace.
 *
 * @throws NotFoundError (INTERFACE_NOT_FOUND); AttachError: ALREADY_ATTACHED where another filter has that priority
 * and handle, ATTACH_REFUSED where an ingress qdisc has the place of clsact and the direction is egress; NetlinkError with the kernel's own text; PermissionError
 */
export function attachTc(program: BpfProgram, options: TcOptions): TcAttachment {
  const direction = options.direction ?? directionOf(program);
  const { priority = 0, handle = 0, replace = false } = options;
  checkProgram(program, { types: [BPF_PROG_TYPE_SCHED_CLS], target: `an interface (${direction})` });
  checkInteger('priority', priority, { minimum: 0, maximum: 0xffff });
  checkInteger('handle', handle, { minimum: 0, maximum: 0xffff_ffff });
  if (replace && (priority === 0 || handle === 0)) {
    throw new ArgumentError(
      'replace',
      `Cannot attach ${program.name}: "replace" goes with a priority and a handle`,
    );
  }
  return inNamespace(options.netns, () => {
    const socket = RouteSocket.open();
    try {
      const { index: ifindex, name } = findInterface(socket, options.interface);
      if (!addClsact(socket, { ifindex, name }) && direction === 'egress')
        refuseIngressQdisc(socket, { ifindex, name, program });
      const place = { ifindex, name, direction, parent: clsactSide(direction), priority, handle };
      const filter = addFilter(socket, { program, place, replace });
      return new TcAttachment(socket, { program, filter, direction });
    } catch (error) {
      socket.close();
      throw error;
    }
  });
}

/**
 * An ingress qdisc has the handle of clsact, and takes a filter for outgoing packets for one of incoming packets
 * (ingress_tcf_block() in net/sched/sch_ingress.c).
 */
function refuseIngressQdisc(
  socket: RouteSocket,
  { ifindex, name, program }: { ifindex: number; name: string; program: BpfProgram },
): void {
  if (!listQdiscs(socket).some((qdisc) => qdisc.ifindex === ifindex && qdisc.kind === 'ingress')) return;
  throw new AttachError(
    'ATTACH_REFUSED',
    `${name} (egress)`,
    `Cannot attach ${program.name} to ${name} (egress): an ingress qdisc is there, which sees no outgoing packets`,
    { hint: `delete it, for clsact has its place: tc qdisc delete dev ${name} ingress` },
  );
}

function addFilter(
  socket: RouteSocket,
  {
    program,
    place,
    replace,
  }: { program: BpfProgram; place: BpfFilterPlace & { direction: TrafficDirection }; replace: boolean },
): BpfFilter {
  const { fd, name: programName } = program;
  try {
    return addBpfFilter(socket, { ...place, programFd: fd.value, programName, replace });
  } catch (error) {
    if (!(error instanceof NetlinkError) || error.errnoName !== 'EEXIST') throw error;
    const target = `${String(place.name)} (${place.direction})`;
    throw new AttachError(
      'ALREADY_ATTACHED',
      target,
      `Cannot attach ${programName} to ${target}: another filter has priority ${String(place.priority)} and handle ${String(place.handle)}`,
      { hint: 'take its place with "replace", or choose another priority', cause: error },
    );
  }
}

/** A tc program on a clsact qdisc. */
export class TcAttachment extends Attachment {
  override readonly kind = 'tc';
  override readonly via = 'netlink';
  override readonly id = undefined;
  readonly ifindex: number;
  readonly direction: TrafficDirection;
  /** What was asked for, or what the kernel chose. */
  readonly priority: number;
  readonly handle: number;
  /** The attachment's own, opened in the interface's namespace: closing it later must reach the same place. */
  readonly #socket: RouteSocket;
  readonly #filter: BpfFilter;
  #programId: number;

  /** Takes over the socket. */
  constructor(
    socket: RouteSocket,
    { program, filter, direction }: { program: BpfProgram; filter: BpfFilter; direction: TrafficDirection },
  ) {
    const programId = program.id;
    super(`${filter.name ?? String(filter.ifindex)} (${direction})`);
    this.ifindex = filter.ifindex;
    this.direction = direction;
    this.priority = filter.priority;
    this.handle = filter.handle;
    this.#socket = socket;
    this.#filter = filter;
    this.#programId = programId;
  }

  override get attached(): boolean {
    return this.info()?.programId === this.#programId;
  }

  /** What the kernel has there now; undefined where somebody took it away. */
  info(): BpfFilter | undefined {
    this.checkOpen();
    return this.#current();
  }

  /** Puts another program in this one's place, without a moment in which none is attached. @throws NetlinkError */
  update(program: BpfProgram): void {
    this.checkOpen();
    const { fd, name: programName, id } = program;
    addBpfFilter(this.#socket, { ...this.#filter, programFd: fd.value, programName, replace: true });
    this.#programId = id;
  }

  override pin(path: string): void {
    throw new ArgumentError(
      'via',
      `Cannot pin the attachment to ${this.target} to ${path}: it was made by netlink`,
      {
        hint: 'it stays without a pin, until it is detached; only a bpf_link can be pinned',
      },
    );
  }

  protected override detach(): void {
    try {
      // Another program there is somebody else's, who replaced this one.
      if (this.#current()?.programId === this.#programId) deleteBpfFilter(this.#socket, this.#filter);
    } finally {
      this.#socket.close();
    }
  }

  protected override letBe(): void {
    this.#socket.close();
  }

  #current(): BpfFilter | undefined {
    return listBpfFilters(this.#socket, this.#filter).find(
      ({ priority, handle }) => priority === this.priority && handle === this.handle,
    );
  }
}
