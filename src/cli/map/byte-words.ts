/**
 * Bytes as bpftool takes them: one word each, decimal, `0x…`, or hexadecimal after `hex`. Undefined where the words are
 * not that, or not as many as there are bytes. A single word is no such list: a number is the value and not its first byte.
 */
export function parseByteWords(words: readonly string[], size: number): Uint8Array | undefined {
  const hexadecimal = words[0] === 'hex';
  const given = hexadecimal ? words.slice(1) : words;
  if (given.length !== size || (!hexadecimal && given.length < 2)) return undefined;
  const bytes = given.map((word) => parseByte(word, hexadecimal));
  return bytes.every((byte) => byte !== undefined) ? Uint8Array.from(bytes) : undefined;
}

function parseByte(word: string, hexadecimal: boolean): number | undefined {
  const pattern = hexadecimal ? /^(?:0x)?[\da-f]{1,2}$/i : /^(?:\d{1,3}|0x[\da-f]{1,2})$/i;
  if (!pattern.test(word)) return undefined;
  const value = hexadecimal ? Number.parseInt(word.replace(/^0x/i, ''), 16) : Number(word);
  return value <= 255 ? value : undefined;
}
