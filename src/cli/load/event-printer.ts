import { formatType, toJson, type BtfValue } from '../../btf/index.ts';
import type { ObjectFile } from '../../elf/index.ts';
import type { BpfMap } from '../../maps/index.ts';
import { RingBuffer } from '../../ringbuf/index.ts';
import {
  capturedEventFromRecord,
  tcpFlagNames,
  type CapturedEvent,
  type WallClock,
} from '../../sniffer/index.ts';
import { clockGettime } from '../../sys/index.ts';
import type { Json } from '../output/error-report.ts';
import type { Output } from '../output/output.ts';
import { structsOfSize, type EventType } from './event-types.ts';

type Fields = Record<string, BtfValue>;

/** The structs of the shipped sniffer, which have a text form of their own. */
const SNIFFER_EVENTS: ReadonlySet<string> = new Set(['simple_event', 'simple_event_v6']);

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
    const captured = SNIFFER_EVENTS.has(type.name) && (sink.captured || !this.#output.json);
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

/** A u64 field `timestamp` is taken for bpf_ktime_get_ns(), as the contract of docs/events.md says. */
function hasTimestamp(object: ObjectFile, { typeId }: EventType): boolean {
  const type = object.btf?.type(typeId);
  if (!object.btf || type?.kind !== 'struct') return false;
  const field = type.members.find((member) => member.name === 'timestamp');
  return (
    field !== undefined &&
    /^(__u64|u64|uint64_t|unsigned long long|unsigned long)$/.test(formatType(object.btf, field.typeId))
  );
}

function howToName(map: string, candidates: readonly string[]): string {
  const example = candidates[0] ?? 'STRUCT';
  const known = candidates.length > 0 ? ` (of that size: ${candidates.join(', ')})` : '';
  return `note: nothing says what the events of ${map} are, so they are shown as bytes; name their struct${known}: --event ${map}=${example}`;
}

/** `11:14:57.123456 eth0 TCP 10.0.0.1:80 > 10.0.0.2:4242 [SYN,ACK] 60 bytes, 0 of payload` */
function describePacket(event: CapturedEvent, time: string): string {
  const clock = time.slice('2026-11-20T'.length, '2026-11-20T11:14:57.123456'.length);
  const ports = event.sourcePort !== 0 || event.destinationPort !== 0;
  const end = (address: string, port: number): string => {
    if (!ports) return address;
    return event.family === 'ipv6' ? `[${address}]:${port}` : `${address}:${port}`;
  };
  const flags = event.protocolName === 'TCP' ? ` [${tcpFlagNames(event.tcpFlags).join(',')}]` : '';
  const vlan = event.ipv6 && event.ipv6.vlanProtocol !== 0 ? ` vlan ${event.ipv6.vlanTag & 0xfff}` : '';
  return (
    `${clock} ${event.interfaceName} ${event.protocolName} ` +
    `${end(event.sourceAddress, event.sourcePort)} > ${end(event.destinationAddress, event.destinationPort)}` +
    `${flags}${vlan} ${event.packetLength} bytes, ${event.payload.length} of payload`
  );
}

function describeFields(data: Fields): string {
  return Object.entries(data)
    .map(([name, value]) => `${name}=${describeValue(toJson(value))}`)
    .join(' ');
}

function describeValue(value: Json): string {
  return typeof value === 'string' && !/[\s"=]/.test(value) ? value : JSON.stringify(value);
}

function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`  ${at.toString(16).padStart(4, '0')}  ${hex.padEnd(47)}  ${text}`);
  }
  return lines.join('\n');
}
