import { constants } from 'node:os';
import { NetlinkError, PermissionError, TsXdpError, UnsupportedFeatureError } from '../../src/index.ts';
import { effectiveCapabilities, missingCapabilities } from '../../src/sys/index.ts';

/** The same as those of the command line. */
export const ExitCode = { Right: 0, Wrong: 1, NotPermitted: 3, Unsupported: 4 } as const;

/** SIGINT or SIGTERM came. */
export class Interruption extends Error {
  readonly signal: 'SIGINT' | 'SIGTERM';

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`interrupted by ${signal}; what the demo made is removed`);
    this.signal = signal;
  }
}

export function exitCodeOf(error: unknown): number {
  // As shells say it.
  if (error instanceof Interruption) return 128 + constants.signals[error.signal];
  if (error instanceof PermissionError) return ExitCode.NotPermitted;
  if (error instanceof UnsupportedFeatureError) return ExitCode.Unsupported;
  // A kernel without veth.
  if (error instanceof NetlinkError && error.errnoName === 'EOPNOTSUPP') return ExitCode.Unsupported;
  return ExitCode.Wrong;
}

/** What went wrong and what to do about it; the stack only of what should never happen. */
export function describeFailure(error: unknown): string {
  if (error instanceof Interruption) return `demo: ${error.message}`;
  if (!(error instanceof TsXdpError))
    return `demo: unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  const lines = [`demo: ${error.message}`];
  if (error.hint !== undefined) lines.push(`hint: ${error.hint}`);
  return lines.join('\n');
}

/** Fails early and clearly; in a user namespace the kernel may still refuse later on. @throws PermissionError */
export function checkPrivileges(effective = effectiveCapabilities()): void {
  // CAP_SYS_ADMIN stands in for CAP_BPF, which came with Linux 5.8, and in bpf(2) alone for CAP_NET_ADMIN.
  const missing = missingCapabilities(['CAP_BPF', 'CAP_PERFMON', 'CAP_NET_RAW'], effective);
  if (!effective.has('CAP_NET_ADMIN')) missing.push('CAP_NET_ADMIN');
  if (missing.length === 0) return;
  throw new PermissionError(
    'bpf',
    'EPERM',
    missing,
    `Cannot run the demo: it makes network interfaces and loads a BPF program, which needs ${missing.join(', ')}`,
    {
      hint:
        process.getuid?.() === 0
          ? 'this root has been denied them, as in a container: docker run --privileged grants them'
          : 'run it as root: sudo env "PATH=$PATH" npm run demo',
    },
  );
}
