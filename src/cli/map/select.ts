import { openMaps, openMapsNamed, openPrograms } from '../../inspect/index.ts';
import { BpfMap } from '../../maps/index.ts';
import type { BpfProgram } from '../../programs/index.ts';
import type { Kernel } from '../../sys/index.ts';
import { onlyOne } from '../only-one.ts';
import { parseId } from '../parse-option.ts';
import type { Words } from '../words.ts';

/**
 * Opens the maps that the next words say: `id 7`, `name flows`, `pinned /sys/fs/bpf/flows`, or an id, a name or the path of
 * a pin alone. The caller closes them.
 *
 * @throws UsageError, NotFoundError, PermissionError
 */
export function selectMaps(kernel: Kernel, words: Words): BpfMap[] {
  const first = words.take('the map');
  switch (words.next === undefined ? '' : first) {
    case 'id':
      return openMaps(kernel, String(parseId(words.take('the id'))));
    case 'name':
      return openMapsNamed(kernel, words.take('the name'));
    case 'pinned':
      return [BpfMap.fromPin(words.take('the path'), { kernel })];
    default:
      return openMaps(kernel, first);
  }
}

/** The one map that the next words say. @throws ArgumentError where several have the name */
export function selectMap(kernel: Kernel, words: Words): BpfMap {
  const maps = selectMaps(kernel, words);
  return onlyOne(maps, { what: 'map', selector: maps[0]?.name ?? '' });
}

/** The one program that the next words say: as maps are, and `tag TAG`. */
export function selectProgram(kernel: Kernel, words: Words): BpfProgram {
  const first = words.take('the program');
  const explicit = ['id', 'name', 'tag', 'pinned'].includes(first) && words.next !== undefined;
  const selector = explicit ? words.take(`the ${first}`) : first;
  const programs = openPrograms(kernel, first === 'id' && explicit ? String(parseId(selector)) : selector);
  return onlyOne(programs, { what: 'program', selector });
}
