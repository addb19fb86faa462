/** Access to an integer in memory. Up to 32 bits it is a number, above a bigint. */
export interface IntegerCodec {
  readonly bits: number;
  readonly signed: boolean;
  read(view: DataView, offset: number): number | bigint;
  /** Writes a value that is known to fit. */
  write(view: DataView, offset: number, value: number | bigint): void;
}

export interface IntegerEncoding {
  readonly signed: boolean;
  readonly littleEndian: boolean;
}

/** An integer of 1, 2, 4, 8 or 16 bytes. */
export function wholeInteger(size: number, { signed, littleEndian }: IntegerEncoding): IntegerCodec {
  const shape = { bits: size * 8, signed };
  switch (size) {
    case 1:
      return {
        ...shape,
        read: signed ? (view, offset) => view.getInt8(offset) : (view, offset) => view.getUint8(offset),
        write: (view, offset, value) => {
          view.setUint8(offset, Number(value));
        },
      };
    case 2:
      return {
        ...shape,
        read: signed
          ? (view, offset) => view.getInt16(offset, littleEndian)
          : (view, offset) => view.getUint16(offset, littleEndian),
        write: (view, offset, value) => {
          view.setUint16(offset, Number(value), littleEndian);
        },
      };
    case 4:
      return {
        ...shape,
        read: signed
          ? (view, offset) => view.getInt32(offset, littleEndian)
          : (view, offset) => view.getUint32(offset, littleEndian),
        write: (view, offset, value) => {
          view.setUint32(offset, Number(value), littleEndian);
        },
      };
    case 8:
      return {
        ...shape,
        read: signed
          ? (view, offset) => view.getBigInt64(offset, littleEndian)
          : (view, offset) => view.getBigUint64(offset, littleEndian),
        write: (view, offset, value) => {
          // Stores the lower 64 bits, of negative ones too.
          view.setBigUint64(offset, typeof value === 'bigint' ? value : BigInt(value), littleEndian);
        },
      };
    default:
      return { ...shape, ...doubleWord(signed, littleEndian) };
  }
}

/** `__int128`, which a DataView does not know. */
function doubleWord(signed: boolean, littleEndian: boolean): Pick<IntegerCodec, 'read' | 'write'> {
  const [low, high] = littleEndian ? [0, 8] : [8, 0];
  return {
    read(view, offset) {
      const upper = signed
        ? view.getBigInt64(offset + high, littleEndian)
        : view.getBigUint64(offset + high, littleEndian);
      return (upper << 64n) | view.getBigUint64(offset + low, littleEndian);
    },
    write(view, offset, value) {
      const bits = BigInt.asUintN(128, BigInt(value));
      view.setBigUint64(offset + low, bits & 0xffffffffffffffffn, littleEndian);
      view.setBigUint64(offset + high, bits >> 64n, littleEndian);
    },
  };
}

export interface BitfieldPlace {
  /** The first bit, counted from the start of the struct: from the least significant one on little-endian machines. */
  readonly bitOffset: number;
  readonly bitSize: number;
}

/** A bitfield. Touches the bytes that it has bits in and no other: the unit of its type may end past the struct. */
export function bitfield({ bitOffset, bitSize }: BitfieldPlace, encoding: IntegerEncoding): IntegerCodec {
  const { signed, littleEndian } = encoding;
  const firstByte = Math.floor(bitOffset / 8);
  const byteCount = Math.ceil((bitOffset + bitSize) / 8) - firstByte;
  const before = bitOffset - firstByte * 8;
  // Big-endian compilers allocate bits from the most significant one on.
  const shift = littleEndian ? before : byteCount * 8 - before - bitSize;
  const bytes = Array.from({ length: byteCount }, (_, index) => firstByte + index);
  if (littleEndian) bytes.reverse();
  const place = { bytes, shift, bitSize, signed };
  return { bits: bitSize, signed, ...(byteCount <= 4 ? narrowBits(place) : wideBits(place)) };
}

interface BitPlace {
  /** Offsets of the bytes that hold the bits, the most significant byte first. */
  readonly bytes: readonly number[];
  /** Bits below it in the last byte. */
  readonly shift: number;
  readonly bitSize: number;
  readonly signed: boolean;
}

/** Bits within four bytes, by 32-bit arithmetic. */
function narrowBits({ bytes, shift, bitSize, signed }: BitPlace): Pick<IntegerCodec, 'read' | 'write'> {
  const mask = 0xffffffff >>> (32 - bitSize);
  const load = (view: DataView, offset: number): number => {
    let word = 0;
    for (const at of bytes) word = (word << 8) | view.getUint8(offset + at);
    return word;
  };
  return {
    read(view, offset) {
      const raw = (load(view, offset) >>> shift) & mask;
      return signed ? (raw << (32 - bitSize)) >> (32 - bitSize) : raw >>> 0;
    },
    write(view, offset, value) {
      let word = (load(view, offset) & ~(mask << shift)) | ((Number(value) & mask) << shift);
      for (const at of bytes.toReversed()) {
        view.setUint8(offset + at, word);
        word >>>= 8;
      }
    },
  };
}

/** Bits that lie across more than four bytes. */
function wideBits({ bytes, shift, bitSize, signed }: BitPlace): Pick<IntegerCodec, 'read' | 'write'> {
  const [shiftBy, mask] = [BigInt(shift), (1n << BigInt(bitSize)) - 1n];
  const load = (view: DataView, offset: number): bigint => {
    let word = 0n;
    for (const at of bytes) word = (word << 8n) | BigInt(view.getUint8(offset + at));
    return word;
  };
  return {
    read(view, offset) {
      const raw = (load(view, offset) >> shiftBy) & mask;
      const value = signed ? BigInt.asIntN(bitSize, raw) : raw;
      return bitSize <= 32 ? Number(value) : value;
    },
    write(view, offset, value) {
      let word = (load(view, offset) & ~(mask << shiftBy)) | ((BigInt(value) & mask) << shiftBy);
      for (const at of bytes.toReversed()) {
        view.setUint8(offset + at, Number(word & 0xffn));
        word >>= 8n;
      }
    },
  };
}

/** The least and the greatest value that an integer can hold. */
export function integerRange({ bits, signed }: Pick<IntegerCodec, 'bits' | 'signed'>): [bigint, bigint] {
  const half = 1n << BigInt(bits - 1);
  return signed ? [-half, half - 1n] : [0n, half * 2n - 1n];
}
