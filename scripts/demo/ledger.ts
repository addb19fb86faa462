import { compareEvent } from './compare-event.ts';
import type { EventFields, FieldDifference } from './compare-event.ts';
import type { DemoPacket, PacketFields } from './packet.ts';

/** Reads CLOCK_MONOTONIC, in nanoseconds. */
export type MonotonicClock = () => bigint;

/** What every event says of the interface that it was seen on. */
export interface WatchedPlace {
  readonly interface_mode: number;
  readonly is_wan_facing: number;
  readonly source_ifindex: number;
  readonly source_interface: string;
}

export type Verdict =
  | { readonly kind: 'right' }
  | { readonly kind: 'wrong'; readonly differences: readonly FieldDifference[] }
  /** Of a packet that has had its event. */
  | { readonly kind: 'repeated' }
  /** Of a packet that the demo did not send. */
  | { readonly kind: 'foreign' };

/** A row of the summary. */
export interface KindResult {
  readonly kind: string;
  readonly sent: number;
  /** Sent, and no event is to come of them. */
  readonly ignorable: number;
  readonly seen: number;
  readonly fields: number;
  readonly rightFields: number;
}

interface Entry {
  readonly packet: DemoPacket;
  readonly sentAt: bigint;
  events: number;
  fields: number;
  rightFields: number;
}

/** Keeps account of every packet sent and every event seen, and matches them by the packet's source address. */
export class Ledger {
  readonly #place: WatchedPlace;
  readonly #clock: MonotonicClock;
  readonly #entries: Entry[] = [];
  readonly #bySource = new Map<string, Entry>();
  #events = 0;
  #foreign = 0;
  #faults = 0;

  constructor(place: WatchedPlace, clock: MonotonicClock) {
    this.#place = place;
    this.#clock = clock;
  }

  /** To be called right before the packet is sent. */
  recordSent(packet: DemoPacket): void {
    const entry = { packet, sentAt: this.#clock(), events: 0, fields: 0, rightFields: 0 };
    this.#entries.push(entry);
    if (packet.fields) this.#bySource.set(sourceOf(packet.fields), entry);
  }

  /** To be called when an event was read: its packet was seen between being sent and now. */
  recordEvent(event: EventFields): Verdict {
    this.#events++;
    const entry = this.#bySource.get(sourceOf(event));
    if (!entry) {
      this.#foreign++;
      return { kind: 'foreign' };
    }
    entry.events++;
    if (entry.events > 1) {
      this.#faults++;
      return { kind: 'repeated' };
    }
    const expected = {
      ...entry.packet.fields,
      ...this.#place,
      timestamp: { from: entry.sentAt, to: this.#clock() },
    };
    const differences = compareEvent(event, expected);
    entry.fields = Object.keys(expected).length;
    entry.rightFields = entry.fields - differences.length;
    if (differences.length === 0) return { kind: 'right' };
    this.#faults++;
    return { kind: 'wrong', differences };
  }

  get sent(): number {
    return this.#entries.length;
  }

  /** Packets sent of which no event is to come. */
  get ignorable(): number {
    return this.#entries.length - this.#bySource.size;
  }

  /** Packets sent with a VLAN tag. */
  get tagged(): number {
    return this.#entries.filter(({ packet }) => packet.tagged).length;
  }

  /** Events read, whatever they were of. */
  get events(): number {
    return this.#events;
  }

  /** Events of packets that the demo did not send. */
  get foreign(): number {
    return this.#foreign;
  }

  get missing(): readonly DemoPacket[] {
    return [...this.#bySource.values()].flatMap(({ packet, events }) => (events === 0 ? [packet] : []));
  }

  /** Everything sent was seen once, and nothing was wrong with it. */
  get flawless(): boolean {
    return this.#faults === 0 && this.missing.length === 0;
  }

  /** By kind, in the order in which kinds were first sent. */
  results(): KindResult[] {
    const kinds = new Set(this.#entries.map(({ packet }) => packet.kind));
    return [...kinds].map((kind) => ({
      kind,
      ...sum(this.#entries.filter(({ packet }) => packet.kind === kind)),
    }));
  }
}

function sum(entries: readonly Entry[]): Omit<KindResult, 'kind'> {
  const add = (amount: (entry: Entry) => number): number =>
    entries.reduce((total, entry) => total + amount(entry), 0);
  return {
    sent: entries.length,
    ignorable: add(({ packet }) => (packet.fields ? 0 : 1)),
    seen: add(({ events }) => events),
    fields: add(({ fields }) => fields),
    rightFields: add(({ rightFields }) => rightFields),
  };
}

/** IPv4 addresses are numbers and IPv6 addresses bytes, so the two cannot be mistaken. */
function sourceOf(fields: PacketFields | EventFields): string {
  const source = fields['src_ip'];
  return source instanceof Uint8Array ? Buffer.from(source).toString('hex') : `IPv4 ${String(source)}`;
}
