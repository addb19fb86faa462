import { isIPv4, isIPv6 } from 'node:net';
import { ArgumentError, BoundsError } from '../errors.ts';
import { formatIpv6 } from './address-text.ts';

/** 4 bytes for IPv4, 16 for IPv6, in network order. Throws {@link ArgumentError} for any other text. */
export function parseIpAddress(text: string): Uint8Array {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  if (isIPv6(text) && !text.includes('%')) return parseIpv6(text);
  throw new ArgumentError(
    'address',
    `Cannot use ${JSON.stringify(text)} as an IP address: it is neither IPv4 nor IPv6`,
  );
}

/** The text of RFC 5952 for 16 bytes, dotted decimals for 4. */
export function formatIpAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) throw new BoundsError(0, 16, bytes.length);
  return formatIpv6(bytes);
}

function parseIpv6(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  const [head = '', tail] = text.split('::');
  const left = groupBytes(head);
  const right = groupBytes(tail ?? '');
  bytes.set(left);
  bytes.set(right, 16 - right.length);
  return bytes;
}

/** The bytes of `2001:db8:0` or of `ffff:10.0.0.1`; the text has been checked. */
function groupBytes(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
