import { ArgumentError } from '../errors.ts';
import { checkInteger } from '../sys/index.ts';
import { descriptorOf, type DescriptorHolder } from './descriptor.ts';
import type { ElementCodec } from './map-codec.ts';

/** Where XDP programs send packets, and the program that runs on them there. */
export interface RedirectValue {
  /** The index of an interface, or the length of a CPU's queue. */
  readonly target: number;
  /** The id of the program; 0 where there is none. */
  readonly programId: number;
}

/** What is written: a target, and the program as one, since the kernel takes its descriptor. */
export interface RedirectInput {
  readonly target: number;
  readonly program?: DescriptorHolder | undefined;
}

const PROGRAM = 4;

/**
 * `struct bpf_devmap_val` and `struct bpf_cpumap_val`, of the size that the map has: 4 bytes without a program. The kernel
 * takes the program's descriptor, -1 for none, and gives its id.
 */
export function redirectCodec(size: number, typeName: string): ElementCodec<RedirectValue, RedirectInput> {
  return {
    size,
    typeName,
    read: (view, offset) => ({
      target: view.getUint32(offset, true),
      programId: size > PROGRAM ? view.getUint32(offset + PROGRAM, true) : 0,
    }),
    write(view, offset, value) {
      const { target, program } = value;
      checkInteger('target', target, { minimum: 0, maximum: 0xffff_ffff });
      view.setUint32(offset, target, true);
      if (size > PROGRAM)
        view.setInt32(offset + PROGRAM, program === undefined ? -1 : descriptorOf(program), true);
      else if (program !== undefined) {
        const message = `Cannot store a program in ${typeName}: the map's values have ${size} bytes, and 8 are needed`;
        throw new ArgumentError('program', message);
      }
    },
  };
}
