import { toJson, type BtfValue, type Json } from '../btf/index.ts';
import type { Collection, EventType } from '../loader/index.ts';
import { findEventTypes, hasTimestamp } from '../loader/index.ts';
import { MapType, type BpfMap } from '../maps/index.ts';
import { RingBuffer } from '../ringbuf/index.ts';
import {
  capturedEventFromRecord,
  describeFields,
  describePacket,
  hexDump,
  isSnifferEvent,
} from '../sniffer/index.ts';
import { clockGettime, WallClock } from '../sys/index.ts';

type Fields = Record<string, BtfValue>;

/** One event, to be printed either way. */
export interface StreamedEvent {
  json(): Json;
  text(): string;
}

interface Source {
  readonly map: BpfMap;
  readonly ring: RingBuffer<BtfValue | Uint8Array>;
  readonly decode: (record: BtfValue | Uint8Array) => StreamedEvent;
}

/** Reads every ring buffer of a collection at once, each by the type that the object gives its events. */
export class EventStream {
  readonly counts = new Map<string, number>();
  readonly #sources: readonly Source[];
  readonly #note: (text: string) => void;
  readonly #clock = WallClock.ofKernel();
  #running = false;

  constructor(collection: Collection, { note }: { note: (text: string) => void }) {
    this.#note = note;
    const rings = [...collection.maps.values()].filter(({ type }) => type === MapType.RingBuffer);
    const types = findEventTypes(collection.object, { rings: rings.map(({ name }) => name), given: [] });
    this.#sources = rings.map((map) => this.#open(map, { collection, type: types.get(map.name) }));
    for (const { name } of rings) this.counts.set(name, 0);
  }

  start(onEvent: (event: StreamedEvent) => void): void {
    if (this.#running) return;
    this.#running = true;
    for (const source of this.#sources) this.#listen(source, onEvent);
  }

  /** What is in the rings stays there, for {@link start} or for another reader. */
  stop(): void {
    this.#running = false;
    for (const { ring } of this.#sources) ring.stop();
  }

  close(): void {
    this.#running = false;
    for (const { ring } of this.#sources) ring.close();
  }

  #open(map: BpfMap, { collection, type }: { collection: Collection; type: EventType | undefined }): Source {
    const { object } = collection;
    if (type && object.btf) {
      const timed = hasTimestamp(object, type);
      const ring = RingBuffer.typed(map, { btf: object.btf, typeId: type.typeId });
      return { map, ring, decode: (data) => this.#typed(data as Fields, { map, type, timed }) };
    }
    return { map, ring: RingBuffer.bytes(map), decode: (bytes) => this.#untyped(bytes as Uint8Array, map) };
  }

  #listen({ map, ring, decode }: Source, onEvent: (event: StreamedEvent) => void): void {
    ring.listen(
      (record) => {
        this.counts.set(map.name, (this.counts.get(map.name) ?? 0) + 1);
        onEvent(decode(record));
      },
      {
        onError: (error) => {
          ring.stop();
          this.#note(`note: the events of ${map.name} are no longer read: ${error.message}`);
        },
      },
    );
  }

  #typed(
    data: Fields,
    { map, type, timed }: { map: BpfMap; type: EventType; timed: boolean },
  ): StreamedEvent {
    const time = timed ? this.#clock.toIso(data['timestamp'] as bigint) : this.#now();
    return {
      json: () => ({ type: 'event', map: map.name, struct: type.name, time, data: toJson(data) }),
      text: () =>
        isSnifferEvent(type.name)
          ? describePacket(capturedEventFromRecord(data), time)
          : `${time} ${map.name} ${describeFields(data)}`,
    };
  }

  #untyped(bytes: Uint8Array, map: BpfMap): StreamedEvent {
    const time = this.#now();
    const size = bytes.length;
    const hex = (): string => Buffer.from(bytes.buffer, bytes.byteOffset, size).toString('hex');
    return {
      json: () => ({ type: 'event', map: map.name, struct: null, time, size, hex: hex() }),
      text: () => `${time} ${map.name} ${String(size)} bytes\n${hexDump(bytes)}`,
    };
  }

  #now(): string {
    return this.#clock.toIso(clockGettime('monotonic'));
  }
}
