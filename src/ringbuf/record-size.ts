import { EventSizeError } from '../errors.ts';
import type { ValueCodec } from '../btf/index.ts';

/** What reads the records of a map by their type: a codec of `createCodec()`, or of a module that `ts-xdp gen` wrote. */
export type RecordCodec<Event> = Pick<ValueCodec<Event>, 'size' | 'typeName' | 'flexible' | 'read'>;

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
