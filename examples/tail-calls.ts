/**
 * Exchanges parts of a program that stays attached: what to do with the packets of a protocol is a program of its own,
 * which the first one jumps to through a program array. Reads commands until its input ends.
 *
 *     tail-calls.ts eth0
 *     udp drop
 *     udp pass
 *     udp none
 *     counts
 */
import { createInterface } from 'node:readline';
import { attachXdp } from 'ts-xdp';
import { load } from './bpf/tail-calls.ts';
import { firstArgument } from './lib/interrupted.ts';

const PROTOCOLS: Readonly<Record<string, number>> = { icmp: 1, tcp: 6, udp: 17 };

const device = firstArgument('tail-calls.ts INTERFACE');
using loaded = load();
const { programs, variables, maps } = loaded;
const handlers = { pass: programs.count_and_pass, drop: programs.count_and_drop };
using _attachment = attachXdp(programs.dispatch, { interface: device });
console.log(`dispatching on ${device}`);

function printCounts(): void {
  for (const [name, number] of Object.entries(PROTOCOLS))
    console.log(`${name} ${String(maps.counts.get(number) ?? 0n)}`);
  console.log(`unhandled ${variables.unhandled.get().toString()}`);
}

function handle(name: string, action: string): void {
  const protocol = PROTOCOLS[name];
  if (protocol === undefined || !['pass', 'drop', 'none'].includes(action)) {
    console.error('commands: PROTOCOL pass|drop|none, counts');
    return;
  }
  // A program array takes descriptors; what it holds is the program, so that the descriptor may be closed.
  if (action === 'pass' || action === 'drop') maps.handlers.set(protocol, handlers[action].fd.value);
  else maps.handlers.delete(protocol);
  console.log(`${name}: ${action}`);
}

for await (const line of createInterface({ input: process.stdin })) {
  const [name = '', action = ''] = line.trim().split(/\s+/);
  if (name === 'counts') printCounts();
  else handle(name, action);
}
