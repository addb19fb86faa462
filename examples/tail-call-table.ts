/**
 * Tail calls through a program array that the object itself fills: nothing is to be done here but to attach the first
 * program. Prints what the others have counted, until Ctrl-C.
 *
 *     tail-call-table.ts eth0
 */
import { setInterval } from 'node:timers/promises';
import { attachXdp } from 'ts-xdp';
import { load } from './bpf/tail-call-table.ts';
import { firstArgument, interrupted } from './lib/interrupted.ts';

const device = firstArgument('tail-call-table.ts INTERFACE');
// The kernel empties a program array when its last user reference goes, whatever is attached: the loaded object holds it.
using loaded = load();
const { programs, variables } = loaded;
using _attachment = attachXdp(programs.sort_packets, { interface: device });
const signal = interrupted();
console.log(`sorting on ${device}, Ctrl-C ends it`);

function print(): void {
  const { syns, acks, others } = variables;
  console.log(`SYN ${String(syns.get())}, ACK ${String(acks.get())}, others ${String(others.get())}`);
}

try {
  for await (const _ of setInterval(1000, undefined, { signal })) print();
} catch (error) {
  if (!signal.aborted) throw error;
}
print();
