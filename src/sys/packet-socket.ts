import { ETH_P_ALL, PACKET_IGNORE_OUTGOING, sockaddr_ll } from '../uapi/index.ts';
import { checkInteger } from './argument-checks.ts';
import { withNetworkNamespace } from './network-namespace.ts';
import type { NetworkNamespace } from './network-namespace.ts';
import { Socket, socketConstants } from './socket.ts';

const NO_PROTOCOL = 0;

/** The longest frame that a packet socket gives, GSO included. */
const largestFrame = 0x1_0000 + 64;

export interface PacketSocketOptions {
  readonly ifindex: number;
  /** The namespace that `ifindex` belongs to. @default the current one */
  readonly netns?: NetworkNamespace | undefined;
  /** `send` leaves incoming frames alone; `both` queues every frame that arrives. @default 'send' */
  readonly direction?: 'send' | 'both' | undefined;
  /** How long `receive()` waits, in milliseconds; 0 does not wait. @default 0 */
  readonly receiveTimeout?: number | undefined;
}

/**
 * Whole Ethernet frames to and from one interface (AF_PACKET, SOCK_RAW). Needs CAP_NET_RAW.
 *
 * @example
 * using socket = PacketSocket.open({ ifindex: 7 });
 * socket.send(frame);
 */
export class PacketSocket {
  /** For waiting until a frame is there, and for options that this class does not cover. */
  readonly socket: Socket;
  readonly #wait: boolean;
  readonly #buffer = new Uint8Array(largestFrame);

  private constructor(socket: Socket, wait: boolean) {
    this.socket = socket;
    this.#wait = wait;
  }

  /** Throws {@link PermissionError}, and {@link SyscallError} (ENODEV) where the interface is not there. */
  static open(options: PacketSocketOptions): PacketSocket {
    const { netns } = options;
    return netns === undefined
      ? PacketSocket.#openHere(options)
      : withNetworkNamespace(netns, () => PacketSocket.#openHere(options));
  }

  static #openHere(options: PacketSocketOptions): PacketSocket {
    const { ifindex, direction = 'send', receiveTimeout = 0 } = options;
    checkInteger('ifindex', ifindex, { minimum: 1, maximum: 0x7fff_ffff });
    const { AF_PACKET, SOCK_RAW, SOL_PACKET } = socketConstants;
    // Opened without a protocol it hears nothing, also not from other interfaces, until it is bound to one.
    const socket = Socket.open({
      domain: AF_PACKET,
      type: SOCK_RAW,
      protocol: NO_PROTOCOL,
      description: 'packet socket',
    });
    try {
      if (direction === 'both') socket.setOption({ level: SOL_PACKET, name: PACKET_IGNORE_OUTGOING }, 1);
      if (receiveTimeout > 0) socket.setReceiveTimeout(receiveTimeout);
      const sll_protocol = direction === 'both' ? ETH_P_ALL : NO_PROTOCOL;
      socket.bind(sockaddr_ll.encode({ sll_family: AF_PACKET, sll_protocol, sll_ifindex: ifindex }));
      return new PacketSocket(socket, receiveTimeout > 0);
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /**
   * Sends one frame from its destination address on, without the checksum at the end. Throws {@link SyscallError}:
   * ENETDOWN where the interface is down, ENXIO where it is gone, EMSGSIZE above its MTU, ENOBUFS when it is full.
   */
  send(frame: Uint8Array): void {
    this.socket.send(frame);
  }

  /** The next frame, a copy; undefined where none came in time. The kernel has taken VLAN tags out of it. */
  receive(): Uint8Array | undefined {
    const length = this.socket.receive(this.#buffer, this.#wait ? 0 : socketConstants.MSG_DONTWAIT);
    return length === undefined ? undefined : this.#buffer.slice(0, length);
  }

  close(): void {
    this.socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
