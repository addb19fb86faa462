/** What the kernel hands over as bytes. */
import { BoundsError, TsXdpError } from '../../../src/errors.ts';
import { BpfMap } from '../../../src/maps/index.ts';
import { decodeAddress } from '../../../src/netlink/addresses.ts';
import { encodeAttributes, numberAttribute, stringAttribute } from '../../../src/netlink/attributes.ts';
import { decodeInterface } from '../../../src/netlink/interface.ts';
import { decodeDone, decodeError, decodeMessages, encodeMessage } from '../../../src/netlink/message.ts';
import { RingBuffer } from '../../../src/ringbuf/index.ts';
import type { MemoryMapping, MmapRequest } from '../../../src/sys/index.ts';
import * as uapi from '../../../src/uapi/index.ts';
import { RecordingKernel } from '../../helpers/recording-kernel.ts';
import { attempt, demand } from '../expected-errors.ts';
import { mutateBytes } from '../mutate-plain.ts';
import type { FuzzTarget } from '../target.ts';

function interfaceMessage(): Uint8Array {
  const attributes = encodeAttributes([
    stringAttribute(uapi.IFLA_IFNAME, 'eth0'),
    numberAttribute(uapi.IFLA_MTU, 1500),
    numberAttribute(uapi.IFLA_LINK, 7),
    numberAttribute(uapi.IFLA_MASTER, 3),
    { type: uapi.IFLA_ADDRESS, value: Uint8Array.of(2, 0, 0, 0, 0, 1) },
    { type: uapi.IFLA_OPERSTATE, value: Uint8Array.of(6) },
    { type: uapi.IFLA_LINKINFO, value: [stringAttribute(uapi.IFLA_INFO_KIND, 'veth')] },
    { type: uapi.IFLA_PROP_LIST, value: [stringAttribute(uapi.IFLA_ALT_IFNAME, 'a-longer-name')] },
    {
      type: uapi.IFLA_XDP,
      value: [
        { type: uapi.IFLA_XDP_ATTACHED, value: Uint8Array.of(uapi.XDP_ATTACHED_MULTI) },
        numberAttribute(uapi.IFLA_XDP_DRV_PROG_ID, 12),
        numberAttribute(uapi.IFLA_XDP_SKB_PROG_ID, 13),
      ],
    },
  ]);
  const body = Buffer.concat([uapi.ifinfomsg.encode({ ifi_index: 7, ifi_flags: uapi.IFF_UP }), attributes]);
  return encodeMessage({ type: uapi.RTM_NEWLINK, flags: 2, sequence: 1, body });
}

function addressMessage(): Uint8Array {
  const header = uapi.ifaddrmsg.encode({ ifa_family: 2, ifa_prefixlen: 24, ifa_index: 7 });
  const address = { type: uapi.IFA_ADDRESS, value: Uint8Array.of(10, 0, 0, 1) };
  const body = Buffer.concat([header, encodeAttributes([address, { ...address, type: uapi.IFA_LOCAL }])]);
  return encodeMessage({ type: uapi.RTM_NEWADDR, flags: 2, sequence: 1, body });
}

function errorMessage(): Uint8Array {
  const extack = encodeAttributes([stringAttribute(uapi.NLMSGERR_ATTR_MSG, 'it is wrong')]);
  const body = Buffer.concat([uapi.nlmsgerr.encode({ error: -22 }), extack]);
  const flags = uapi.NLM_F_CAPPED | uapi.NLM_F_ACK_TLVS;
  return encodeMessage({ type: uapi.NLMSG_ERROR, flags, sequence: 1, body });
}

export function netlinkTarget(): FuzzTarget {
  const one = [interfaceMessage(), addressMessage(), errorMessage()];
  const datagrams = [...one, Buffer.concat(one)];
  return {
    name: 'netlink',
    mutant: (dice) => mutateBytes(dice.pick(datagrams), dice),
    exercise(input) {
      const messages = attempt([BoundsError], () => decodeMessages(input));
      if (!messages) return 'refused';
      let refused = false;
      for (const message of messages) {
        for (const decode of [decodeInterface, decodeAddress])
          refused = attempt([BoundsError], () => [decode(message.body)]) === undefined || refused;
        for (const decode of [decodeError, decodeDone])
          refused = attempt([BoundsError], () => [decode(message)]) === undefined || refused;
      }
      return refused ? 'read in part' : 'read';
    },
  };
}

const RING = 4096;
const POSITION = 8;

/** A ring whose positions and data are the input: eight bytes of positions, then the data. */
class GivenRing extends RecordingKernel {
  readonly #input: Uint8Array;

  constructor(input: Uint8Array) {
    super();
    this.#input = input;
  }

  override mmap(request: MmapRequest): MemoryMapping {
    const mapping = super.mmap(request);
    const words = new Uint32Array(mapping.buffer, 0, 1);
    const view = new DataView(this.#input.buffer, this.#input.byteOffset, this.#input.byteLength);
    words[0] = view.byteLength < POSITION ? 0 : view.getUint32(request.writable ? 0 : 4, true) & ~7;
    if (!request.writable) {
      const data = this.#input.subarray(POSITION, POSITION + RING);
      new Uint8Array(mapping.buffer, 4096).set(data);
      new Uint8Array(mapping.buffer, 4096 + RING).set(data);
    }
    return mapping;
  }
}

function ringOf(lengths: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(POSITION + RING);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const length of lengths) {
    view.setUint32(POSITION + at, length, true);
    at += ((length & 0x3fff_ffff) + 15) & ~7;
  }
  view.setUint32(4, at, true);
  return bytes;
}

export function ringTarget(): FuzzTarget {
  const rings = [[16, 24, 8, 100], [1, 2, 3, 0x4000_0010, 5], [4000], []].map(ringOf);
  return {
    name: 'ring',
    mutant: (dice) => mutateBytes(dice.pick(rings), dice),
    exercise(input) {
      const kernel = new GivenRing(input);
      const type = uapi.BPF_MAP_TYPE_RINGBUF;
      const map = BpfMap.create({ type, keySize: 0, valueSize: 0, maxEntries: RING, name: 'r' }, { kernel });
      const ring = RingBuffer.bytes(map);
      let bytes = 0;
      const drained = attempt([TsXdpError], () =>
        ring.drain(
          (record) => {
            bytes += record.length;
          },
          { limit: 10_000 },
        ),
      );
      ring.close();
      map.close();
      demand(kernel.openMappings.size === 0, 'a mapping stays');
      return drained === undefined ? 'refused' : bytes > 0 ? 'read' : 'nothing there';
    },
  };
}
