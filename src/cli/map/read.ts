import { ArgumentError, NotFoundError } from '../../errors.ts';
import { MapType, mapTypeName } from '../../maps/index.ts';
import type { Json } from '../output/error-report.ts';
import type { Output } from '../output/output.ts';
import { entryDocument, entryText, hexBytes } from './entry.ts';
import { readable, type InspectedMap } from './typed-map.ts';
import { useMap } from './use-map.ts';
import type { Words } from '../words.ts';

/** Prints all entries. */
export function dumpMap(given: readonly string[], output: Output): Promise<number> {
  return useMap(given, output, (map, words) => {
    words.end();
    refuseUnlistable(map, 'dump');
    const documents: Json[] = [];
    const lines: string[] = [];
    for (const [key, value] of map) {
      if (output.json) documents.push(entryDocument(map, { key, value }));
      else lines.push(entryText(map, { key, value }));
    }
    output.result(documents, lines.join('\n'));
    if (!output.json && lines.length === 0) output.note(`map ${map.map.name} is empty`);
  });
}

/** Maps that the kernel gives no keys of. */
const UNLISTABLE: readonly number[] = [
  MapType.RingBuffer,
  MapType.UserRingBuffer,
  MapType.PerfEventArray,
  MapType.Queue,
  MapType.Stack,
  MapType.BloomFilter,
  MapType.SkStorage,
  MapType.InodeStorage,
  MapType.TaskStorage,
  MapType.CgroupLocalStorage,
  MapType.Arena,
];
const HINTS: Readonly<Partial<Record<number, string>>> = {
  [MapType.RingBuffer]: 'map events follows it',
  [MapType.PerfEventArray]: 'map events follows it',
  [MapType.Queue]: 'map peek and map pop read it',
  [MapType.Stack]: 'map peek and map pop read it',
};

function refuseUnlistable({ map: { name, type } }: InspectedMap, doing: string): void {
  if (!UNLISTABLE.includes(type)) return;
  const why = `maps of type ${mapTypeName(type)} have no entries that could be listed`;
  throw new ArgumentError('map', `Cannot ${doing} map ${name}: ${why}`, { hint: HINTS[type] });
}

/** Prints the entry of a key. */
export function lookUp(given: readonly string[], output: Output): Promise<number> {
  return useMap(given, output, (map, words) => {
    const key = keyOf(map, words);
    words.end();
    const value = map.get(key);
    if (value === undefined) throw noSuchKey(map, key);
    output.result(entryDocument(map, { key, value }), entryText(map, { key, value }));
  });
}

/** Prints the key that follows another, or the first. */
export function nextKey(given: readonly string[], output: Output): Promise<number> {
  return useMap(given, output, (map, words) => {
    refuseUnlistable(map, 'go through');
    const key = words.next === undefined ? undefined : keyOf(map, words);
    words.end();
    const next = map.keyAfter(key);
    if (next === undefined) {
      const after = key === undefined ? 'it has no keys' : `none comes after ${readable(map.key, key)}`;
      throw new NotFoundError(
        'KEY_NOT_FOUND',
        key === undefined ? '' : readable(map.key, key),
        `Cannot find the next key of map ${map.map.name}: ${after}`,
      );
    }
    const document = { key: key === undefined ? null : hexBytes(key), next_key: hexBytes(next) };
    output.result(document, readable(map.key, next));
  });
}

/** What follows `key`. @throws UsageError where that word is missing, ArgumentError for a map without keys */
export function keyOf(map: InspectedMap, words: Words): Uint8Array {
  const { name, type } = map.map;
  if (map.key.size === 0)
    throw new ArgumentError(
      'key',
      `Cannot use map ${name} by key: maps of type ${mapTypeName(type)} have no keys`,
      {
        hint: HINTS[type],
      },
    );
  words.expect('key');
  return map.parse(map.key, words.takeUntil(['value']));
}

export function noSuchKey(map: InspectedMap, key: Uint8Array): NotFoundError {
  const text = readable(map.key, key);
  return new NotFoundError(
    'KEY_NOT_FOUND',
    text,
    `Cannot find key ${text} in map ${map.map.name}: it has no such key`,
  );
}
