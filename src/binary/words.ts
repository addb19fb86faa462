const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * The 32-bit words from byte `start` to `end` in this machine's byte order: a view where the bytes are so and lie on a
 * multiple of four, a copy otherwise. What does not fill a last word is left out.
 *
 * Code that the compiler has not seen yet reads them several times faster than a DataView, and {@link Cursor}.
 */
export function wordsOf(
  bytes: Uint8Array,
  { start, end }: { start: number; end: number },
  { littleEndian }: { littleEndian: boolean },
): Uint32Array {
  const length = Math.floor((end - start) / 4);
  const first = bytes.byteOffset + start;
  const native = littleEndian === LITTLE_ENDIAN;
  if (native && first % 4 === 0) return new Uint32Array(bytes.buffer, first, length);
  const copy = new Uint8Array(length * 4);
  copy.set(bytes.subarray(start, start + copy.length));
  if (!native) Buffer.from(copy.buffer).swap32();
  return new Uint32Array(copy.buffer);
}
