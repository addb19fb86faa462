import { toJson, type BtfValue, type Json } from '../btf/index.ts';
import type { CapturedEvent } from './captured-event.ts';
import { tcpFlagNames } from './protocol-names.ts';

/** The structs of the shipped sniffer, which have a text form of their own. */
const SNIFFER_EVENTS: ReadonlySet<string> = new Set(['simple_event', 'simple_event_v6']);

/** Whether records of this struct are packets that `capturedEventFromRecord` understands. */
export function isSnifferEvent(struct: string): boolean {
  return SNIFFER_EVENTS.has(struct);
}

/** `11:14:57.123456 eth0 TCP 10.0.0.1:80 > 10.0.0.2:4242 [SYN,ACK] 60 bytes, 0 of payload` */
export function describePacket(event: CapturedEvent, time: string): string {
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

/** `pid=42 comm="two words"` */
export function describeFields(data: Readonly<Record<string, BtfValue>>): string {
  return Object.entries(data)
    .map(([name, value]) => `${name}=${describeValue(toJson(value))}`)
    .join(' ');
}

function describeValue(value: Json): string {
  return typeof value === 'string' && !/[\s"=]/.test(value) ? value : JSON.stringify(value);
}

/** Sixteen bytes on a line: offset, hexadecimal, printable characters. */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`  ${at.toString(16).padStart(4, '0')}  ${hex.padEnd(47)}  ${text}`);
  }
  return lines.join('\n');
}
