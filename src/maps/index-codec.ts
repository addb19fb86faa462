import { ValueError } from '../errors.ts';
import type { ElementCodec } from './map-codec.ts';

const LARGEST = 0xffff_ffff;

/** The number of an array's element, and of a descriptor in a map of descriptors. */
export const indexCodec: ElementCodec<number, number> = {
  size: 4,
  typeName: '__u32',
  read: (view, offset) => view.getUint32(offset, true),
  write(view, offset, value) {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > LARGEST) {
      const why = `it must be between 0 and ${LARGEST}`;
      throw new ValueError('', '__u32', `Cannot store ${String(value)} as __u32: ${why}`);
    }
    view.setUint32(offset, value, true);
  },
};
