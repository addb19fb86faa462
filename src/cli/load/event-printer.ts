import { toJson, type BtfValue } from '../../btf/index.ts';
import type { ObjectFile } from '../../elf/index.ts';
import { hasTimestamp, structsOfSize, type EventType } from '../../loader/index.ts';
import type { BpfMap } from '../../maps/index.ts';
import { RingBuffer } from '../../ringbuf/index.ts';
import {
  capturedEventFromRecord,
  describeFields,
  describePacket,
  hexDump,
  isSnifferEvent,
  type CapturedEvent,
} from '../../sniffer/index.ts';
import { clockGettime, type WallClock } from '../../sys/index.ts';
import type { Output } from '../output/output.ts';

type Fields = Record<string, BtfValue>;

export interface EventSink {
  /** Gets the sniffer's events, in their common form. */
  captured?: (event: CapturedEvent) => void;
}

/** Reads one ring buffer and prints each event. */
export class EventPrinter {
  readonly ring: RingBuffer<BtfValue | Uint8Array>;
  readonly handle: (event: BtfValue | Uint8Array) => void;
  readonly #map: BpfMap;
  readonly #output: Output;
  readonly #clock: WallClock;
  #hinted = false;

  constructor(
    map: BpfMap,
    context: {
      object: ObjectFile;
      type: EventType | undefined;
      output: Output;
      clock: WallClock;
      sink: EventSink;
    },
  ) {
    const { object, type } = context;
    this.#map = map;
    this.#output = context.output;
    this.#clock = context.clock;
    if (type && object.btf) {
      const { btf } = object;
      const timed = hasTimestamp(object, type);
      this.ring = RingBuffer.typed(map, { btf, typeId: type.typeId });
      this.handle = (event) => {
        this.#printTyped(event as Fields, { type, timed, sink: context.sink });
      };
    } else {
      this.ring = RingBuffer.bytes(map);
      this.handle = (event) => {
        this.#printBytes(event as Uint8Array, object);
      };
    }
  }

  #printTyped(
    data: Fields,
    { type, timed, sink }: { type: EventType; timed: boolean; sink: EventSink },
  ): void {
    const time = timed ? this.#clock.toIso(data['timestamp'] as bigint) : this.#now();
    const captured = isSnifferEvent(type.name) && (sink.captured || !this.#output.json);
    const event = captured ? capturedEventFromRecord(data) : undefined;
    if (event) sink.captured?.(event);
    this.#output.stream({
      json: () => ({ type: 'event', map: this.#map.name, struct: type.name, time, data: toJson(data) }),
      text: () => (event ? describePacket(event, time) : `${time} ${this.#map.name} ${describeFields(data)}`),
    });
  }

  #printBytes(bytes: Uint8Array, object: ObjectFile): void {
    const time = this.#now();
    if (!this.#hinted) {
      this.#hinted = true;
      this.#output.note(howToName(this.#map.name, structsOfSize(object.btf, bytes.length)));
    }
    const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
    this.#output.stream({
      json: () => ({ type: 'event', map: this.#map.name, struct: null, time, size: bytes.length, hex }),
      text: () => `${time} ${this.#map.name} ${bytes.length} bytes\n${hexDump(bytes)}`,
    });
  }

  #now(): string {
    return this.#clock.toIso(clockGettime('monotonic'));
  }
}

function howToName(map: string, candidates: readonly string[]): string {
  const example = candidates[0] ?? 'STRUCT';
  const known = candidates.length > 0 ? ` (of that size: ${candidates.join(', ')})` : '';
  return `note: nothing says what the events of ${map} are, so they are shown as bytes; name their struct${known}: --event ${map}=${example}`;
}
