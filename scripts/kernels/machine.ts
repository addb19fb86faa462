import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { join } from 'node:path';
import type { Emulator } from './emulator.ts';
import { LINES } from './guest-plan.ts';
import { ownChild } from './own-processes.ts';

export interface Disk {
  readonly image: string;
  /** Whether what the guest writes stays; otherwise it goes to a temporary file of QEMU's. */
  readonly keep: boolean;
}

export interface MachineOptions {
  readonly emulator: Emulator;
  readonly image: string;
  readonly initialFiles: string;
  readonly disks: readonly Disk[];
  readonly memoryMebibytes: number;
  readonly timeoutSeconds: number;
  /** An empty folder for sockets. */
  readonly folder: string;
  readonly onOutput: (line: 'stdout' | 'stderr' | 'control' | 'console', text: string) => void;
}

/** Runs a virtual machine until it switches itself off. False where it was ended for taking too long. */
export async function runMachine(options: MachineOptions): Promise<boolean> {
  const { emulator, folder, onOutput } = options;
  const servers: Server[] = [];
  try {
    for (const line of Object.keys(LINES) as (keyof typeof LINES)[]) {
      servers.push(
        await listen(join(folder, line), (text) => {
          onOutput(line, text);
        }),
      );
    }
    // setpriv: a guest must not outlive this process, even when that is killed.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', emulator.program, ...machineArguments(options)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, LD_LIBRARY_PATH: emulator.libraryPath },
    });
    ownChild(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        onOutput('console', text);
      });
    }
    return await ended(child, options.timeoutSeconds);
  } finally {
    for (const server of servers) server.close();
  }
}

function ended(child: ReturnType<typeof spawn>, timeoutSeconds: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let inTime = true;
    const timer = setTimeout(() => {
      inTime = false;
      child.kill('SIGKILL');
    }, timeoutSeconds * 1000);
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      resolve(inTime);
    });
  });
}

function machineArguments({
  emulator,
  image,
  initialFiles,
  disks,
  memoryMebibytes,
  folder,
}: MachineOptions): string[] {
  const sockets = Object.keys(LINES).flatMap((line) => [
    '-chardev',
    `socket,id=${line},path=${join(folder, line)}`,
    '-serial',
    `chardev:${line}`,
  ]);
  return [
    ...emulator.firmware.flatMap((path) => ['-L', path]),
    // KVM is not asked for: where this runs inside a virtual machine itself, it hangs more often than it helps.
    ...['-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '1', '-m', String(memoryMebibytes)],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-serial', 'stdio', ...sockets],
    ...disks.flatMap(({ image: file, keep }) => [
      '-drive',
      `file=${file},format=raw,if=virtio,snapshot=${keep ? 'off' : 'on'}`,
    ]),
    ...['-kernel', image, '-initrd', initialFiles],
    // Without "tsc=unstable" the emulated clock is found unstable later, in the middle of a test.
    ...['-append', 'console=ttyS0 quiet panic=-1 tsc=unstable lsm=landlock,bpf'],
  ];
}

function listen(path: string, onText: (text: string) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.setEncoding('utf8').on('data', onText);
      // QEMU closes without goodbye when it is killed.
      socket.on('error', () => undefined);
    });
    server.on('error', reject);
    server.listen(path, () => {
      resolve(server);
    });
  });
}
