import { ArgumentError, ValueError } from '../../errors.ts';
import { MapType, ProgramArray, type UpdateMode } from '../../maps/index.ts';
import { UsageError } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { keyOf, noSuchKey } from './read.ts';
import { selectMap, selectProgram } from './select.ts';
import type { InspectedMap } from './typed-map.ts';
import { useMap } from './use-map.ts';
import { Words } from '../words.ts';

const MODES: Readonly<Record<string, UpdateMode>> = { any: 'any', noexist: 'new', exist: 'existing' };

/** Writes an entry: `MAP key DATA value DATA [any|exist|noexist]`. */
export function updateMap(given: readonly string[], output: Output): Promise<number> {
  return useMap(given, output, (map, words) => {
    const key = map.key.size === 0 ? new Uint8Array() : keyOf(map, words);
    words.expect('value');
    const rest = words.takeUntil([]);
    const last = rest.at(-1) ?? '';
    const mode = rest.length > 1 && Object.hasOwn(MODES, last) ? MODES[last] : undefined;
    const value = mode === undefined ? rest : rest.slice(0, -1);
    writeValue(map, { key, words: value, mode: mode ?? 'any' });
    output.result(null, '');
  });
}

function writeValue(
  map: InspectedMap,
  { key, words, mode }: { key: Uint8Array; words: readonly string[]; mode: UpdateMode },
): void {
  const { kernel, type } = map.map;
  if (type === MapType.ArrayOfMaps || type === MapType.HashOfMaps) {
    const place = new Words(words, 'map');
    using inner = selectMap(kernel, place);
    place.end();
    map.set(key, descriptorBytes(inner.fd.value), { mode });
  } else if (type === MapType.ProgramArray) {
    const place = new Words(words, 'map');
    using program = selectProgram(kernel, place);
    place.end();
    new ProgramArray(map.map).set(new DataView(key.buffer).getUint32(0, true), program);
  } else map.set(key, map.perCpu ? perCpuValues(map, words) : map.parse(map.value, words), { mode });
}

/** One value for every CPU, as bpftool does, or a list in JSON with one for each. */
function perCpuValues(map: InspectedMap, words: readonly string[]): Uint8Array[] {
  const cpus = map.map.kernel.possibleCpus();
  const list = parseList(words.join(' '));
  if (list === undefined || !fitsCpus(map, list)) {
    const value = map.parse(map.value, words);
    return Array.from({ length: cpus }, () => value);
  }
  if (list.length !== cpus)
    throw new ValueError('', '', `Cannot use a list of ${list.length} values: there are ${cpus} CPUs`);
  return list.map((one) => map.parse(map.value, [typeof one === 'string' ? one : JSON.stringify(one)]));
}

/** Where the value of one CPU is an array itself, a list is that, unless it holds lists. */
function fitsCpus({ value: { btf, typeId } }: InspectedMap, list: readonly unknown[]): boolean {
  const isArray = btf !== undefined && typeId !== 0 && btf.type(typeId).kind === 'array';
  return !isArray || list.every((one) => Array.isArray(one));
}

function parseList(text: string): unknown[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text.replaceAll(/-?\d{16,}/g, '"$&"'));
    return Array.isArray(value) ? value : undefined;
  } catch (cause) {
    throw new ArgumentError('value', `Cannot use ${text} as value: it is not valid JSON`, { cause });
  }
}

function descriptorBytes(fd: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(fd).buffer);
}

/** Removes the entry of a key. */
export function deleteKey(given: readonly string[], output: Output): Promise<number> {
  return useMap(given, output, (map, words) => {
    const key = keyOf(map, words);
    words.end();
    if (!map.delete(key)) throw noSuchKey(map, key);
    output.result(null, '');
  });
}

/** Makes a map read-only for user space. */
export function freezeMap(given: readonly string[], output: Output): Promise<number> {
  return useMap(given, output, (map, words) => {
    words.end();
    map.map.freeze();
    output.result(null, '');
  });
}

/** Puts a map into a bpf file system. */
export function pinMap(given: readonly string[], output: Output): Promise<number> {
  return useMap(given, output, (map, words) => {
    const path = words.take('the path');
    words.end();
    if (!path.includes('/')) throw new UsageError(`${path} is no path in a bpf file system`);
    map.map.pin(path);
    output.result(null, '');
  });
}
