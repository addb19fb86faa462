import { DescriptorMap } from './descriptor-map.ts';
import { indexCodec } from './index-codec.ts';
import type { BpfMap } from './map.ts';
import { MapType } from './map-type.ts';

/** AF_XDP sockets by the number of a queue (Linux 4.18). The kernel does not let them be read. */
export class XskMap extends DescriptorMap<number> {
  /** @throws ArgumentError for a map of another type */
  constructor(map: BpfMap) {
    super(map, { types: [MapType.XskMap], as: 'a map of AF_XDP sockets', key: indexCodec });
  }
}
