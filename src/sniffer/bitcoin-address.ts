import { createHash } from 'node:crypto';

/** A Bitcoin address of the main network whose checksum is right. */
export interface BitcoinAddress {
  /** As it stands in the text. */
  readonly address: string;
  /** `p2pkh` starts with 1, `p2sh` with 3, `segwit` with bc1. */
  readonly kind: 'p2pkh' | 'p2sh' | 'segwit';
}

// 0, O, I and l are not of base58, but next to an address they make it part of a longer word.
const pattern =
  /(?<![0-9a-zA-Z])(?:[13][1-9A-HJ-NP-Za-km-z]{25,34}|bc1[02-9ac-hj-np-z]{11,87}|BC1[02-9AC-HJ-NP-Z]{11,87})(?![0-9a-zA-Z])/g;

/** Every distinct address in the text, in order. A string that only looks like one has a wrong checksum. */
export function findBitcoinAddresses(text: string): BitcoinAddress[] {
  const candidates = new Set(Array.from(text.matchAll(pattern), ([address]) => address));
  const found: BitcoinAddress[] = [];
  for (const address of candidates) {
    const kind = /^bc1/i.test(address) ? segwitKind(address.toLowerCase()) : base58Kind(address);
    if (kind !== undefined) found.push({ address, kind });
  }
  return found;
}

const base58Alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** Base58Check: a version byte, 20 bytes of hash, and the first 4 bytes of a double SHA-256 over both. */
function base58Kind(address: string): 'p2pkh' | 'p2sh' | undefined {
  let number = 0n;
  for (const character of address) number = number * 58n + BigInt(base58Alphabet.indexOf(character));
  const digits = number.toString(16);
  if (digits.length > 50) return undefined;
  const bytes = Buffer.from(digits.padStart(50, '0'), 'hex');
  // Every leading zero byte is written as one `1`, so that each hash has exactly one spelling.
  const zeroBytes = bytes.findIndex((byte) => byte !== 0);
  if (zeroBytes !== address.search(/[^1]/)) return undefined;
  const checksum = sha256(sha256(bytes.subarray(0, 21))).subarray(0, 4);
  if (!checksum.equals(bytes.subarray(21))) return undefined;
  if (bytes[0] === 0x00) return 'p2pkh';
  return bytes[0] === 0x05 ? 'p2sh' : undefined;
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

const bech32Alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
/** What the checksum of a witness program of version 0 (BIP 173) and of a later version (BIP 350) leaves. */
const bech32Constant = { version0: 1, later: 0x2bc8_30a3 };

/** BIP 173 and BIP 350: a witness version, a program of 2 to 40 bytes in groups of 5 bits, 6 groups of checksum. */
function segwitKind(address: string): 'segwit' | undefined {
  const values = Array.from(address.slice('bc1'.length), (character) => bech32Alphabet.indexOf(character));
  const [version = 0] = values;
  // The human-readable part "bc" expanded: the upper bits of each character, 0, the lower bits.
  const remainder = bech32Polymod([3, 3, 0, 2, 3, ...values]);
  if (remainder !== (version === 0 ? bech32Constant.version0 : bech32Constant.later) || version > 16)
    return undefined;
  const length = witnessProgramLength(values.slice(1, -6));
  if (length === undefined || length < 2 || length > 40) return undefined;
  return version === 0 && length !== 20 && length !== 32 ? undefined : 'segwit';
}

/** Bytes that groups of 5 bits hold; `undefined` where the padding is longer than 4 bits or not zero. */
function witnessProgramLength(groups: readonly number[]): number | undefined {
  const padding = (groups.length * 5) % 8;
  const last = groups.at(-1) ?? 0;
  if (padding > 4 || (last & ((1 << padding) - 1)) !== 0) return undefined;
  return (groups.length * 5 - padding) / 8;
}

function bech32Polymod(values: readonly number[]): number {
  const generator = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
  let checksum = 1;
  for (const value of values) {
    const top = checksum >>> 25;
    checksum = ((checksum & 0x1ff_ffff) << 5) ^ value;
    generator.forEach((term, bit) => {
      if ((top >>> bit) & 1) checksum ^= term;
    });
  }
  return checksum;
}
