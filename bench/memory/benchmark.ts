import { join } from 'node:path';
import { createVethPair, deleteInterface, interfaceByName, RouteSocket } from '../../src/netlink/index.ts';
import { projectRoot } from '../project-root.ts';
import type { BenchmarkReport } from '../report.ts';
import { buildCommand } from '../startup/benchmark.ts';
import { median, round } from '../statistics.ts';
import { measureMemory, type Memory } from './measure-memory.ts';

const OBJECT = 'bpf/sniffer.bpf.o';

/** A process that does nothing and stays. */
const EMPTY_SCRIPT = "require('node:fs').writeSync(1, 'ready\\n'); setInterval(() => {}, 1 << 30)";

/** What a running `ts-xdp load` takes of memory over a Node process that does nothing; they take turns. */
export async function benchMemory({ runs = 5 }: { runs?: number | undefined }): Promise<BenchmarkReport> {
  const root = projectRoot();
  buildCommand(root);
  const socket = RouteSocket.open();
  const name = `txm${String(process.pid)}a`;
  createVethPair(socket, { name, peer: { name: `txm${String(process.pid)}b` } });
  const command = [join(root, 'dist/cli/main.js'), 'load', join(root, OBJECT), '--iface', name, '--json'];
  const ours: Memory[] = [];
  const empty: Memory[] = [];
  try {
    for (let run = 0; run < runs; run++) {
      ours.push(await measureMemory([...command, '--duration', '60s'], '"type":"attached"'));
      empty.push(await measureMemory(['--eval', EMPTY_SCRIPT], 'ready'));
    }
  } finally {
    deleteInterface(socket, { ...interfaceByName(socket, name) });
    socket.close();
  }
  const compare = (what: string, part: keyof Memory): BenchmarkReport['results'][number] => {
    const own = median(ours.map((memory) => memory[part])) / 1024;
    const others = median(empty.map((memory) => memory[part])) / 1024;
    return {
      peer: 'node',
      unit: 'MB',
      what,
      ours: round(own, 1),
      theirs: round(others, 1),
      ratio: others === 0 ? null : round(own / others, 3),
      difference: round(own - others, 1),
      runs,
    };
  };
  return {
    benchmark: 'memory',
    results: [
      compare('resident, ts-xdp load', 'resident'),
      compare('of it anonymous', 'anonymous'),
      compare('of it files', 'files'),
    ],
  };
}
