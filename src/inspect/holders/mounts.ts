import { readFileSync } from 'node:fs';
import { unlessGone } from '../unless-gone.ts';
import type { ProcessSurvey } from './processes.ts';
import { inodeOf } from './processes.ts';

/** A mount as it is seen from here. */
export interface VisibleMount {
  readonly type: string;
  /** `254:0` */
  readonly device: string;
  /** What of the file system is mounted: `/`, or for namespaces `net:[4026532177]`. */
  readonly root: string;
  /** Where it is, through `/proc/PID/root` for another mount namespace. */
  readonly path: string;
}

/** The mounts of every mount namespace that a process is in; this one's come first. */
export function visibleMounts({ mountNamespaces }: ProcessSurvey): VisibleMount[] {
  const own = unlessGone(() => readFileSync('/proc/self/mountinfo', 'utf8')) ?? '';
  const ownNamespace = [...mountNamespaces].find(([, pid]) => pid === process.pid)?.[0];
  const mounts = parseMountInfo(own, '');
  for (const [inode, pid] of mountNamespaces) {
    if (inode === ownNamespace) continue;
    const text = unlessGone(() => readFileSync(`/proc/${String(pid)}/mountinfo`, 'utf8'));
    if (text === undefined || text === own) continue;
    mounts.push(...parseMountInfo(text, `/proc/${String(pid)}/root`));
  }
  return mounts;
}

/** `36 25 0:31 / /sys/fs/bpf rw,relatime shared:1 - bpf bpf rw` (Documentation/filesystems/proc.rst). */
export function parseMountInfo(text: string, prefix: string): VisibleMount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ', 2);
    const [, , device, root, path] = before.split(' ');
    const [type] = after.split(' ');
    if (device === undefined || root === undefined || path === undefined || !type) return [];
    return [{ type, device, root: unescapeMount(root), path: `${prefix}${unescapeMount(path)}` }];
  });
}

/** Paths to the network namespaces that are mounted, as iproute2 does, by inode. */
export function mountedNamespaces(mounts: readonly VisibleMount[]): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const { type, root, path } of mounts) {
    const inode = type === 'nsfs' && root.startsWith('net:[') ? inodeOf(root) : undefined;
    if (inode !== undefined && !found.has(inode)) found.set(inode, path);
  }
  return found;
}

/** Spaces and the like are octal there (mangle() in fs/seq_file.c). */
function unescapeMount(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
