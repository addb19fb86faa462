import { ArgumentError, NotFoundError, PermissionError } from '../../errors.ts';
import { BpfMap } from '../../maps/index.ts';
import { BpfProgram, readProgramInfo } from '../../programs/index.ts';
import { mapObjects, openIfThere, readInfo, type Kernel } from '../../sys/index.ts';
import { bpf_map_info } from '../../uapi/index.ts';
import { fullProgramName } from './program-name.ts';
import { LONGEST_NAME, selectorText, type Selector } from './selector.ts';

/**
 * Opens the programs that a person means: an id, a tag of 16 hexadecimal digits, the path of a pin (with a `/` in it), or
 * a name, of which the kernel knows the first 15 characters; the rest is compared where the program's BTF tells it. Several
 * may have one name or tag. The caller closes them.
 *
 * @throws NotFoundError (PROGRAM_NOT_FOUND, PIN_NOT_FOUND), PermissionError, SyscallError
 */
export function openPrograms(kernel: Kernel, selector: Selector): BpfProgram[] {
  const { by, value } = typeof selector === 'string' ? kindOfSelector(selector) : selector;
  if (by === 'pinned') return [withFullName(kernel, BpfProgram.fromPin(value, { kernel }))];
  const ids = by === 'id' ? knownId(kernel, value) : programIds(kernel, { by, value });
  if (ids.length > 0) return ids.map((id) => withFullName(kernel, BpfProgram.fromId(id, { kernel })));
  const what = by === 'name or tag' ? 'id, name or tag' : by;
  const text = selectorText(selector);
  const why = `the kernel has none of that ${what}`;
  throw new NotFoundError('PROGRAM_NOT_FOUND', value, `Cannot find program ${text}: ${why}`);
}

/** The same program, with the name that messages are to have. The handle that is returned owns the descriptor. */
function withFullName(kernel: Kernel, program: BpfProgram): BpfProgram {
  const { fd, type } = program;
  try {
    const name = fullProgramName(kernel, fd);
    return name === program.name ? program : new BpfProgram(fd, { name, type, kernel });
  } catch (error) {
    // BTF is opened by its id, which takes more than a pin.
    if (error instanceof PermissionError) return program;
    program.close();
    throw error;
  }
}

interface KnownSelector {
  readonly by: 'id' | 'name' | 'tag' | 'pinned' | 'name or tag';
  readonly value: string;
}

function kindOfSelector(value: string): KnownSelector {
  if (value.includes('/')) return { by: 'pinned', value };
  return { by: /^\d+$/.test(value) ? 'id' : 'name or tag', value };
}

function programIds(kernel: Kernel, { by, value }: KnownSelector): number[] {
  return mapObjects(kernel, 'program', (fd) => {
    const { id, name, tag } = readProgramInfo(kernel, fd);
    const byTag = by !== 'name' && tag === value.toLowerCase();
    const byName = by !== 'tag' && name !== '' && name === value.slice(0, LONGEST_NAME);
    if (byTag) return [id];
    if (!byName) return [];
    const full = value.length > LONGEST_NAME ? fullProgramName(kernel, fd) : name;
    return full === value || full.length <= LONGEST_NAME ? [id] : [];
  }).flat();
}

function knownId(kernel: Kernel, text: string): number[] {
  const id = Number(text);
  if (!/^\d+$/.test(text) || id > 0xffff_ffff) return [];
  const fd = openIfThere(kernel, 'program', id);
  fd?.close();
  return fd === undefined ? [] : [id];
}

/**
 * Opens the maps that a person means: an id, the path of a pin (with a `/` in it), or a name. The caller closes them.
 *
 * @throws NotFoundError (MAP_NOT_FOUND, PIN_NOT_FOUND), PermissionError, SyscallError
 */
export function openMaps(kernel: Kernel, selector: Selector): BpfMap[] {
  if (typeof selector !== 'string') return openMapsBy(kernel, selector);
  if (selector.includes('/')) return [BpfMap.fromPin(selector, { kernel })];
  if (!/^\d+$/.test(selector)) return openMapsNamed(kernel, selector);
  const ids = knownMapId(kernel, Number(selector));
  if (ids.length > 0) return ids.map((id) => BpfMap.fromId(id, { kernel }));
  throw noSuchMap(selector);
}

function openMapsBy(kernel: Kernel, { by, value }: Exclude<Selector, string>): BpfMap[] {
  switch (by) {
    case 'id':
      return openMaps(kernel, value);
    case 'name':
      return openMapsNamed(kernel, value);
    case 'pinned':
      return [BpfMap.fromPin(value, { kernel })];
    case 'tag':
      throw new ArgumentError('map', `Cannot find map tag ${value}: maps have no tags`);
  }
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

function knownMapId(kernel: Kernel, id: number): number[] {
  const fd = openIfThere(kernel, 'map', id);
  fd?.close();
  return fd === undefined ? [] : [id];
}
