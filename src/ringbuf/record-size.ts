import { EventSizeError } from '../errors.ts';
import type { ValueCodec } from '../btf/index.ts';

/** What reads the records of a map by their type: a codec of `createCodec()`, or of a module that `ts-xdp gen` wrote. */
export type RecordCodec<Event> = Pick<ValueCodec<Event>, 'size' | 'typeName' | 'flexible' | 'read'>;

/** What a record's header has room for: `len` without its two flags (`struct bpf_ringbuf_hdr` of kernel/bpf/ringbuf.c). */
const LONGEST = 0x3fff_ffff;

/** Bytes of the shortest and of the longest record that is of its type. */
export function recordSizes({ size, flexible }: Pick<RecordCodec<unknown>, 'size' | 'flexible'>): {
  least: number;
  most: number;
} {
  return flexible === undefined ? { least: size, most: size } : { least: flexible.smallest, most: LONGEST };
}

/** The error for a record that is not of its type, as the map's name and the codec say it. */
export function wrongSize(
  map: string,
  { size, typeName, flexible }: Omit<RecordCodec<unknown>, 'read'>,
  length: number,
): EventSizeError {
  const struct = typeName.replace(/^struct /, '');
  if (flexible === undefined) return new EventSizeError(map, struct, size, length);
  return new EventSizeError(map, struct, flexible.smallest, length, { orMore: true });
}
