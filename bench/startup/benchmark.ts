import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createVethPair, deleteInterface, interfaceByName, RouteSocket } from '../../src/netlink/index.ts';
import { compileWithLibbpf } from '../compile-c.ts';
import { projectRoot } from '../project-root.ts';
import type { BenchmarkReport } from '../report.ts';
import { isStale } from '../stale.ts';
import { median, round } from '../statistics.ts';
import { timeLibbpf, timeUntilPrinted } from './timed-process.ts';

const OBJECT = 'bpf/sniffer.bpf.o';
const PROGRAM = 'xdp_sniffer_enhanced';

/** An "empty" process that says when it runs, without the streams that console.log() would set up. */
const EMPTY_SCRIPT = "require('node:fs').writeSync(1, 'ready\\n')";

/**
 * From starting `ts-xdp load` until its line "attached", against a Node process that does nothing, plus what libbpf
 * takes in C to open, load and attach the same program. On a pair of interfaces of its own; the three alternate.
 */
export async function benchStartup({ runs = 21 }: { runs?: number | undefined }): Promise<BenchmarkReport> {
  const root = projectRoot();
  buildCommand(root);
  const peer = compileWithLibbpf(root, 'bench/startup/libbpf-load.c');
  if (peer.path === undefined) console.error(`libbpf's part is missing: ${peer.missing ?? ''}`);
  const socket = RouteSocket.open();
  const name = `txb${String(process.pid)}a`;
  createVethPair(socket, { name, peer: { name: `txb${String(process.pid)}b` } });
  try {
    const { index } = interfaceByName(socket, name);
    const object = join(root, OBJECT);
    const command = [join(root, 'dist/cli/main.js'), 'load', object, '--iface', name, '--json'];
    const times = { ours: [] as number[], node: [] as number[], libbpf: [] as number[] };
    for (let run = 0; run <= runs; run++) {
      const ours = await timeUntilPrinted([...command, '--duration', '60s'], '"type":"attached"');
      const node = await timeUntilPrinted(['--eval', EMPTY_SCRIPT], 'ready');
      const libbpf =
        peer.path === undefined ? undefined : timeLibbpf(peer.path, [object, PROGRAM, String(index)]);
      // The first run fills the page cache.
      if (run === 0) continue;
      times.ours.push(ours);
      times.node.push(node);
      if (libbpf !== undefined) times.libbpf.push(libbpf);
    }
    return report(times, runs);
  } finally {
    deleteInterface(socket, { ...interfaceByName(socket, name) });
    socket.close();
  }
}

/** The command as it is installed: from dist/, built from what is there now. */
export function buildCommand(root: string): void {
  if (!isStale(join(root, 'build/modules/.tsbuildinfo'), [join(root, 'src')])) return;
  const { status } = spawnSync(process.execPath, [join(root, 'scripts/run.mjs'), 'build'], {
    cwd: root,
    // What does not compile is said, on standard error: standard output is the report's.
    stdio: ['ignore', 2, 'inherit'],
  });
  if (status !== 0) throw new Error('Cannot measure the command: it does not compile');
}

function report(
  times: Readonly<Record<'ours' | 'node' | 'libbpf', readonly number[]>>,
  runs: number,
): BenchmarkReport {
  const ours = median(times.ours);
  const node = median(times.node);
  const libbpf = times.libbpf.length === 0 ? undefined : median(times.libbpf);
  const theirs = libbpf === undefined ? undefined : node + libbpf;
  return {
    benchmark: 'startup',
    results: [
      {
        peer: 'node+libbpf',
        unit: 'ms',
        what: 'exec to attached, ts-xdp load',
        ours: round(ours, 1),
        theirs: theirs === undefined ? null : round(theirs, 1),
        ratio: theirs === undefined ? null : round(ours / theirs, 3),
        difference: theirs === undefined ? null : round(ours - theirs, 1),
        node: round(node, 1),
        libbpf: libbpf === undefined ? null : round(libbpf, 1),
        runs,
      },
    ],
  };
}
