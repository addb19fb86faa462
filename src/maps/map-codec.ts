import { ValueError } from '../errors.ts';
import { alignUp } from '../binary/index.ts';
import { createCodec, type Btf, type BtfValue, type FlexibleEnd, type Input } from '../btf/index.ts';

/** How keys or values of a map are turned into bytes and back, in place: nothing is allocated but what is read. */
export interface ElementCodec<Value = BtfValue, ValueInput = unknown> {
  /** Bytes that the system call reads or writes. */
  readonly size: number;
  /** The type as C spells it. */
  readonly typeName: string;
  /** Of a type that ends in a flexible array, which has elements where the map's values are larger than the type. */
  readonly flexible?: FlexibleEnd | undefined;
  /** What is read does not share memory with the view. `end` is where the elements of a flexible array end. */
  read(view: DataView, offset: number, end?: number): Value;
  /** Writes all `size` bytes, or all up to `end`. Throws {@link ValueError} where the value does not fit. */
  write(view: DataView, offset: number, value: ValueInput, end?: number): void;
}

/** What may be written where `Value` is read and no codec says more: anything, where that is whatever BTF says. */
export type DefaultInput<Value> = BtfValue extends Value ? unknown : Input<Value>;

/** By type where BTF has it, as bytes where it does not. */
export function elementCodec(size: number, type: { btf: Btf; typeId: number } | undefined): ElementCodec {
  if (type === undefined || type.typeId === 0) return bytesCodec(size);
  return fittedCodec(createCodec(type.btf, type.typeId), size);
}

/** A codec for places of `size` bytes: a flexible array has what is left of them. */
export function fittedCodec<Value, ValueInput>(
  codec: ElementCodec<Value, ValueInput>,
  size: number,
): ElementCodec<Value, ValueInput> {
  if (codec.flexible === undefined || size <= codec.size) return codec;
  return {
    size,
    typeName: codec.typeName,
    read: (view, offset) => codec.read(view, offset, offset + size),
    write(view, offset, value) {
      codec.write(view, offset, value, offset + size);
    },
  };
}

/** Bytes as they are: a `Uint8Array` of exactly `size`. */
export function bytesCodec(size: number): ElementCodec<Uint8Array, Uint8Array> {
  const typeName = `__u8[${size}]`;
  return {
    size,
    typeName,
    read: (view, offset) => new Uint8Array(view.buffer, view.byteOffset + offset, size).slice(),
    write(view, offset, value) {
      if (!((value as unknown) instanceof Uint8Array) || value.length !== size) {
        const message = `Cannot store the value: ${size} bytes are wanted, as a Uint8Array`;
        const hint = 'the object has no BTF that says what they mean';
        throw new ValueError('', typeName, message, { hint });
      }
      new Uint8Array(view.buffer, view.byteOffset + offset, size).set(value);
    },
  };
}

/**
 * Values of per-CPU maps: an array with one value for each possible CPU.
 *
 * The kernel copies them one after the other, each rounded up to 8 bytes (bpf_percpu_array_copy in
 * kernel/bpf/arraymap.c).
 */
export function perCpuCodec<Value, ValueInput>(
  element: ElementCodec<Value, ValueInput>,
  cpus: number,
): ElementCodec<Value[], readonly ValueInput[]> {
  const stride = alignUp(element.size, 8);
  const typeName = `${element.typeName} per CPU`;
  return {
    size: stride * cpus,
    typeName,
    read: (view, offset) =>
      Array.from({ length: cpus }, (_, cpu) => element.read(view, offset + cpu * stride)),
    write(view, offset, value) {
      if (!Array.isArray(value) || value.length !== cpus) {
        const message = `Cannot store the value: an array of ${cpus} values is wanted, one for each CPU`;
        throw new ValueError('', typeName, message);
      }
      (value as readonly ValueInput[]).forEach((one, cpu) => {
        element.write(view, offset + cpu * stride, one);
      });
    },
  };
}
