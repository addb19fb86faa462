/** Where the bits of a bitfield lie, from the first byte that has any of them. */
export interface BitSpan {
  readonly firstByte: number;
  readonly byteCount: number;
  /** Bits below the field in the first byte. */
  readonly shift: number;
}

export function spanOf(bitOffset: number, bits: number): BitSpan {
  const firstByte = Math.floor(bitOffset / 8);
  return { firstByte, byteCount: Math.ceil((bitOffset + bits) / 8) - firstByte, shift: bitOffset % 8 };
}

/** `at + 4`; `at` alone for offset 0. */
export function plus(base: string, offset: number): string {
  return offset === 0 ? base : `${base} + ${String(offset)}`;
}

/** An expression for a bitfield: a number up to 32 bits, a bigint above. Reads the bytes that have bits of it. */
export function readBits(
  base: string,
  { bitOffset, bits, signed }: { bitOffset: number; bits: number; signed: boolean },
): string {
  const { firstByte, byteCount, shift } = spanOf(bitOffset, bits);
  if (byteCount > 4) return readWideBits(base, { firstByte, byteCount, shift, bits, signed });
  const word = loadWord(base, { firstByte, byteCount, big: false });
  if (signed) {
    const left = 32 - shift - bits;
    const moved = left === 0 ? word : `(${word} << ${String(left)})`;
    return bits === 32 ? `(${word} | 0)` : `(${moved} >> ${String(32 - bits)})`;
  }
  if (bits === 32) return word;
  const down = shift === 0 ? word : `(${word} >>> ${String(shift)})`;
  return `(${down} & 0x${(2 ** bits - 1).toString(16)})`;
}

function readWideBits(base: string, place: BitSpan & { bits: number; signed: boolean }): string {
  const { shift, bits, signed } = place;
  const word = loadWord(base, { ...place, big: true });
  const down = shift === 0 ? word : `${word} >> ${String(shift)}n`;
  const value = `BigInt.as${signed ? 'Int' : 'Uint'}N(${String(bits)}, ${down})`;
  return bits <= 32 ? `Number(${value})` : value;
}

/** The bytes as one little-endian word, in as few loads as there are. */
function loadWord(
  base: string,
  { firstByte, byteCount, big }: { firstByte: number; byteCount: number; big: boolean },
): string {
  const loads: string[] = [];
  for (let at = 0; at < byteCount;) {
    const left = byteCount - at;
    const size = left >= 8 && big ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
    const load = loadUnsigned(plus(base, firstByte + at), size);
    const value = big && size < 8 ? `BigInt(${load})` : load;
    const suffix = big ? 'n' : '';
    loads.push(at === 0 ? value : `(${value} << ${String(at * 8)}${suffix})`);
    at += size;
  }
  return loads.length === 1 ? (loads[0] ?? '') : `(${loads.join(' | ')})`;
}

function loadUnsigned(at: string, size: number): string {
  if (size === 1) return `view.getUint8(${at})`;
  return size === 8 ? `view.getBigUint64(${at}, true)` : `view.getUint${String(size * 8)}(${at}, true)`;
}
