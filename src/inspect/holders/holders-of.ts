import { NotFoundError } from '../../errors.ts';
import { systemKernel, readInfo, type Kernel } from '../../sys/index.ts';
import { bpf_link_info, bpf_map_info, bpf_prog_info } from '../../uapi/index.ts';
import { openIfThere } from '../objects/index.ts';
import { cgroupHolders } from './cgroups.ts';
import { descriptorsOf } from './descriptors.ts';
import type { Held, Holder } from './holder.ts';
import { holdersOfLink, linkHolders, listLinks } from './links.ts';
import { mapHolders } from './map-entries.ts';
import { visibleMounts } from './mounts.ts';
import { networkHolders } from './network.ts';
import { findNetworkNamespaces } from './network-namespaces.ts';
import { perfEventHolders } from './perf-events.ts';
import { findAllPins } from './pins.ts';
import { surveyProcesses } from './processes.ts';
import { programHolders } from './programs.ts';
import type { Search } from './search.ts';
import { unseenHolders } from './unseen.ts';

/** What keeps something in the kernel. */
export interface Holders extends Held {
  readonly holders: readonly Holder[];
  /** What may hold it besides and cannot be seen: a sentence each. */
  readonly unseen: readonly string[];
}

/**
 * Who holds a program, map or link, whoever made the hold: processes, pins, links, interfaces, filters, cgroups, maps,
 * programs and perf events, in every network and mount namespace that a process is in. The kernel frees it when none is left.
 * Descriptors that were opened for looking are not among them; others of this process are.
 *
 * Needs CAP_SYS_ADMIN, and CAP_SYS_PTRACE to see the descriptors of other users' processes. Linux 4.13; links 5.8.
 *
 * @throws NotFoundError (PROGRAM_NOT_FOUND, MAP_NOT_FOUND, LINK_NOT_FOUND), PermissionError, SyscallError
 *
 * @example
 * for (const holder of holdersOf({ kind: 'program', id: 41 }).holders) console.log(holder.kind);
 */
export function holdersOf(held: Held, { kernel = systemKernel() }: { kernel?: Kernel } = {}): Holders {
  // Before anything is opened, so that this process's descriptors in there are not those that are opened for looking.
  const processes = surveyProcesses();
  const type = typeOf(kernel, held);
  const mounts = visibleMounts(processes);
  const networkNamespaces = findNetworkNamespaces(processes, mounts);
  const links = held.kind === 'link' ? [] : listLinks(kernel);
  const search: Search = { kernel, held, type, processes, mounts, networkNamespaces, links };
  const pins = findAllPins(kernel, mounts);
  const unseen = unseenHolders(search);
  if (held.kind === 'link') return { ...held, holders: holdersOfLink(search, held.id, pins), unseen };
  const holders = [
    ...descriptorsOf(held, processes),
    ...pins
      .filter(({ kind, id }) => kind === held.kind && id === held.id)
      .map(({ path }): Holder => ({ kind: 'pin', path })),
    ...linkHolders(search, pins),
    ...networkHolders(search),
    ...cgroupHolders(search),
    ...mapHolders(search),
    ...programHolders(search),
    ...perfEventHolders(search),
  ];
  return { ...held, holders, unseen };
}

/** Checks, too, that it is there. */
function typeOf(kernel: Kernel, { kind, id }: Held): number | undefined {
  const fd = openIfThere(kernel, kind, id);
  if (fd === undefined) throw notFound({ kind, id });
  try {
    if (kind === 'program') return readInfo(kernel, { fd, descriptor: bpf_prog_info }).type;
    if (kind === 'map') return readInfo(kernel, { fd, descriptor: bpf_map_info }).type;
    readInfo(kernel, { fd, descriptor: bpf_link_info });
    return undefined;
  } finally {
    fd.close();
  }
}

function notFound({ kind, id }: Held): NotFoundError {
  const codes = { program: 'PROGRAM_NOT_FOUND', map: 'MAP_NOT_FOUND', link: 'LINK_NOT_FOUND' } as const;
  const message = `Cannot find ${kind} ${String(id)}: the kernel has none of that id`;
  return new NotFoundError(codes[kind], String(id), message);
}
