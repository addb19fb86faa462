import { NotFoundError } from '../errors.ts';
import type { Btf } from '../btf/index.ts';
import type { Collection } from '../loader/index.ts';
import { RingBuffer } from '../ringbuf/index.ts';
import type { PacketData, PacketDataV6 } from './packet.ts';

const RING = 'packet_ringbuf';
const RING_V6 = 'packet_ringbuf6';

/** What becomes of the two kinds of events, each of which is read in place: `fields` is of use until it returns. */
export interface PacketDecoders<Event> {
  readonly ipv4: (fields: PacketData) => Event;
  readonly ipv6: (fields: PacketDataV6) => Event;
}

/**
 * Readers of the monitor's rings: one of `struct packet_data`, one of `struct packet_data_v6`. The caller closes them.
 *
 * A record of another size makes reading throw EventSizeError.
 *
 * @throws NotFoundError where the object lacks a ring or does not name its events; SyscallError
 */
export function openPacketRings<Event>(
  collection: Collection,
  decoders: PacketDecoders<Event>,
): RingBuffer<Event>[] {
  const ipv4 = RingBuffer.inPlace(collection.map(RING), {
    ...eventsOf(collection, RING),
    decode: decoders.ipv4,
  });
  try {
    const ipv6 = RingBuffer.inPlace(collection.map(RING_V6), {
      ...eventsOf(collection, RING_V6),
      decode: decoders.ipv6,
    });
    return [ipv4, ipv6];
  } catch (error) {
    ipv4.close();
    throw error;
  }
}

function eventsOf({ object }: Collection, ring: string): { btf: Btf; typeId: number } {
  const { btf, anchors } = object;
  const typeId = anchors.events.get(ring);
  if (btf && typeId !== undefined) return { btf, typeId };
  throw new NotFoundError('TYPE_NOT_FOUND', ring, `Cannot read ${ring}: the object does not name its events`);
}
