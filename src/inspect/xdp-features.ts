import { Cursor, struct, u16, u8 } from '../binary/index.ts';
import {
  Attributes,
  concatenate,
  decodeError,
  decodeMessages,
  encodeAttributes,
  encodeMessage,
  netlinkError,
  numberAttribute,
  stringAttribute,
} from '../netlink/index.ts';
import type { Attribute, Message, Outcome } from '../netlink/index.ts';
import { Socket, errno, socketConstants } from '../sys/index.ts';
import { NETLINK_GENERIC, NLMSG_ERROR, NLM_F_ACK, NLM_F_REQUEST } from '../uapi/index.ts';

// <linux/genetlink.h>
const GENL_ID_CTRL = 0x10;
const CTRL_CMD_GETFAMILY = 3;
const CTRL_ATTR_FAMILY_ID = 1;
const CTRL_ATTR_FAMILY_NAME = 2;
const genlmsghdr = struct('genlmsghdr', { cmd: u8, version: u8, reserved: u16 });

// <linux/netdev.h>
const NETDEV_CMD_DEV_GET = 1;
const NETDEV_A_DEV_IFINDEX = 1;
const NETDEV_A_DEV_XDP_FEATURES = 3;

/** enum netdev_xdp_act of <linux/netdev.h>, by bit. */
const actions = [
  'basic',
  'redirect',
  'ndo_xmit',
  'xsk_zerocopy',
  'hw_offload',
  'rx_sg',
  'ndo_xmit_sg',
] as const;

/**
 * What a driver says that its native XDP can do: `basic` for passing, dropping, sending back and aborting, `rx_sg` for
 * packets of several buffers (`xdp.frags`).
 */
export type XdpDriverFeature = (typeof actions)[number];

const answerTimeout = 1000;
const answerSize = 32 * 1024;

/**
 * Asks the drivers of the namespace that the thread is in, without touching the interfaces. Linux 6.3 (the generic
 * netlink family `netdev`).
 *
 * @example
 * using query = XdpFeatureQuery.open();
 * query?.featuresOf(2)?.has('basic');
 */
export class XdpFeatureQuery {
  readonly #socket: Socket;
  readonly #family: number;
  #sequence = 1;

  private constructor(socket: Socket, family: number) {
    this.#socket = socket;
    this.#family = family;
  }

  /** Undefined where the kernel cannot be asked. */
  static open(): XdpFeatureQuery | undefined {
    const { AF_NETLINK, SOCK_RAW } = socketConstants;
    const socket = Socket.open({
      domain: AF_NETLINK,
      type: SOCK_RAW,
      protocol: NETLINK_GENERIC,
      description: 'generic netlink socket',
    });
    try {
      socket.setReceiveTimeout(answerTimeout);
      const family = familyId(socket, 'netdev');
      if (family !== undefined) return new XdpFeatureQuery(socket, family);
    } catch (error) {
      socket.close();
      throw error;
    }
    socket.close();
    return undefined;
  }

  /** Undefined where there is no interface of that index. */
  featuresOf(ifindex: number): ReadonlySet<XdpDriverFeature> | undefined {
    const { outcome, attributes } = exchange(this.#socket, {
      type: this.#family,
      sequence: ++this.#sequence,
      command: NETDEV_CMD_DEV_GET,
      attribute: numberAttribute(NETDEV_A_DEV_IFINDEX, ifindex),
    });
    if (outcome.errno === errno.ENODEV) return undefined;
    if (outcome.errno !== 0) {
      const doing = `ask for the XDP features of interface ${String(ifindex)}`;
      throw netlinkError({ request: 'NETDEV_CMD_DEV_GET', doing }, outcome);
    }
    const mask = attributes?.bytes(NETDEV_A_DEV_XDP_FEATURES);
    const bits = mask === undefined ? 0 : new Cursor(mask).u32(0);
    return new Set(actions.filter((_, bit) => (bits & (1 << bit)) !== 0));
  }

  close(): void {
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function familyId(socket: Socket, name: string): number | undefined {
  const { outcome, attributes } = exchange(socket, {
    type: GENL_ID_CTRL,
    sequence: 1,
    command: CTRL_CMD_GETFAMILY,
    attribute: stringAttribute(CTRL_ATTR_FAMILY_NAME, name),
  });
  if (outcome.errno === errno.ENOENT) return undefined;
  if (outcome.errno !== 0) {
    const doing = `find the generic netlink family ${name}`;
    throw netlinkError({ request: 'CTRL_CMD_GETFAMILY', doing }, outcome);
  }
  const id = attributes?.bytes(CTRL_ATTR_FAMILY_ID);
  return id === undefined ? undefined : new Cursor(id).u16(0);
}

interface GenericRequest {
  readonly type: number;
  readonly sequence: number;
  readonly command: number;
  readonly attribute: Attribute;
}

/** One request and its acknowledgement, with the attributes of what came before that. */
function exchange(
  socket: Socket,
  request: GenericRequest,
): { readonly outcome: Outcome; readonly attributes: Attributes | undefined } {
  const { type, sequence, command, attribute } = request;
  const header = genlmsghdr.encode({ cmd: command, version: 1 });
  const body = concatenate([header, encodeAttributes([attribute])]);
  socket.send(encodeMessage({ type, flags: NLM_F_REQUEST | NLM_F_ACK, sequence, body }));
  let attributes: Attributes | undefined;
  for (;;) {
    for (const message of receive(socket)) {
      if (message.sequence !== sequence) continue;
      if (message.type === NLMSG_ERROR) return { outcome: decodeError(message), attributes };
      attributes = Attributes.parse(message.body.subarray(genlmsghdr.size));
    }
  }
}

function receive(socket: Socket): Message[] {
  const buffer = new Uint8Array(answerSize);
  const length = socket.receive(buffer);
  if (length === undefined) {
    throw netlinkError(
      { request: 'generic netlink', doing: 'ask generic netlink' },
      { errno: errno.EAGAIN, extack: 'there was no answer' },
    );
  }
  return decodeMessages(buffer.subarray(0, length));
}
