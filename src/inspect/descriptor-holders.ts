import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { PinnedKind } from '../sys/index.ts';

/** A process that has a descriptor of something. */
export interface DescriptorHolder {
  readonly pid: number;
  /** Its name, at most 15 characters. */
  readonly command: string;
}

/** What /proc/PID/fd shows (kernel/bpf/syscall.c), and which line of /proc/PID/fdinfo has the id. */
const marks: Readonly<Record<PinnedKind, { readonly links: readonly string[]; readonly field: string }>> = {
  map: { links: ['anon_inode:bpf-map'], field: 'map_id' },
  program: { links: ['anon_inode:bpf-prog'], field: 'prog_id' },
  link: { links: ['anon_inode:bpf_link', 'anon_inode:bpf-link'], field: 'link_id' },
};

/**
 * The processes that hold programs, maps or links by a descriptor, by id. Those of other users are seen with CAP_SYS_PTRACE
 * alone, and processes of other PID namespaces not at all.
 */
export function descriptorHolders(kind: PinnedKind): ReadonlyMap<number, readonly DescriptorHolder[]> {
  const holders = new Map<number, DescriptorHolder[]>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!/^\d+$/.test(name)) continue;
    const ids = new Set(idsHeldBy(pid, kind));
    if (ids.size === 0) continue;
    const holder = {
      pid,
      command: unlessGone(() => readFileSync(`/proc/${pid}/comm`, 'utf8'))?.trimEnd() ?? '',
    };
    for (const id of ids) holders.set(id, [...(holders.get(id) ?? []), holder]);
  }
  return holders;
}

function idsHeldBy(pid: number, kind: PinnedKind): number[] {
  const { links, field } = marks[kind];
  const pattern = new RegExp(`^${field}:\\s*(\\d+)$`, 'm');
  return (unlessGone(() => readdirSync(`/proc/${pid}/fd`)) ?? []).flatMap((fd) => {
    const link = unlessGone(() => readlinkSync(`/proc/${pid}/fd/${fd}`));
    if (link === undefined || !links.includes(link)) return [];
    const text = unlessGone(() => readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1'));
    const id = text === undefined ? undefined : pattern.exec(text)?.[1];
    return id === undefined ? [] : [Number(id)];
  });
}

/** Processes end and close descriptors meanwhile, and some may not be looked at. */
function unlessGone<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return undefined;
    throw error;
  }
}
