/** How one field of a C struct is laid out and read. Multi-byte values are little-endian unless named `be`. */
export interface FieldType<Value> {
  readonly size: number;
  readonly alignment: number;
  read(view: DataView, offset: number): Value;
  write(view: DataView, offset: number, value: Value): void;
}

/** The value type of a field. */
export type ValueOf<Field> = Field extends FieldType<infer Value> ? Value : never;

function scalar<Value>(
  size: number,
  read: (view: DataView, offset: number) => Value,
  write: (view: DataView, offset: number, value: Value) => void,
): FieldType<Value> {
  return { size, alignment: size, read, write };
}

export const u8 = scalar<number>(
  1,
  (view, offset) => view.getUint8(offset),
  (view, offset, value) => {
    view.setUint8(offset, value);
  },
);
export const u16 = scalar<number>(
  2,
  (view, offset) => view.getUint16(offset, true),
  (view, offset, value) => {
    view.setUint16(offset, value, true);
  },
);
export const u32 = scalar<number>(
  4,
  (view, offset) => view.getUint32(offset, true),
  (view, offset, value) => {
    view.setUint32(offset, value, true);
  },
);
export const u64 = scalar<bigint>(
  8,
  (view, offset) => view.getBigUint64(offset, true),
  (view, offset, value) => {
    view.setBigUint64(offset, value, true);
  },
);
export const i8 = scalar<number>(
  1,
  (view, offset) => view.getInt8(offset),
  (view, offset, value) => {
    view.setInt8(offset, value);
  },
);
export const i16 = scalar<number>(
  2,
  (view, offset) => view.getInt16(offset, true),
  (view, offset, value) => {
    view.setInt16(offset, value, true);
  },
);
export const i32 = scalar<number>(
  4,
  (view, offset) => view.getInt32(offset, true),
  (view, offset, value) => {
    view.setInt32(offset, value, true);
  },
);
export const i64 = scalar<bigint>(
  8,
  (view, offset) => view.getBigInt64(offset, true),
  (view, offset, value) => {
    view.setBigInt64(offset, value, true);
  },
);
/** Network byte order. */
export const be16 = scalar<number>(
  2,
  (view, offset) => view.getUint16(offset, false),
  (view, offset, value) => {
    view.setUint16(offset, value, false);
  },
);
/** Network byte order. */
export const be32 = scalar<number>(
  4,
  (view, offset) => view.getUint32(offset, false),
  (view, offset, value) => {
    view.setUint32(offset, value, false);
  },
);

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** `char name[length]`, NUL-terminated; a longer string is cut to leave room for the NUL. */
/* @__NO_SIDE_EFFECTS__ */
export function chars(length: number): FieldType<string> {
  return {
    size: length,
    alignment: 1,
    read(view, offset) {
      const bytes = new Uint8Array(view.buffer, view.byteOffset + offset, length);
      const end = bytes.indexOf(0);
      return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
    },
    write(view, offset, value) {
      const bytes = new Uint8Array(view.buffer, view.byteOffset + offset, length);
      bytes.fill(0);
      encoder.encodeInto(value, bytes.subarray(0, length - 1));
    },
  };
}

/** `u8 name[length]`; reading copies, writing zero-fills what the value leaves. */
/* @__NO_SIDE_EFFECTS__ */
export function bytes(length: number): FieldType<Uint8Array> {
  return {
    size: length,
    alignment: 1,
    read(view, offset) {
      return new Uint8Array(view.buffer, view.byteOffset + offset, length).slice();
    },
    write(view, offset, value) {
      const target = new Uint8Array(view.buffer, view.byteOffset + offset, length);
      target.fill(0);
      target.set(value.subarray(0, length));
    },
  };
}

/** `T name[length]`. */
/* @__NO_SIDE_EFFECTS__ */
export function array<Value>(element: FieldType<Value>, length: number): FieldType<Value[]> {
  return {
    size: element.size * length,
    alignment: element.alignment,
    read(view, offset) {
      return Array.from({ length }, (_, index) => element.read(view, offset + index * element.size));
    },
    write(view, offset, values) {
      values.slice(0, length).forEach((value, index) => {
        element.write(view, offset + index * element.size, value);
      });
    },
  };
}
