import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

/** Milliseconds from spawning a command until it has printed `awaited`; then it gets SIGINT and its end is waited for. */
export async function timeUntilPrinted(args: readonly string[], awaited: string): Promise<number> {
  const start = process.hrtime.bigint();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  let elapsed: number | undefined;
  let printed = '';
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
    if (elapsed !== undefined || !printed.includes(awaited)) return;
    elapsed = Number(process.hrtime.bigint() - start) / 1e6;
    child.kill('SIGINT');
  });
  await ended;
  if (elapsed === undefined)
    throw new Error(`node ${args.join(' ')} has not printed ${awaited}: ${printed}${complaint}`);
  return elapsed;
}

/** Milliseconds that libbpf-load.c says it took. */
export function timeLibbpf(program: string, args: readonly string[]): number {
  return Number(execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })) / 1e6;
}
