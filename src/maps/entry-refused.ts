import { readFileSync } from 'node:fs';
import { SyscallError } from '../errors.ts';
import { errno, errnoName, type BpfCommandName, type Fd } from '../sys/index.ts';
import type { MapFacts } from './map-facts.ts';
import { MapType } from './map-type.ts';

/** Maps whose keys are indexes below their number of entries, all of which are there from the start or are slots. */
const INDEXED: ReadonlySet<number> = new Set([
  MapType.Array,
  MapType.PerCpuArray,
  MapType.ProgramArray,
  MapType.PerfEventArray,
  MapType.CgroupArray,
  MapType.ArrayOfMaps,
  MapType.DevMap,
  MapType.CpuMap,
  MapType.XskMap,
  MapType.SockMap,
  MapType.ReuseportSockArray,
]);
/** Arrays of values, whose entries never go (array_map_delete_elem() of kernel/bpf/arraymap.c). */
const ARRAYS: ReadonlySet<number> = new Set([MapType.Array, MapType.PerCpuArray]);
/** Others that say E2BIG or ENOSPC have room for so many keys. */
const FILLED: ReadonlySet<number> = new Set([
  MapType.Hash,
  MapType.PerCpuHash,
  MapType.HashOfMaps,
  MapType.SockHash,
  MapType.DevMapHash,
  MapType.LpmTrie,
]);

/**
 * The error of a refusal whose reason the map's type and the errno tell together; undefined where they do not. EPERM of a
 * frozen map is none of permission: no capability lifts it.
 */
export function entryRefused(
  { fd, facts }: { fd: Fd; facts: MapFacts },
  { command, doing, result }: { command: BpfCommandName; doing: string; result: number },
): SyscallError | undefined {
  const why = result === -errno.EPERM ? frozenReason(fd, command) : reasonFor(facts, { command, result });
  if (why === undefined) return undefined;
  const name = errnoName(result);
  const message = `Cannot ${doing} map ${facts.name}: ${why} (${name})`;
  return new SyscallError(`bpf(${command})`, -result, name, message);
}

/** Looked up after the call was refused: the info of a map does not tell, its descriptor's entry of /proc does (Linux 5.2). */
export function isFrozen(fd: Fd): boolean {
  try {
    return /^frozen:\s*1$/m.test(readFileSync(`/proc/self/fdinfo/${fd.value}`, 'latin1'));
  } catch (error) {
    // Without /proc nothing is known, and the error stays what the kernel said.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return false;
  }
}

function frozenReason(fd: Fd, command: BpfCommandName): string | undefined {
  const reads = command === 'BPF_MAP_LOOKUP_ELEM' || command === 'BPF_MAP_GET_NEXT_KEY';
  return !reads && isFrozen(fd) ? 'it is frozen, so that user space can only read it' : undefined;
}

function reasonFor(
  { type, maxEntries }: MapFacts,
  { command, result }: { command: BpfCommandName; result: number },
): string | undefined {
  const updates = command === 'BPF_MAP_UPDATE_ELEM' || command === 'BPF_MAP_UPDATE_BATCH';
  if (!updates) {
    const deletes = command === 'BPF_MAP_DELETE_ELEM' || command === 'BPF_MAP_DELETE_BATCH';
    return deletes && result === -errno.EINVAL && ARRAYS.has(type)
      ? 'the entries of an array are always there'
      : undefined;
  }
  switch (-result) {
    case errno.E2BIG:
    case errno.ENOSPC:
      if (INDEXED.has(type)) return `the index is past its end, which is ${maxEntries}`;
      return FILLED.has(type) ? `it is full, with ${maxEntries} entries` : undefined;
    case errno.EEXIST:
      return INDEXED.has(type) ? 'the entries of an array are always there' : 'it has the key already';
    case errno.ENOENT:
      return 'it has no such key';
    case errno.EINVAL:
      return type === MapType.ProgramArray
        ? 'all of its programs must be of the type of the first one that was put into it or that uses it'
        : undefined;
    default:
      return undefined;
  }
}
