import { spawnSync } from 'node:child_process';
import { ConformanceFailure } from './failure.ts';

/** Runs a command to its end and returns what it printed; one that fails ends the run with what it said. */
export function runCommand(command: string, args: readonly string[], purpose: string): string {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status === 0) return stdout;
  const said = error?.message ?? (stderr.trim() || `${command} ended with ${String(status)}`);
  throw new ConformanceFailure(`Cannot ${purpose}: ${said}`);
}
