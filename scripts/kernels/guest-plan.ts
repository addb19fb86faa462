/** The serial lines of a guest, beside the console on ttyS0. */
export const LINES = { stdout: 'ttyS1', stderr: 'ttyS2', control: 'ttyS3' } as const;

export interface GuestPlan {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingFolder: string;
  /** Where the disks after the first are mounted. */
  readonly mounts: readonly { readonly path: string; readonly writable: boolean }[];
}

const KERNEL_FILE_SYSTEMS: readonly (readonly [type: string, path: string])[] = [
  ['proc', '/proc'],
  ['sysfs', '/sys'],
  ['tmpfs', '/tmp'],
  ['bpf', '/sys/fs/bpf'],
  ['debugfs', '/sys/kernel/debug'],
  ['tracefs', '/sys/kernel/tracing'],
  ['cgroup2', '/sys/fs/cgroup'],
];

/** The script of the guest's first process: mounts, runs the command, tells how it ended, and switches off. */
export function guestScript(plan: GuestPlan): string {
  const { command, environment, workingFolder, mounts } = plan;
  return [
    '#!/usr/bin/sh',
    'export PATH=/usr/bin HOME=/root LANG=C.UTF-8',
    ...KERNEL_FILE_SYSTEMS.map(([type, path]) => `mount -t ${type} ${type} ${path} 2>/dev/null`),
    'mkdir -p /dev/shm && mount -t tmpfs shm /dev/shm',
    'ln -s /proc/self/fd /dev/fd',
    'ip link set lo up',
    ...mounts.flatMap(({ path, writable }, index) => {
      const device = `/dev/vd${String.fromCharCode('b'.charCodeAt(0) + index)}`;
      const mount = `mount -t ext4 -o ${writable ? 'rw' : 'ro'} ${device} ${quote(path)}`;
      return [`mkdir -p ${quote(path)}`, `${mount} || { echo "no disk for ${path}"; reboot -f; }`];
    }),
    // Bytes go through as they are: no carriage returns, no echo.
    ...Object.values(LINES).map((line) => `stty -F /dev/${line} raw -echo 115200`),
    `echo started > /dev/${LINES.control}`,
    ...Object.entries(environment).map(([name, value]) => `export ${name}=${quote(value)}`),
    `cd ${quote(workingFolder)}`,
    `${command.map(quote).join(' ')} < /dev/null > /dev/${LINES.stdout} 2> /dev/${LINES.stderr}`,
    'code=$?',
    'cd /',
    'sync',
    ...mounts.filter(({ writable }) => writable).map(({ path }) => `umount ${quote(path)}`),
    `echo exit $code > /dev/${LINES.control}`,
    'reboot -f',
    '',
  ].join('\n');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
