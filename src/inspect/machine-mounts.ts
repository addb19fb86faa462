import type { Check } from './check.ts';
import { inGroup } from './check.ts';
import type { MachineFiles } from './machine-files.ts';

interface FileSystem {
  readonly name: string;
  /** As in /proc/self/mounts. */
  readonly type: string;
  readonly advice: string;
}

const fileSystems: readonly FileSystem[] = [
  {
    name: 'bpf file system',
    type: 'bpf',
    advice: 'Pinning (--pin, --detach) needs it: mount -t bpf bpf /sys/fs/bpf',
  },
  {
    name: 'tracefs',
    type: 'tracefs',
    advice: 'Tracepoints and --trace need it: mount -t tracefs nodev /sys/kernel/tracing',
  },
  {
    name: 'cgroup v2',
    type: 'cgroup2',
    advice: 'Programs on cgroups need it: mount -t cgroup2 none /sys/fs/cgroup/unified',
  },
];

/** The kernel's file systems that BPF is used through, and where they are mounted. */
export function checkMounts(files: MachineFiles): Check[] {
  const mounted = parseMounts(files.read('/proc/self/mounts') ?? '');
  const checks = fileSystems.map(({ name, type, advice }): Omit<Check, 'group'> => {
    const path = mounted.find((mount) => mount.type === type)?.path;
    return path === undefined
      ? { name, status: 'warning', value: null, text: 'not mounted', advice }
      : { name, status: 'ok', value: path };
  });
  return inGroup('file systems', checks);
}

interface Mount {
  readonly path: string;
  readonly type: string;
}

/** `source path type options 0 0`, with blanks and backslashes as octal numbers (mangle() in fs/seq_file.c). */
function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [, path, type] = line.split(' ');
    if (path === undefined || type === undefined) return [];
    return [{ path: path.replace(/\\([0-7]{3})/g, (_, octal: string) => byte(octal)), type }];
  });
}

function byte(octal: string): string {
  return String.fromCharCode(parseInt(octal, 8));
}
