import type { NetworkNamespace } from '../sys/index.ts';
import { Socket, errno, socketConstants, withNetworkNamespace } from '../sys/index.ts';
import {
  ETIMEDOUT,
  NETLINK_CAP_ACK,
  NETLINK_EXT_ACK,
  NETLINK_GET_STRICT_CHK,
  NETLINK_ROUTE,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_NOOP,
  NLMSG_OVERRUN,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  sockaddr_nl,
} from '../uapi/index.ts';
import type { Message, Outcome } from './message.ts';
import { decodeDone, decodeError, decodeMessages, encodeMessage } from './message.ts';
import type { RequestName } from './netlink-error.ts';
import { netlinkError } from './netlink-error.ts';

export interface RouteSocketOptions {
  /** Whose interfaces to speak of. @default the namespace that the thread is in */
  readonly netns?: NetworkNamespace | undefined;
  /** How long to wait for an answer, in milliseconds. @default 5000 */
  readonly timeout?: number | undefined;
}

/** One request of route netlink. */
export interface RouteRequest extends RequestName {
  /** RTM_… */
  readonly type: number;
  /** NLM_F_… beside NLM_F_REQUEST and NLM_F_ACK. */
  readonly flags?: number;
  /** The family's struct and its attributes. */
  readonly body: Uint8Array;
}

/** A dump that never comes out consistent is given up after this many. */
const dumpAttempts = 10;

/**
 * A route netlink socket: requests are answered synchronously, which takes the kernel some microseconds.
 *
 * @example
 * using socket = RouteSocket.open();
 * const interfaces = listInterfaces(socket);
 */
export class RouteSocket {
  readonly #socket: Socket;
  readonly #port: number;
  #sequence = 0;
  #buffer = new Uint8Array(32 * 1024);

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#port = sockaddr_nl.decode(socket.getsockname()).nl_pid;
  }

  static open(options: RouteSocketOptions = {}): RouteSocket {
    const { netns, timeout = 5000 } = options;
    const open = (): Socket => openRouteSocket({ groups: [] });
    const socket = netns === undefined ? open() : withNetworkNamespace(netns, open);
    try {
      socket.setReceiveTimeout(timeout);
      return new RouteSocket(socket);
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /**
   * Sends one request and waits until the kernel acknowledges it. Returns what came before that, as copies.
   *
   * Throws {@link NetlinkError} with the kernel's own text, or {@link PermissionError}.
   */
  request(request: RouteRequest): Message[] {
    const { outcome, messages } = this.tryRequest(request);
    if (outcome.errno !== 0) throw netlinkError(request, outcome);
    return messages;
  }

  /** The same with a refusal as a value. */
  tryRequest(request: RouteRequest): { readonly outcome: Outcome; readonly messages: Message[] } {
    const { outcome, messages } = this.#exchange(request, NLM_F_ACK | (request.flags ?? 0));
    return { outcome, messages };
  }

  /** Asks for everything of a kind. Begins anew where the kernel says that things changed meanwhile. */
  dump(request: RouteRequest): Message[] {
    for (let attempt = 0; attempt < dumpAttempts; attempt++) {
      const { outcome, messages, interrupted } = this.#exchange(request, NLM_F_DUMP | (request.flags ?? 0));
      if (outcome.errno !== 0) throw netlinkError(request, outcome);
      if (!interrupted) return messages;
    }
    const extack = `it changed during each of ${String(dumpAttempts)} attempts`;
    throw netlinkError(request, { errno: errno.EINTR, extack });
  }

  get closed(): boolean {
    return this.#socket.closed;
  }

  close(): void {
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #exchange(
    request: RouteRequest,
    flags: number,
  ): { outcome: Outcome; messages: Message[]; interrupted: boolean } {
    this.#sequence = (this.#sequence + 1) >>> 0;
    const sequence = this.#sequence;
    this.#socket.send(
      encodeMessage({ type: request.type, flags: NLM_F_REQUEST | flags, sequence, body: request.body }),
    );
    const messages: Message[] = [];
    let interrupted = false;
    for (;;) {
      const datagram = receiveDatagram(this.#socket, this.#roomFor);
      if (datagram === undefined) throw netlinkError(request, { errno: ETIMEDOUT, extack: undefined });
      for (const message of decodeMessages(datagram)) {
        // What is left of an earlier request that timed out.
        if (message.sequence !== sequence || message.port !== this.#port) continue;
        interrupted ||= (message.flags & NLM_F_DUMP_INTR) !== 0;
        if (message.type === NLMSG_ERROR) return { outcome: decodeError(message), messages, interrupted };
        if (message.type === NLMSG_DONE) return { outcome: decodeDone(message), messages, interrupted };
        if (message.type === NLMSG_OVERRUN) interrupted = true;
        if (message.type !== NLMSG_NOOP) messages.push({ ...message, body: message.body.slice() });
      }
    }
  }

  readonly #roomFor = (length: number): Uint8Array => {
    if (length > this.#buffer.length) this.#buffer = new Uint8Array(length);
    return this.#buffer;
  };
}

/** Opens and binds; connected to the kernel, so that no other process can send to it. */
export function openRouteSocket(options: {
  readonly groups: readonly number[];
  readonly nonBlocking?: boolean;
}): Socket {
  const { AF_NETLINK, SOCK_RAW, SOCK_NONBLOCK, SOL_NETLINK } = socketConstants;
  const socket = Socket.open({
    domain: AF_NETLINK,
    type: options.nonBlocking === true ? SOCK_RAW | SOCK_NONBLOCK : SOCK_RAW,
    protocol: NETLINK_ROUTE,
    description: 'route netlink socket',
  });
  try {
    socket.setOption({ level: SOL_NETLINK, name: NETLINK_EXT_ACK }, 1);
    socket.setOption({ level: SOL_NETLINK, name: NETLINK_CAP_ACK }, 1);
    trySetStrictChecking(socket);
    const nl_groups = options.groups.reduce((mask, group) => mask | (1 << (group - 1)), 0) >>> 0;
    socket.bind(sockaddr_nl.encode({ nl_family: AF_NETLINK, nl_groups }));
    socket.connect(sockaddr_nl.encode({ nl_family: AF_NETLINK }));
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** Lets dumps be filtered by the kernel. Linux 4.20; without it the caller filters. */
function trySetStrictChecking(socket: Socket): void {
  try {
    socket.setOption({ level: socketConstants.SOL_NETLINK, name: NETLINK_GET_STRICT_CHK }, 1);
  } catch (error) {
    if ((error as { errnoName?: string }).errnoName !== 'ENOPROTOOPT') throw error;
  }
}

/** A whole datagram however long it is, in the buffer that `roomFor` gives; undefined where none came in time. */
export function receiveDatagram(
  socket: Socket,
  roomFor: (length: number) => Uint8Array,
): Uint8Array | undefined {
  const { MSG_PEEK, MSG_TRUNC } = socketConstants;
  const length = socket.receive(roomFor(0), MSG_PEEK | MSG_TRUNC);
  if (length === undefined) return undefined;
  const buffer = roomFor(length);
  const received = socket.receive(buffer);
  return received === undefined ? undefined : buffer.subarray(0, received);
}
