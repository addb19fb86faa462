import type { CopiedMapping } from '../sys/index.ts';
import type { BpfMap } from './map.ts';

const mappings = new WeakMap<BpfMap, CopiedMapping>();

/**
 * The memory of an arena map (Linux 6.9), mapped when it is first asked for and until the map is closed. A program that
 * uses an arena can be loaded only then, because its addresses are those of this mapping. It lies where `map_extra` says,
 * otherwise where the kernel likes.
 *
 * @throws SyscallError: EBUSY for an arena that another process has mapped elsewhere
 */
export function arenaMemory(map: BpfMap): CopiedMapping {
  const known = mappings.get(map);
  if (known) return known;
  const { kernel, fd, maxEntries } = map;
  const length = maxEntries * kernel.pageSize;
  const made = kernel.mapCopied({ fd: fd.value, length, address: map.info().extra });
  mappings.set(map, made);
  fd.onClose(() => {
    made.close();
  });
  return made;
}
