/** What is in the kernel, by the word of bpftool and iproute2. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pause } from './cli.ts';

interface Named {
  readonly id: number;
  readonly name?: string;
}

function list(kind: 'prog' | 'map'): Named[] {
  return JSON.parse(execFileSync('bpftool', ['-j', kind, 'show'], { encoding: 'utf8' })) as Named[];
}

/** Programs and maps of the names `TAG_…`, as `prog 17 TAG_pass`. */
export function loadedObjects(tag: string): string[] {
  return (['prog', 'map'] as const).flatMap((kind) =>
    list(kind)
      .filter(({ name }) => name?.startsWith(`${tag}_`) === true)
      .map(({ id, name = '' }) => `${kind} ${String(id)} ${name}`),
  );
}

/** The same when the kernel has freed what it frees later (after a grace period of RCU). */
export async function leftObjects(tag: string): Promise<string[]> {
  for (let attempt = 0; attempt < 40; attempt++) {
    const left = loadedObjects(tag);
    if (left.length === 0) return left;
    await pause(50);
  }
  return loadedObjects(tag);
}

export interface XdpState {
  /** The first program of the interface; undefined where none is attached. */
  readonly programId: number | undefined;
  /** IFLA_XDP_ATTACHED: 1 native, 2 generic, 4 several. */
  readonly mode: number | undefined;
}

/** What `ip -d link` says of an interface. */
export function xdpState(name: string, netns?: string): XdpState {
  const args = [...(netns === undefined ? [] : ['-n', netns]), '-j', '-d', 'link', 'show', 'dev', name];
  const [link] = JSON.parse(execFileSync('ip', args, { encoding: 'utf8' })) as {
    xdp?: { mode: number; prog?: { id: number } };
  }[];
  return { programId: link?.xdp?.prog?.id, mode: link?.xdp?.mode };
}

export function ip(args: string, netns?: string): string {
  const place = netns === undefined ? [] : ['-n', netns];
  return execFileSync('ip', [...place, ...args.split(' ')], { encoding: 'utf8' });
}

/** A bpf file system of its own; `close()` unmounts it. */
export class BpfFileSystem {
  readonly path = mkdtempSync(join(tmpdir(), 'ts-xdp-bpffs-'));

  constructor() {
    execFileSync('mount', ['-t', 'bpf', 'bpf', this.path]);
  }

  close(): void {
    execFileSync('umount', [this.path]);
    rmdirSync(this.path);
  }
}
