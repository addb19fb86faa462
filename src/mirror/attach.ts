import { Feature, isSupported } from '../features/index.ts';
import {
  attachTc,
  attachTcx,
  type BpfLink,
  type TcAttachment,
  type TrafficDirection,
} from '../link/index.ts';
import {
  addClsact,
  clsactSide,
  deleteClsact,
  listBpfFilters,
  tryInterfaceByIndex,
  type NetworkInterface,
  type RouteSocket,
} from '../netlink/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import type { NetworkNamespace } from '../sys/index.ts';

/** By tcx (`link`, Linux 6.6) or by filters on a clsact qdisc (`netlink`). */
export type MirrorVia = 'link' | 'netlink';

/** A program of the mirror where it is attached. */
export interface MirrorAttachment {
  readonly program: BpfProgram;
  readonly device: NetworkInterface;
  readonly direction: TrafficDirection;
  readonly link: BpfLink | TcAttachment;
}

/** Attaches programs, and takes off at the end what it has attached and the qdiscs that it made. */
export class Attacher {
  readonly via: MirrorVia;
  readonly #socket: RouteSocket;
  readonly #netns: NetworkNamespace | undefined;
  readonly #attachments: MirrorAttachment[] = [];
  readonly #qdiscs: NetworkInterface[] = [];

  constructor(
    socket: RouteSocket,
    { netns, via }: { netns: NetworkNamespace | undefined; via: MirrorVia | undefined },
  ) {
    this.#socket = socket;
    this.#netns = netns;
    this.via = via ?? (isSupported(Feature.Tcx) ? 'link' : 'netlink');
  }

  /** @throws AttachError, NetlinkError, PermissionError, UnsupportedFeatureError */
  attach(
    program: BpfProgram,
    { device, direction }: { device: NetworkInterface; direction: TrafficDirection },
  ): MirrorAttachment {
    const where = { interface: device.index, direction, ...(this.#netns && { netns: this.#netns }) };
    if (this.via === 'netlink') this.#addQdisc(device);
    const link = this.via === 'link' ? attachTcx(program, where) : attachTc(program, where);
    const attachment = { program, device, direction, link };
    this.#attachments.push(attachment);
    return attachment;
  }

  /** Takes these off; the others go on. */
  detach(attachments: readonly MirrorAttachment[]): void {
    for (const { link, device } of attachments.toReversed()) {
      // Filters go with their interface, and asking for them there would fail.
      if (this.#isThere(device)) link.close();
      else link.leave();
    }
  }

  close(): void {
    this.detach(this.#attachments.splice(0));
    for (const device of this.#qdiscs.splice(0)) this.#removeQdisc(device);
  }

  #addQdisc(device: NetworkInterface): void {
    const { index: ifindex, name } = device;
    if (addClsact(this.#socket, { ifindex, name })) this.#qdiscs.push(device);
  }

  #isThere({ index }: NetworkInterface): boolean {
    return tryInterfaceByIndex(this.#socket, index) !== undefined;
  }

  /** Unless somebody else has put filters there meanwhile. */
  #removeQdisc(device: NetworkInterface): void {
    const { index: ifindex, name } = device;
    if (!this.#isThere(device)) return;
    const used = (['ingress', 'egress'] as const).some(
      (direction) => listBpfFilters(this.#socket, { ifindex, parent: clsactSide(direction) }).length > 0,
    );
    if (!used) deleteClsact(this.#socket, { ifindex, name });
  }
}
