import { MapType } from '../../maps/index.ts';
import type { Json } from '../output/error-report.ts';
import { formatted, readable, type InspectedMap } from './typed-map.ts';

/** Bytes as bpftool prints them in JSON. */
export function hexBytes(bytes: Uint8Array): string[] {
  return Array.from(bytes, (byte) => `0x${byte.toString(16).padStart(2, '0')}`);
}

/** An entry in the shape of `bpftool -j map dump`, with `formatted` where BTF says the types. */
export function entryDocument(
  map: InspectedMap,
  { key, value }: { key: Uint8Array; value: Uint8Array | Uint8Array[] },
): Json {
  const typedKey = formatted(map.key, key);
  if (Array.isArray(value)) {
    const typed = value.map((one) => formatted(map.value, one));
    const values = typed.flatMap((one, cpu) => (one === undefined ? [] : [{ cpu, value: one }]));
    return {
      key: hexBytes(key),
      values: value.map((one, cpu) => ({ cpu, value: hexBytes(one) })),
      ...(values.length > 0 && { formatted: { ...(typedKey !== undefined && { key: typedKey }), values } }),
    };
  }
  const typedValue = formatted(map.value, value);
  return {
    key: hexBytes(key),
    value: hexBytes(value),
    ...(holdsMaps(map) && { inner_map_id: idIn(value) }),
    ...(typedValue !== undefined && {
      formatted: { ...(typedKey !== undefined && { key: typedKey }), value: typedValue },
    }),
  };
}

/** An entry on a line; values of several CPUs each on one of their own. */
export function entryText(
  map: InspectedMap,
  { key, value }: { key: Uint8Array; value: Uint8Array | Uint8Array[] },
): string {
  const name = readable(map.key, key);
  const start = name === '' ? '' : `${name}: `;
  if (!Array.isArray(value)) {
    if (holdsMaps(map)) return `${start}map ${idIn(value)}`;
    if (map.map.type === MapType.ProgramArray) return `${start}program ${idIn(value)}`;
    return `${start}${readable(map.value, value)}`;
  }
  return [`${name}:`, ...value.map((one, cpu) => `  CPU ${cpu}: ${readable(map.value, one)}`)].join('\n');
}

function holdsMaps({ map: { type } }: InspectedMap): boolean {
  return type === MapType.ArrayOfMaps || type === MapType.HashOfMaps;
}

function idIn({ buffer, byteOffset, byteLength }: Uint8Array): number {
  return new DataView(buffer, byteOffset, byteLength).getUint32(0, true);
}
