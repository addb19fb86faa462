/**
 * Every process that ends on this machine, with its exit code or the signal that killed it.
 *
 *     exit-snoop.ts
 */
import { constants } from 'node:os';
import { attachTracepoint } from 'ts-xdp';
import { load, type Event } from './bpf/exit-snoop.ts';
import { interrupted } from './lib/interrupted.ts';

const SIGNALS = new Map<number, string>(
  Object.entries(constants.signals).map(([name, number]) => [number, name]),
);

function endOf({ exit_code: code, signal }: Event): string {
  return signal === 0 ? String(code) : (SIGNALS.get(signal) ?? `signal ${String(signal)}`);
}

using snoop = load();
using _attachment = attachTracepoint(snoop.programs.handle_exit, { tracepoint: 'sched/sched_process_exit' });
const signal = interrupted();
console.log('    PID COMMAND          EXIT');
for await (const event of snoop.events.events.reader.events({ signal }))
  console.log(`${String(event.pid).padStart(7)} ${event.comm.padEnd(16)} ${endOf(event)}`);
const lost = snoop.variables.lost.get();
if (lost > 0n) console.error(`${lost.toString()} were lost: reading was slower than they came`);
