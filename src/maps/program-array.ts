import { IdMap } from './descriptor-map.ts';
import { indexCodec } from './index-codec.ts';
import type { BpfMap } from './map.ts';
import { MapType } from './map-type.ts';

/**
 * Programs of one type that others go to by tail calls (Linux 4.2). They are written as programs and read as ids (Linux
 * 4.14). The kernel empties it when the last descriptor and pin of the map is gone, programs that use it or not.
 */
export class ProgramArray extends IdMap<number> {
  /** @throws ArgumentError for a map of another type */
  constructor(map: BpfMap) {
    super(map, { types: [MapType.ProgramArray], as: 'an array of programs', key: indexCodec });
  }
}
