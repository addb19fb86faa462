import { ValueError } from '../errors.ts';
import { alignUp } from '../binary/index.ts';
import { createCodec, type Btf, type BtfValue, type Codec } from '../btf/index.ts';

/** How keys or values of a map are turned into bytes and back. */
export interface ElementCodec<Value = BtfValue> {
  /** Bytes that the system call reads or writes. */
  readonly size: number;
  /** The type as C spells it. */
  readonly typeName: string;
  read(bytes: Uint8Array): Value;
  /** Throws {@link ValueError} where the value does not fit. */
  write(value: unknown): Uint8Array<ArrayBuffer>;
}

/** By type where BTF has it, as bytes where it does not. */
export function elementCodec(size: number, type: { btf: Btf; typeId: number } | undefined): ElementCodec {
  return type === undefined || type.typeId === 0
    ? bytesCodec(size)
    : typedCodec(createCodec(type.btf, type.typeId));
}

function typedCodec(codec: Codec): ElementCodec {
  return {
    size: codec.size,
    typeName: codec.typeName,
    read: (bytes) => codec.read(viewOf(bytes), 0),
    write(value) {
      const bytes = new Uint8Array(codec.size);
      codec.write(viewOf(bytes), 0, value);
      return bytes;
    },
  };
}

function bytesCodec(size: number): ElementCodec {
  const typeName = `__u8[${size}]`;
  return {
    size,
    typeName,
    read: (bytes) => bytes.slice(0, size),
    write(value) {
      if (!(value instanceof Uint8Array) || value.length !== size) {
        throw new ValueError(
          '',
          typeName,
          `Cannot store the value: ${size} bytes are wanted, as a Uint8Array`,
          {
            hint: 'the object has no BTF that says what they mean',
          },
        );
      }
      return new Uint8Array(value);
    },
  };
}

/**
 * Values of per-CPU maps: an array with one value for each possible CPU.
 *
 * The kernel copies them one after the other, each rounded up to 8 bytes (bpf_percpu_array_copy in
 * kernel/bpf/arraymap.c).
 */
export function perCpuCodec<Value>(element: ElementCodec<Value>, cpus: number): ElementCodec<Value[]> {
  const stride = alignUp(element.size, 8);
  return {
    size: stride * cpus,
    typeName: `${element.typeName} per CPU`,
    read: (bytes) =>
      Array.from({ length: cpus }, (_, cpu) =>
        element.read(bytes.subarray(cpu * stride, cpu * stride + element.size)),
      ),
    write(value) {
      if (!Array.isArray(value) || value.length !== cpus) {
        throw new ValueError(
          '',
          `${element.typeName} per CPU`,
          `Cannot store the value: an array of ${cpus} values is wanted, one for each CPU`,
        );
      }
      const bytes = new Uint8Array(stride * cpus);
      value.forEach((one, cpu) => {
        bytes.set(element.write(one), cpu * stride);
      });
      return bytes;
    },
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
