/**
 * Shannon entropy of the bytes in bits per byte: 0 where all are equal (and where there are none), 8 at most.
 *
 * It is the entropy of the sample, so few bytes cannot reach 8: n random bytes average about 8 − 184/n for large n
 * (Miller and Madow's bias, 255 / (2·n·ln 2)), and log2(n) is the most that n bytes can have.
 */
export function shannonEntropy(bytes: Uint8Array): number {
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
  let sum = 0;
  for (const count of counts) {
    if (count > 0) sum += count * Math.log2(count);
  }
  return bytes.length === 0 ? 0 : Math.max(0, Math.log2(bytes.length) - sum / bytes.length);
}
