/**
 * Counts the packets that an interface receives in two ways: in one number for all CPUs, or in one for each.
 *
 *     count-packets.ts eth0 [per-cpu]
 */
import { setInterval } from 'node:timers/promises';
import { attachXdp } from 'ts-xdp';
import { load } from './bpf/count-packets.ts';
import { firstArgument, interrupted } from './lib/interrupted.ts';

const device = firstArgument('count-packets.ts INTERFACE [per-cpu]');
const perCpu = process.argv[3] === 'per-cpu';
const signal = interrupted();
using loaded = load();
const { programs, maps } = loaded;
using attachment = attachXdp(perCpu ? programs.count_per_cpu : programs.count_packets, { interface: device });
console.log(`counting on ${device} in ${attachment.mode} mode, Ctrl-C ends it`);

function print(): void {
  if (!perCpu) {
    console.log(`${String(maps.counters.get(0) ?? 0n)} packets`);
    return;
  }
  const each = maps.per_cpu_data.get(0) ?? [];
  const list = each.map((count, cpu) => `CPU ${String(cpu)}: ${count.toString()}`).join(', ');
  console.log(`${String(maps.per_cpu_data.sum(0) ?? 0n)} packets (${list})`);
}

try {
  for await (const _ of setInterval(1000, undefined, { signal })) print();
} catch (error) {
  if (!signal.aborted) throw error;
}
print();
