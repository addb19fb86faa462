import type { NetworkNamespace, ReadableWatch, Socket } from '../sys/index.ts';
import { errno, watchReadable, withNetworkNamespace } from '../sys/index.ts';
import { SyscallError } from '../errors.ts';
import {
  RTM_DELADDR,
  RTM_DELLINK,
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTNLGRP_IPV4_IFADDR,
  RTNLGRP_IPV6_IFADDR,
  RTNLGRP_LINK,
  ifinfomsg,
} from '../uapi/index.ts';
import { decodeAddress } from './addresses.ts';
import type { InterfaceAddress } from './addresses.ts';
import { decodeInterface } from './interface.ts';
import type { NetworkInterface } from './interface.ts';
import { decodeMessages } from './message.ts';
import type { Message } from './message.ts';
import { openRouteSocket, receiveDatagram } from './route-socket.ts';

const groupNumbers = {
  link: RTNLGRP_LINK,
  'ipv4-address': RTNLGRP_IPV4_IFADDR,
  'ipv6-address': RTNLGRP_IPV6_IFADDR,
} as const;

export type RouteGroup = keyof typeof groupNumbers;

/** What changed. After `overflow` the kernel has dropped some: list everything again. */
export type RouteEvent =
  | { readonly type: 'link'; readonly interface: NetworkInterface }
  | { readonly type: 'link-removed'; readonly interface: NetworkInterface }
  | { readonly type: 'address'; readonly address: InterfaceAddress }
  | { readonly type: 'address-removed'; readonly address: InterfaceAddress }
  | { readonly type: 'overflow' };

export interface RouteWatchOptions {
  readonly groups: readonly RouteGroup[];
  /** @default the namespace that the thread is in */
  readonly netns?: NetworkNamespace | undefined;
  /** Bytes that the kernel may queue before it drops; it takes at most net.core.rmem_max. @default its own */
  readonly receiveBuffer?: number | undefined;
}

/** Datagrams handled before the event loop gets its turn. */
const batch = 64;

/**
 * Calls back for every change of interfaces and addresses, from now on. A link that changes in any way, its name
 * too, is a `link`; one that moves to another namespace is `link-removed`.
 *
 * @example
 * const watch = watchRoute({ groups: ['link'] }, (event) => console.log(event.type));
 */
export function watchRoute(options: RouteWatchOptions, callback: (event: RouteEvent) => void): RouteWatch {
  const open = (): Socket =>
    openRouteSocket({ groups: options.groups.map((group) => groupNumbers[group]), nonBlocking: true });
  const socket = options.netns === undefined ? open() : withNetworkNamespace(options.netns, open);
  try {
    if (options.receiveBuffer !== undefined) socket.setReceiveBuffer(options.receiveBuffer);
    return new RouteWatch(socket, callback);
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** A running {@link watchRoute}. It keeps the process alive until `close()` or `unref()`. */
export class RouteWatch {
  readonly #socket: Socket;
  readonly #callback: (event: RouteEvent) => void;
  readonly #watch: ReadableWatch;
  #buffer = new Uint8Array(32 * 1024);

  /** Takes over `socket`. Use {@link watchRoute}. */
  constructor(socket: Socket, callback: (event: RouteEvent) => void) {
    this.#socket = socket;
    this.#callback = callback;
    this.#watch = watchReadable(socket.fd, {
      onReadable: () => {
        this.#drain();
      },
      // An overflow is pending as an error of the socket; receiving fetches and clears it.
      onError: () => {
        this.#watch.resume();
        this.#drain();
      },
    });
  }

  get closed(): boolean {
    return this.#socket.closed;
  }

  ref(): void {
    this.#watch.ref();
  }

  unref(): void {
    this.#watch.unref();
  }

  /** Idempotent; no callback comes afterwards. */
  close(): void {
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #drain(): void {
    for (let count = 0; count < batch && !this.#socket.closed; count++) {
      const datagram = this.#receive();
      if (datagram === undefined) return;
      if (datagram === 'overflow') this.#deliver({ type: 'overflow' });
      else for (const message of decodeMessages(datagram)) this.#deliver(decodeEvent(message));
    }
  }

  #deliver(event: RouteEvent | undefined): void {
    // The callback may close the watch in the middle of a datagram.
    if (event !== undefined && !this.#socket.closed) this.#callback(event);
  }

  #receive(): Uint8Array | 'overflow' | undefined {
    try {
      return receiveDatagram(this.#socket, this.#roomFor);
    } catch (error) {
      if (error instanceof SyscallError && error.errno === errno.ENOBUFS) return 'overflow';
      throw error;
    }
  }

  readonly #roomFor = (length: number): Uint8Array => {
    if (length > this.#buffer.length) this.#buffer = new Uint8Array(length);
    return this.#buffer;
  };
}

function decodeEvent({ type, body }: Message): RouteEvent | undefined {
  switch (type) {
    case RTM_NEWLINK:
    case RTM_DELLINK: {
      // A bridge speaks of its ports in these types too, with its own family: RTM_DELLINK when a port leaves it.
      if (ifinfomsg.decode(body).ifi_family !== 0) return undefined;
      return { type: type === RTM_NEWLINK ? 'link' : 'link-removed', interface: decodeInterface(body) };
    }
    case RTM_NEWADDR:
    case RTM_DELADDR: {
      const address = decodeAddress(body);
      if (address === undefined) return undefined;
      return { type: type === RTM_NEWADDR ? 'address' : 'address-removed', address };
    }
    default:
      return undefined;
  }
}
