import type { FieldCodec } from './field-codec.ts';
import { parseBytes } from './flexible.ts';
import { Mismatch } from './mismatch.ts';
import type { BtfValue } from './value.ts';

interface ArrayShape {
  readonly length: number;
  readonly typeName: string;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();
const SHORT = 64;

/** `char x[N]` as text up to the NUL; bytes that are no UTF-8 read as U+FFFD. */
export function textValue({ length, typeName }: ArrayShape): FieldCodec {
  return {
    size: length,
    read: (view, offset) => readText(view, offset, length),
    write(view, offset, value) {
      copyInto(view, offset, toText(value, length, typeName));
    },
  };
}

/** The text of a `char[length]`. */
export function readText(view: DataView, offset: number, length: number): string {
  let text = '';
  // Names in the kernel are short and ASCII, for which this takes a third of what a decoder does.
  for (let at = 0; at < length; at++) {
    const byte = view.getUint8(offset + at);
    if (byte === 0) return text;
    if (byte > 0x7f || at === SHORT)
      return decode(new Uint8Array(view.buffer, view.byteOffset + offset, length));
    text += String.fromCharCode(byte);
  }
  return text;
}

/** The bytes of a text that fits a `char[length]`. */
export function toText(value: unknown, length: number, typeName: string): Uint8Array {
  if (typeof value !== 'string') throw new Mismatch(value, typeName, 'it must be a string');
  const bytes = encoder.encode(value);
  // C too lets a string fill its array without leaving room for the NUL.
  if (bytes.length > length) {
    const why = `it has ${String(bytes.length)} bytes, and ${String(length)} fit`;
    throw new Mismatch(value, typeName, why);
  }
  return bytes;
}

/** Copies bytes to a place in a view. */
export function copyInto(view: DataView, offset: number, bytes: Uint8Array): void {
  new Uint8Array(view.buffer, view.byteOffset + offset, bytes.length).set(bytes);
}

function decode(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** `__u8 x[N]` as a copy of the bytes; written from bytes, hexadecimal text or numbers. */
export function bytesValue({ length, typeName }: ArrayShape): FieldCodec {
  return {
    size: length,
    read: (view, offset) => readBytes(view, offset, length),
    write(view, offset, value) {
      copyInto(view, offset, toBytes(value, length, typeName));
    },
  };
}

/** A copy. */
export function readBytes(view: DataView, offset: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  bytes.set(new Uint8Array(view.buffer, view.byteOffset + offset, length));
  return bytes;
}

/** Exactly `length` bytes. */
export function toBytes(value: unknown, length: number, typeName: string): Uint8Array {
  const bytes = parseBytes(value);
  if (bytes === undefined) {
    const why = 'it must be bytes, hexadecimal text or an array of numbers up to 255';
    throw new Mismatch(value, typeName, why);
  }
  if (bytes.length !== length) {
    const why = `it must have ${String(length)} bytes and has ${String(bytes.length)}`;
    throw new Mismatch(value, typeName, why);
  }
  return bytes;
}

/** An array of anything else. */
export function arrayValue(element: FieldCodec, { length, typeName }: ArrayShape): FieldCodec {
  return {
    size: element.size * length,
    read(view, offset) {
      const values: BtfValue[] = [];
      for (let index = 0; index < length; index++)
        values.push(element.read(view, offset + index * element.size));
      return values;
    },
    write(view, offset, value) {
      writeElements(value, { length, typeName }, (item, index) => {
        element.write(view, offset + index * element.size, item);
      });
    },
  };
}

/** Calls back for each element of an array that must have `length` of them. */
export function writeElements(
  value: unknown,
  { length, typeName }: ArrayShape,
  write: (item: unknown, index: number) => void,
): void {
  const values: unknown[] | undefined = Array.isArray(value) ? value : undefined;
  if (values === undefined) throw new Mismatch(value, typeName, 'it must be an array');
  if (values.length !== length)
    throw new Mismatch(value, typeName, `it must have ${String(length)} elements`);
  writeItems(values, write);
}

/** Calls back for each, and leads errors to it. */
export function writeItems(values: readonly unknown[], write: (item: unknown, index: number) => void): void {
  let index = 0;
  try {
    for (; index < values.length; index++) write(values[index], index);
  } catch (error) {
    throw Mismatch.within(`[${String(index)}]`, error);
  }
}
