import { createHash } from 'node:crypto';

/** The address of a Tor onion service. */
export interface OnionAddress {
  /** In lower case, with `.onion`. */
  readonly address: string;
  readonly version: 2 | 3;
  /** Whether the checksum of a version 3 address is right; version 2 has none. */
  readonly checksumValid: boolean | undefined;
}

const base32Alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

// A label of the wrong length or alphabet before `.onion` is no onion service; a gateway's suffix (`.onion.to`) may follow.
const pattern = /(?<![a-z0-9-])([a-z2-7]{56}|[a-z2-7]{16})\.onion(?![a-z0-9-])/gi;

/** Every distinct onion address in the text, in order. */
export function findOnionAddresses(text: string): OnionAddress[] {
  const labels = new Set(Array.from(text.matchAll(pattern), ([, label = '']) => label.toLowerCase()));
  return Array.from(labels, (label) => ({
    address: `${label}.onion`,
    version: label.length === 16 ? 2 : 3,
    checksumValid: label.length === 16 ? undefined : isVersion3(label),
  }));
}

/** rend-spec-v3: base32(public key, checksum, version); checksum = SHA3-256(".onion checksum", key, version)[:2]. */
function isVersion3(label: string): boolean {
  const bytes = decodeBase32(label);
  const key = bytes.subarray(0, 32);
  const version = bytes.subarray(34, 35);
  const digest = createHash('sha3-256').update('.onion checksum').update(key).update(version).digest();
  return version[0] === 3 && digest[0] === bytes[32] && digest[1] === bytes[33];
}

function decodeBase32(label: string): Uint8Array {
  const bytes: number[] = [];
  let bits = 0;
  let pending = 0;
  for (const character of label) {
    pending = ((pending << 5) | base32Alphabet.indexOf(character)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((pending >> bits) & 0xff);
  }
  return Uint8Array.from(bytes);
}
