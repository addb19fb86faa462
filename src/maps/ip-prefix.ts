import { ValueError } from '../errors.ts';
import { formatIpAddress, parseIpAddress } from '../netlink/index.ts';
import type { ElementCodec } from './map-codec.ts';

/** Addresses that begin with the same bits. */
export interface IpPrefix {
  /** `10.0.0.0`, or `2001:db8::` for a key with room for IPv6. */
  readonly address: string;
  /** How many bits count; 32 or 128 is one address. */
  readonly prefixLength: number;
}

/** A prefix of bytes that are no address. */
export interface BytesPrefix {
  readonly data: Uint8Array;
  /** How many bits count. */
  readonly prefixLength: number;
}

const LENGTH_SIZE = 4;
const IPV6_SIZE = 16;
/** `::ffff:0:0/96`: where IPv4 lies among the addresses of IPv6. */
const MAPPED_BITS = 96;

/**
 * Keys of a trie that are addresses: `struct bpf_lpm_trie_key_u8` with 4 or 16 bytes of data. Takes prefixes, and text:
 * `10.0.0.0/8`, `10.1.2.3`. Where keys have room for IPv6, IPv4 is stored as `::ffff:a.b.c.d` and comes back as that.
 */
export function ipPrefixCodec(keySize: number): ElementCodec<IpPrefix, IpPrefix | string> {
  const size = keySize - LENGTH_SIZE;
  const typeName = size === IPV6_SIZE ? 'an IPv6 prefix' : 'an IPv4 prefix';
  return {
    size: keySize,
    typeName,
    read(view, offset) {
      const bytes = new Uint8Array(view.buffer, view.byteOffset + offset + LENGTH_SIZE, size);
      return { address: formatIpAddress(bytes), prefixLength: view.getUint32(offset, true) };
    },
    write(view, offset, value) {
      const { bytes, prefixLength } = parsePrefix(value, { size, typeName });
      view.setUint32(offset, prefixLength, true);
      new Uint8Array(view.buffer, view.byteOffset + offset + LENGTH_SIZE, size).set(bytes);
    },
  };
}

/** Keys of a trie as bytes. */
export function bytesPrefixCodec(keySize: number): ElementCodec<BytesPrefix, BytesPrefix> {
  const size = keySize - LENGTH_SIZE;
  const typeName = `a prefix of ${size} bytes`;
  return {
    size: keySize,
    typeName,
    read(view, offset) {
      const data = new Uint8Array(view.buffer, view.byteOffset + offset + LENGTH_SIZE, size).slice();
      return { prefixLength: view.getUint32(offset, true), data };
    },
    write(view, offset, value) {
      const { data, prefixLength } = value as Partial<BytesPrefix>;
      if (!(data instanceof Uint8Array) || data.length !== size)
        throw mismatch(typeName, 'a prefix', `it needs data, a Uint8Array of ${size} bytes`);
      view.setUint32(offset, checkLength(prefixLength, { most: size * 8, typeName }), true);
      new Uint8Array(view.buffer, view.byteOffset + offset + LENGTH_SIZE, size).set(data);
    },
  };
}

function parsePrefix(
  value: unknown,
  { size, typeName }: { size: number; typeName: string },
): { bytes: Uint8Array; prefixLength: number } {
  const given = typeof value === 'string' ? splitPrefix(value) : (value as Partial<IpPrefix>);
  if (typeof given !== 'object' || typeof given.address !== 'string')
    throw mismatch(typeName, String(value), 'it must be { address, prefixLength } or text like 10.0.0.0/8');
  const found = parseIpAddress(given.address);
  if (found.length > size) throw mismatch(typeName, given.address, 'the keys have no room for IPv6');
  const length = given.prefixLength ?? found.length * 8;
  checkLength(length, { most: found.length * 8, typeName });
  if (found.length === size) return { bytes: found, prefixLength: length };
  const bytes = new Uint8Array(IPV6_SIZE);
  bytes.fill(0xff, 10, 12);
  bytes.set(found, 12);
  return { bytes, prefixLength: MAPPED_BITS + length };
}

function splitPrefix(text: string): Partial<IpPrefix> {
  const [address = '', length, ...rest] = text.split('/');
  if (length === undefined) return { address };
  // What is no number at all must not pass for a prefix that was left out.
  return { address, prefixLength: /^\d+$/.test(length) && rest.length === 0 ? Number(length) : Number.NaN };
}

function checkLength(
  value: number | undefined,
  { most, typeName }: { most: number; typeName: string },
): number {
  if (value !== undefined && Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw mismatch(typeName, `a prefix length of ${String(value)}`, `it must be between 0 and ${most}`);
}

function mismatch(typeName: string, what: string, why: string): ValueError {
  return new ValueError('', typeName, `Cannot store ${what} as ${typeName}: ${why}`);
}
