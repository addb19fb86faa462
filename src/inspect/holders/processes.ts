import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { PinnedKind } from '../../sys/index.ts';
import { unlessGone } from '../unless-gone.ts';

/** An open descriptor of BPF or of a perf event. */
export interface OpenDescriptor {
  readonly pid: number;
  readonly command: string;
  readonly fd: number;
  readonly kind: PinnedKind | 'perf_event' | 'iterator';
  /** 0 for perf events and for open iterators, which the kernel gives no ids. */
  readonly id: number;
}

/** What one pass over /proc found. */
export interface ProcessSurvey {
  readonly descriptors: readonly OpenDescriptor[];
  /** A path to each network namespace that a process is in or has open, by inode. */
  readonly networkNamespaces: ReadonlyMap<number, string>;
  /** A process in each mount namespace, by inode. */
  readonly mountNamespaces: ReadonlyMap<number, number>;
  /** Processes whose descriptors this process may not see. */
  readonly hidden: number;
}

/** What /proc/PID/fd shows (anon_inode_getfd() in kernel/bpf and kernel/events). */
const kinds: Readonly<Record<string, OpenDescriptor['kind']>> = {
  'anon_inode:bpf-map': 'map',
  'anon_inode:bpf-prog': 'program',
  'anon_inode:bpf_link': 'link',
  'anon_inode:bpf-link': 'link',
  'anon_inode:[perf_event]': 'perf_event',
  'anon_inode:bpf_iter': 'iterator',
};
const idLines = { map: /^map_id:\s*(\d+)$/m, program: /^prog_id:\s*(\d+)$/m, link: /^link_id:\s*(\d+)$/m };

/**
 * One pass over the processes that /proc shows. Nothing has to be open for it, so descriptors of this process that it sees
 * are held, not looked with.
 */
export function surveyProcesses(): ProcessSurvey {
  const descriptors: OpenDescriptor[] = [];
  const networkNamespaces = new Map<number, string>();
  const mountNamespaces = new Map<number, number>();
  let hidden = 0;
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const folder = `/proc/${name}`;
    const network = inodeOf(link(`${folder}/ns/net`));
    if (network !== undefined && !networkNamespaces.has(network))
      networkNamespaces.set(network, `${folder}/ns/net`);
    const mounts = inodeOf(link(`${folder}/ns/mnt`));
    if (mounts !== undefined && !mountNamespaces.has(mounts)) mountNamespaces.set(mounts, pid);
    const fds = descriptorsIn(folder);
    if (fds === 'hidden') hidden++;
    let command: string | undefined;
    for (const fd of fds === 'hidden' ? [] : fds) {
      const target = link(`${folder}/fd/${fd}`);
      if (target === undefined) continue;
      const namespace = target.startsWith('net:[') ? inodeOf(target) : undefined;
      if (namespace !== undefined && !networkNamespaces.has(namespace))
        networkNamespaces.set(namespace, `${folder}/fd/${fd}`);
      const kind = kinds[target];
      if (kind === undefined) continue;
      command ??= text(`${folder}/comm`)?.trimEnd() ?? '';
      const id = idOf(kind, `${folder}/fdinfo/${fd}`);
      if (id !== undefined) descriptors.push({ pid, command, fd: Number(fd), kind, id });
    }
  }
  return { descriptors, networkNamespaces, mountNamespaces, hidden };
}

function descriptorsIn(folder: string): string[] | 'hidden' {
  try {
    return readdirSync(`${folder}/fd`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM') return 'hidden';
    if (code === 'ENOENT' || code === 'ESRCH') return [];
    throw error;
  }
}

/** `net:[4026531840]` */
export function inodeOf(target: string | undefined): number | undefined {
  const digits = target === undefined ? undefined : /\[(\d+)\]$/.exec(target)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function idOf(kind: OpenDescriptor['kind'], path: string): number | undefined {
  if (kind === 'perf_event' || kind === 'iterator') return 0;
  const id = idLines[kind].exec(text(path) ?? '')?.[1];
  return id === undefined ? undefined : Number(id);
}

function link(path: string): string | undefined {
  return unlessGone(() => readlinkSync(path));
}

function text(path: string): string | undefined {
  return unlessGone(() => readFileSync(path, 'latin1'));
}
