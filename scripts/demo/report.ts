import { formatIpv4, formatIpv6 } from '../../src/netlink/index.ts';
import { capturedEventFromRecord, tcpFlagNames } from '../../src/sniffer/index.ts';
import type { CapturedEvent } from '../../src/sniffer/index.ts';
import type { WallClock } from '../../src/sys/index.ts';
import type { EventFields } from './compare-event.ts';
import type { CounterCheck } from './counter-checks.ts';
import type { KindResult, Ledger, Verdict } from './ledger.ts';
import type { DemoPacket } from './packet.ts';
import type { Terminal } from './terminal.ts';

const MARKS = { right: 'ok', wrong: 'WRONG', repeated: 'TWICE', foreign: 'other' } as const;
const COLOURS = { right: 'green', wrong: 'red', repeated: 'red', foreign: 'dim' } as const;

/** Prints what was seen and how it compares with what was sent; made for 100 columns. */
export class Report {
  readonly #terminal: Terminal;
  readonly #clock: WallClock;

  constructor(terminal: Terminal, clock: WallClock) {
    this.#terminal = terminal;
    this.#clock = clock;
  }

  eventHeading(): void {
    const columns = {
      time: 'time (UTC)',
      protocol: '',
      ends: 'from > to',
      frame: 'size',
      payload: 'data',
    };
    this.#terminal.line(this.#terminal.paint('dim', `      ${eventLine(columns)}`));
  }

  /** One event as it was read, and what is wrong with it. */
  event(fields: EventFields, verdict: Verdict): void {
    const event = capturedEventFromRecord(fields);
    const mark = this.#terminal.paint(COLOURS[verdict.kind], MARKS[verdict.kind].padEnd(5));
    const text = eventLine({
      time: this.#time(event),
      protocol: event.protocolName,
      ends: describeEnds(event),
      frame: String(event.packetLength),
      payload: String(event.payload.length),
      notes: describeNotes(event),
    });
    this.#terminal.line(`${mark} ${text}`);
    if (verdict.kind !== 'wrong') return;
    for (const { field, expected, found } of verdict.differences) {
      this.#bad(`      ${field}: expected ${expected}`);
      this.#bad(`      ${' '.repeat(field.length)}     found ${found}`);
    }
  }

  /** A row for each kind of packet, and one for all of them; then the packets that were not seen. */
  summary(ledger: Ledger): void {
    const results = ledger.results();
    const sum = (amount: (result: KindResult) => number): string =>
      String(results.reduce((total, result) => total + amount(result), 0));
    this.#terminal.line();
    this.#bold(summaryLine('kind', ['sent', 'seen', 'fields', 'right']));
    for (const result of results) {
      const text = summaryLine(result.kind, describeResult(result));
      if (isRight(result)) this.#terminal.line(text);
      else this.#bad(text);
    }
    const totals = [
      sum(({ sent }) => sent),
      sum(({ seen }) => seen),
      sum(({ fields }) => fields),
      sum(({ rightFields }) => rightFields),
    ];
    this.#bold(summaryLine('all', totals));
    for (const packet of ledger.missing) this.#bad(`missing: ${describePacket(packet)}`);
  }

  counters(checks: readonly CounterCheck[]): void {
    this.#terminal.line();
    this.#bold("the kernel's counters");
    for (const { text, holds } of checks) {
      if (holds) this.#terminal.line(`${this.#terminal.paint('green', 'ok   ')} ${text}`);
      else this.#bad(`WRONG ${text}`);
    }
  }

  #bold(text: string): void {
    this.#terminal.line(this.#terminal.paint('bold', text));
  }

  #bad(text: string): void {
    this.#terminal.line(this.#terminal.paint('red', text));
  }

  /** `11:14:57.123456` */
  #time({ timestamp }: CapturedEvent): string {
    return this.#clock.toIso(timestamp).slice('2026-11-20T'.length, '2026-11-20T11:14:57.123456'.length);
  }
}

interface EventColumns {
  readonly time: string;
  readonly protocol: string;
  readonly ends: string;
  readonly frame: string;
  readonly payload: string;
  readonly notes?: string;
}

function eventLine({ time, protocol, ends, frame, payload, notes = '' }: EventColumns): string {
  const start = `${time.padEnd(15)} ${protocol.padEnd(6)} ${ends.padEnd(42)}`;
  return `${start} ${frame.padStart(4)} ${payload.padStart(4)} ${notes}`.trimEnd();
}

function describeEnds(event: CapturedEvent): string {
  const { sourceAddress, sourcePort, destinationAddress, destinationPort } = event;
  const end = (address: string, port: number): string => {
    if (sourcePort === 0 && destinationPort === 0) return address;
    return event.family === 'ipv6' ? `[${address}]:${port}` : `${address}:${port}`;
  };
  return `${end(sourceAddress, sourcePort)} > ${end(destinationAddress, destinationPort)}`;
}

function describeNotes({ tcpFlags, ipv6 }: CapturedEvent): string {
  const flags = tcpFlags === 0 ? [] : [tcpFlagNames(tcpFlags).join(',')];
  const vlan = ipv6 && ipv6.vlanProtocol !== 0 ? [`vlan ${ipv6.vlanTag & 0xfff}`] : [];
  return [...flags, ...vlan].join(' ');
}

function describePacket({ kind, frame, fields }: DemoPacket): string {
  const source = fields?.['src_ip'] ?? 0;
  const address = source instanceof Uint8Array ? formatIpv6(source) : formatIpv4(source);
  return `${kind}, from ${address}, ${frame.length} bytes`;
}

function summaryLine(kind: string, columns: readonly string[]): string {
  return `${kind.padEnd(38)} ${columns.map((column) => column.padStart(7)).join(' ')}`;
}

/** Where no event is to come, there are no fields to be right. */
function describeResult({ sent, ignorable, seen, fields, rightFields }: KindResult): string[] {
  if (ignorable === sent) return [String(sent), String(seen), '-', '-', '  no event wanted'];
  return [String(sent), String(seen), String(fields), String(rightFields)];
}

function isRight({ sent, ignorable, seen, fields, rightFields }: KindResult): boolean {
  return seen === sent - ignorable && rightFields === fields;
}
