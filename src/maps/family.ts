import { ArgumentError } from '../errors.ts';
import type { BpfMap } from './map.ts';
import { mapTypeName } from './map-type.ts';

/**
 * Lets only maps of some types through.
 *
 * @throws ArgumentError: `Cannot use map flows as a queue: it is a hash`
 */
export function requireType(map: BpfMap, { types, as }: { types: readonly number[]; as: string }): BpfMap {
  if (types.includes(map.type)) return map;
  const message = `Cannot use map ${map.name} as ${as}: its type is ${mapTypeName(map.type)}`;
  throw new ArgumentError('map', message);
}
