import { NotFoundError } from '../../errors.ts';
import { BpfMap } from '../../maps/index.ts';
import { BpfProgram, readProgramInfo } from '../../programs/index.ts';
import { readInfo, type Kernel } from '../../sys/index.ts';
import { bpf_map_info } from '../../uapi/index.ts';
import { mapObjects, openIfThere } from './object-ids.ts';

/** `BPF_OBJ_NAME_LEN` without the NUL: the kernel keeps no more of a name. */
const LONGEST_NAME = 15;

/**
 * Opens the programs that a person means: an id, a tag of 16 hexadecimal digits, the path of a pin (with a `/` in it), or
 * a name, of which the kernel knows the first 15 characters. Several may have one name or tag. The caller closes them.
 *
 * @throws NotFoundError (PROGRAM_NOT_FOUND, PIN_NOT_FOUND), PermissionError, SyscallError
 */
export function openPrograms(kernel: Kernel, selector: string): BpfProgram[] {
  if (selector.includes('/')) return [BpfProgram.fromPin(selector, { kernel })];
  const ids = /^\d+$/.test(selector)
    ? knownId(kernel, 'program', Number(selector))
    : mapObjects(kernel, 'program', (fd) => readProgramInfo(kernel, fd))
        .filter(({ name, tag }) => name === selector.slice(0, LONGEST_NAME) || tag === selector.toLowerCase())
        .map(({ id }) => id);
  if (ids.length > 0) return ids.map((id) => BpfProgram.fromId(id, { kernel }));
  const why = 'the kernel has none of that id, name or tag';
  throw new NotFoundError('PROGRAM_NOT_FOUND', selector, `Cannot find program ${selector}: ${why}`);
}

/**
 * Opens the maps that a person means: an id, the path of a pin, or a name. The caller closes them.
 *
 * @throws NotFoundError (MAP_NOT_FOUND, PIN_NOT_FOUND), PermissionError, SyscallError
 */
export function openMaps(kernel: Kernel, selector: string): BpfMap[] {
  if (selector.includes('/')) return [BpfMap.fromPin(selector, { kernel })];
  if (!/^\d+$/.test(selector)) return openMapsNamed(kernel, selector);
  const ids = knownId(kernel, 'map', Number(selector));
  if (ids.length > 0) return ids.map((id) => BpfMap.fromId(id, { kernel }));
  throw noSuchMap(selector);
}

/** Opens every map of a name, of which the kernel knows the first 15 characters, all digits too. @throws as {@link openMaps} */
export function openMapsNamed(kernel: Kernel, wanted: string): BpfMap[] {
  const ids = mapObjects(kernel, 'map', (fd) => readInfo(kernel, { fd, descriptor: bpf_map_info }))
    .filter(({ name }) => name === wanted.slice(0, LONGEST_NAME))
    .map(({ id }) => id);
  if (ids.length > 0) return ids.map((id) => BpfMap.fromId(id, { kernel }));
  throw noSuchMap(wanted);
}

function noSuchMap(selector: string): NotFoundError {
  const why = 'the kernel has none of that id or name';
  return new NotFoundError('MAP_NOT_FOUND', selector, `Cannot find map ${selector}: ${why}`);
}

function knownId(kernel: Kernel, kind: 'program' | 'map', id: number): number[] {
  const fd = openIfThere(kernel, kind, id);
  fd?.close();
  return fd === undefined ? [] : [id];
}
