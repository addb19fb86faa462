/** What the kernel hands over as bytes. */
import { BoundsError, TsXdpError } from '../../../src/errors.ts';
import { BpfMap } from '../../../src/maps/index.ts';
import { decodeFilter } from '../../../src/netlink/bpf-filters.ts';
import { decodeQdisc } from '../../../src/netlink/qdiscs.ts';
import { decodeAddress } from '../../../src/netlink/addresses.ts';
import { encodeAttributes, numberAttribute, stringAttribute } from '../../../src/netlink/attributes.ts';
import { decodeInterface } from '../../../src/netlink/interface.ts';
import { decodeDone, decodeError, decodeMessages, encodeMessage } from '../../../src/netlink/message.ts';
import { PerfMemory } from '../../../src/ringbuf/perf-memory.ts';
import { RingBuffer } from '../../../src/ringbuf/index.ts';
import { MemoryMapping, type MmapRequest } from '../../../src/sys/index.ts';
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

/** A filter of kind bpf, which is a qdisc with other options. */
function filterMessage(): Uint8Array {
  const options = [
    numberAttribute(uapi.TCA_BPF_ID, 12),
    stringAttribute(uapi.TCA_BPF_NAME, 'sniffer.bpf.o:[tc]'),
    numberAttribute(uapi.TCA_BPF_FLAGS, uapi.TCA_BPF_FLAG_ACT_DIRECT),
  ];
  const attributes = encodeAttributes([
    stringAttribute(uapi.TCA_KIND, 'bpf'),
    numberAttribute(uapi.TCA_CHAIN, 0),
    { type: uapi.TCA_OPTIONS, value: options },
  ]);
  const header = uapi.tcmsg.encode({ tcm_ifindex: 7, tcm_handle: 1, tcm_parent: 0xffff_fff2, tcm_info: 3 });
  const body = Buffer.concat([header, attributes]);
  return encodeMessage({ type: uapi.RTM_NEWTFILTER, flags: 2, sequence: 1, body });
}

const PARENT = { ifindex: 7, name: 'eth0', parent: 0xffff_fff2 };

export function netlinkTarget(): FuzzTarget {
  const one = [interfaceMessage(), addressMessage(), errorMessage(), filterMessage()];
  const datagrams = [...one, Buffer.concat(one)];
  return {
    name: 'netlink',
    mutant: (dice) => mutateBytes(dice.pick(datagrams), dice),
    exercise(input) {
      const messages = attempt([BoundsError], () => decodeMessages(input));
      if (!messages) return 'refused';
      let refused = false;
      for (const message of messages) {
        const decodeAnyFilter = (body: Uint8Array): unknown => decodeFilter(body, PARENT);
        for (const decode of [decodeInterface, decodeAddress, decodeQdisc, decodeAnyFilter])
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

const PAGE = 4096;
const HEAD = 0;
const TAIL = 8;
/** Of the input: the head, the tail, then the data. */
const PERF_POSITIONS = 16;

function perfRing(records: readonly (readonly [type: number, length: number])[], start: number): Uint8Array {
  const bytes = new Uint8Array(PERF_POSITIONS + RING);
  const view = new DataView(bytes.buffer);
  let position = start;
  const put = (at: number, word: number): void => {
    view.setUint32(PERF_POSITIONS + ((position + at) % RING), word, true);
  };
  for (const [type, length] of records) {
    const size = type === uapi.PERF_RECORD_SAMPLE ? 12 + length : 24;
    const whole = (size + 7) & ~7;
    put(0, type);
    put(4, whole << 16);
    put(8, type === uapi.PERF_RECORD_SAMPLE ? whole - 12 : 1);
    if (type === uapi.PERF_RECORD_LOST) put(16, length);
    position += whole;
  }
  view.setUint32(HEAD, position, true);
  view.setUint32(TAIL, start, true);
  return bytes;
}

/** The ring of a perf event, whose records wrap at its end. */
export function perfTarget(): FuzzTarget {
  const { PERF_RECORD_SAMPLE: sample, PERF_RECORD_LOST: lost } = uapi;
  const rings = [
    perfRing([[sample, 20], [lost, 7], [sample, 4], [sample, 100]], 0),
    perfRing([[sample, 200], [sample, 60], [lost, 1]], RING - 64),
    perfRing([[sample, 4060]], 4096),
    perfRing([], 8),
  ]; // prettier-ignore
  return {
    name: 'perf-ring',
    mutant(dice) {
      const original = dice.pick(rings);
      if (!dice.onceIn(3)) return mutateBytes(original, dice);
      // Most of a ring is data; what counts lies at its start and at its positions.
      const bytes = original.slice();
      bytes.set(mutateBytes(bytes.subarray(0, 64), dice).subarray(0, 64));
      return bytes;
    },
    exercise(input) {
      const whole = new Uint8Array(PERF_POSITIONS + RING);
      whole.set(input.subarray(0, whole.length));
      const buffer = new ArrayBuffer(PAGE + RING);
      const view = new DataView(whole.buffer);
      const page = new BigUint64Array(buffer);
      page[uapi.perf_event_mmap_page.offsets.data_head / 8] = view.getBigUint64(HEAD, true);
      page[uapi.perf_event_mmap_page.offsets.data_tail / 8] = view.getBigUint64(TAIL, true) & 0xffff_ffffn;
      new Uint8Array(buffer, PAGE).set(whole.subarray(PERF_POSITIONS));
      using mapping = new MemoryMapping(buffer, () => undefined);
      const memory = new PerfMemory(mapping, { pageSize: PAGE });
      let records = 0;
      const walked = attempt([BoundsError], () =>
        memory.walk({
          sample(data, start, length) {
            demand(start >= 0 && start + length <= data.byteLength, 'a sample lies outside of its bytes');
            return ++records < 10_000;
          },
          lost: () => records++,
        }),
      );
      return walked === undefined ? 'refused' : records > 0 ? 'read' : 'nothing there';
    },
  };
}
