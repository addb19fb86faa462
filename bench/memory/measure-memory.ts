import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** KiB. */
export interface Memory {
  /** Everything that is in memory, what it shares with other processes included. */
  readonly resident: number;
  /** Of it what no file stands behind: the heaps of V8 and of C. */
  readonly anonymous: number;
  /** Of it pages of files: the program, libraries, and what is mapped of the kernel. */
  readonly files: number;
}

/** Milliseconds in which a process comes to rest. */
const REST = 1000;

/** What a Node process has in memory a moment after it has printed `awaited`; then it gets SIGINT and its end is waited for. */
export async function measureMemory(args: readonly string[], awaited: string): Promise<Memory> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  let printed = '';
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const ready = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      if (printed.includes(awaited)) resolve();
    });
  });
  await Promise.race([ready, ended]);
  if (!printed.includes(awaited))
    throw new Error(`node ${args.join(' ')} has not printed ${awaited}: ${printed}${complaint}`);
  await delay(REST);
  const memory = readMemory(child.pid ?? 0);
  child.kill('SIGINT');
  await ended;
  return memory;
}

function readMemory(pid: number): Memory {
  const text = readFileSync(`/proc/${String(pid)}/smaps_rollup`, 'utf8');
  const read = (field: string): number => Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(text)?.[1]);
  const [resident, anonymous] = [read('Rss'), read('Anonymous')];
  return { resident, anonymous, files: resident - anonymous };
}
