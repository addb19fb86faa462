/**
 * Packets and bytes that an interface receives, by protocol: a per-CPU hash filled by an XDP program, summed up here.
 *
 *     count-protocols.ts eth0
 */
import { setInterval } from 'node:timers/promises';
import { attachXdp } from 'ts-xdp';
import { load, type Protocol, type Traffic } from './bpf/count-protocols.ts';
import { firstArgument, interrupted } from './lib/interrupted.ts';

const ETHERTYPES: Readonly<Record<number, string>> = { 0x0800: 'IPv4', 0x0806: 'ARP', 0x86dd: 'IPv6' };
const IP_PROTOCOLS: Readonly<Record<number, string>> = { 1: 'ICMP', 6: 'TCP', 17: 'UDP', 58: 'ICMPv6' };

function nameOf({ ethertype, ip_protocol: protocol }: Protocol): string {
  const network = ETHERTYPES[ethertype] ?? `0x${ethertype.toString(16).padStart(4, '0')}`;
  if (!network.startsWith('IP')) return network;
  return `${network} ${IP_PROTOCOLS[protocol] ?? String(protocol)}`;
}

/** The value of a per-CPU map is an array: what each CPU has counted. */
function sum(perCpu: readonly Traffic[]): Traffic {
  return perCpu.reduce((total, { packets, bytes }) => ({
    packets: total.packets + packets,
    bytes: total.bytes + bytes,
  }));
}

const device = firstArgument('count-protocols.ts INTERFACE');
using counter = load();
using attachment = attachXdp(counter.programs.count_protocols, { interface: device });
const signal = interrupted();
console.log(`counting on ${device} in ${attachment.mode} mode, Ctrl-C ends it`);

function print(): void {
  const rows = [...counter.maps.protocols].map(([protocol, perCpu]) => ({
    name: nameOf(protocol),
    ...sum(perCpu),
  }));
  rows.sort((left, right) => Number(right.packets - left.packets));
  for (const { name, packets, bytes } of rows)
    console.log(
      `${name.padEnd(12)} ${String(packets).padStart(12)} packets ${String(bytes).padStart(14)} bytes`,
    );
  console.log('');
}

try {
  for await (const _ of setInterval(1000, undefined, { signal })) print();
} catch (error) {
  if (!signal.aborted) throw error;
}
print();
