import { copyInto, readBytes, readText, toText, writeItems } from './array-codec.ts';
import type { FieldCodec } from './field-codec.ts';
import { flexibleLength, parseBytes, type FlexibleArray } from './flexible.ts';
import { Mismatch } from './mismatch.ts';
import type { BtfValue } from './value.ts';

/** `char x[]` as text up to the NUL, or to the end. */
export function flexibleText(typeName: string): FieldCodec {
  return {
    ...flexible('text', 1),
    read: (view, offset, end) => readText(view, offset, flexibleLength(offset, end, 1)),
    write(view, offset, value, end) {
      copyInto(view, offset, toText(value, flexibleLength(offset, end, 1), typeName));
    },
  };
}

/** `__u8 x[]` as a copy of the bytes. */
export function flexibleBytes(typeName: string): FieldCodec {
  return {
    ...flexible('bytes', 1),
    read: (view, offset, end) => readBytes(view, offset, flexibleLength(offset, end, 1)),
    write(view, offset, value, end) {
      copyInto(view, offset, toBytesUpTo(value, flexibleLength(offset, end, 1), typeName));
    },
  };
}

/** An array of anything else; none of its elements is flexible itself. */
export function flexibleArray(element: FieldCodec, typeName: string): FieldCodec {
  const { size } = element;
  return {
    ...flexible('array', size),
    read(view, offset, end) {
      const values: BtfValue[] = [];
      const length = flexibleLength(offset, end, size);
      for (let index = 0; index < length; index++) values.push(element.read(view, offset + index * size));
      return values;
    },
    write(view, offset, value, end) {
      const length = flexibleLength(offset, end, size);
      writeElementsUpTo(value, { length, typeName }, (item, index) => {
        element.write(view, offset + index * size, item);
      });
    },
  };
}

function flexible(of: FlexibleArray['of'], elementSize: number): Pick<FieldCodec, 'size' | 'flexible'> {
  return { size: 0, flexible: { smallest: 0, arrays: [{ path: [], offset: 0, elementSize, of }] } };
}

/** A type in a place where it cannot grow: its flexible array is empty there. */
export function withoutEnd(codec: FieldCodec): FieldCodec {
  if (codec.flexible === undefined) return codec;
  return {
    size: codec.size,
    closed: true,
    get fields() {
      return codec.fields;
    },
    read: (view, offset) => codec.read(view, offset),
    write(view, offset, value) {
      codec.write(view, offset, value);
    },
  };
}

/** Bytes of which at most `length` fit. */
export function toBytesUpTo(value: unknown, length: number, typeName: string): Uint8Array {
  const bytes = parseBytes(value);
  if (bytes === undefined) {
    const why = 'it must be bytes, hexadecimal text or an array of numbers up to 255';
    throw new Mismatch(value, typeName, why);
  }
  if (bytes.length > length)
    throw new Mismatch(value, typeName, `it has ${String(bytes.length)} bytes, and ${String(length)} fit`);
  return bytes;
}

/** Calls back for each element of an array of which at most `length` fit. */
export function writeElementsUpTo(
  value: unknown,
  { length, typeName }: { readonly length: number; readonly typeName: string },
  write: (item: unknown, index: number) => void,
): void {
  if (!Array.isArray(value)) throw new Mismatch(value, typeName, 'it must be an array');
  if (value.length > length) {
    const why = `it has ${String(value.length)} elements, and ${String(length)} fit`;
    throw new Mismatch(value, typeName, why);
  }
  writeItems(value, write);
}
