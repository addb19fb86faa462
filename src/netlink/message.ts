import { Cursor, alignUp } from '../binary/index.ts';
import { BoundsError } from '../errors.ts';
import {
  NLMSGERR_ATTR_MSG,
  NLMSG_ALIGNTO,
  NLMSG_HDRLEN,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  nlmsgerr,
  nlmsghdr,
} from '../uapi/index.ts';
import { Attributes } from './attributes.ts';

/** A netlink message; on receipt `body` is a view on the receive buffer. */
export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly port: number;
  readonly body: Uint8Array;
}

/** The wire form, from port 0, which the kernel replaces by the port of the socket. */
export function encodeMessage(message: Omit<Message, 'port'>): Uint8Array {
  const length = NLMSG_HDRLEN + message.body.length;
  const bytes = new Uint8Array(alignUp(length, NLMSG_ALIGNTO));
  const header = nlmsghdr.encode({
    nlmsg_len: length,
    nlmsg_type: message.type,
    nlmsg_flags: message.flags,
    nlmsg_seq: message.sequence,
  });
  bytes.set(header);
  bytes.set(message.body, NLMSG_HDRLEN);
  return bytes;
}

/** The messages of one datagram. Throws {@link BoundsError} where a length is impossible. */
export function decodeMessages(datagram: Uint8Array): Message[] {
  const messages: Message[] = [];
  let offset = 0;
  while (datagram.length - offset >= NLMSG_HDRLEN) {
    const header = nlmsghdr.decode(datagram, offset);
    const end = offset + header.nlmsg_len;
    if (header.nlmsg_len < NLMSG_HDRLEN || end > datagram.length) {
      throw new BoundsError(offset, Math.max(header.nlmsg_len, NLMSG_HDRLEN), datagram.length);
    }
    messages.push({
      type: header.nlmsg_type,
      flags: header.nlmsg_flags,
      sequence: header.nlmsg_seq,
      port: header.nlmsg_pid,
      body: datagram.subarray(offset + NLMSG_HDRLEN, end),
    });
    offset += alignUp(header.nlmsg_len, NLMSG_ALIGNTO);
  }
  return messages;
}

/** How a request or a dump ended. */
export interface Outcome {
  /** 0 where it went well, otherwise the errno, above zero. */
  readonly errno: number;
  /** The kernel's own words; also on success it may have a warning. */
  readonly extack: string | undefined;
}

/** NLMSG_ERROR, which with errno 0 is an acknowledgement. */
export function decodeError({ flags, body }: Message): Outcome {
  const { error, msg } = nlmsgerr.decode(body);
  // The request follows whole, or as its header alone (NLM_F_CAPPED); the attributes come after that.
  const quoted = (flags & NLM_F_CAPPED) !== 0 ? NLMSG_HDRLEN : Math.max(msg.nlmsg_len, NLMSG_HDRLEN);
  return outcome(error, { flags, body, offset: nlmsgerr.offsets.msg + alignUp(quoted, NLMSG_ALIGNTO) });
}

/** NLMSG_DONE. Kernels before 4.15 end a dump that went well without a body. */
export function decodeDone({ flags, body }: Message): Outcome {
  const error = body.length < 4 ? 0 : new Cursor(body).i32(0);
  return outcome(error, { flags, body, offset: 4 });
}

function outcome(error: number, rest: { flags: number; body: Uint8Array; offset: number }): Outcome {
  const { flags, body, offset } = rest;
  const described = (flags & NLM_F_ACK_TLVS) !== 0 && offset < body.length;
  const extack = described ? Attributes.parse(body.subarray(offset)).string(NLMSGERR_ATTR_MSG) : undefined;
  return { errno: Math.abs(error), extack };
}
