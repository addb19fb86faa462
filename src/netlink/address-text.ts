/** Dotted text of an IPv4 address held as a number in host order: `0x7f000001` is `127.0.0.1`. */
export function formatIpv4(address: number): string {
  return [address >>> 24, (address >>> 16) & 0xff, (address >>> 8) & 0xff, address & 0xff].join('.');
}

/**
 * Text of an IPv6 address (16 bytes in network order) by RFC 5952: lower case, no leading zeros, the longest run of
 * two or more zero groups (the first of equals) as `::`, IPv4-mapped addresses as `::ffff:192.0.2.1`.
 */
export function formatIpv6(bytes: ArrayLike<number>): string {
  const groups = Array.from(
    { length: 8 },
    (_, index) => (octet(bytes, index * 2) << 8) | octet(bytes, index * 2 + 1),
  );
  const run = longestZeroRun(groups);
  // RFC 5952 section 5 asks for the mixed notation only where a well-known prefix shows that IPv4 is inside.
  if (run.start === 0 && run.length === 5 && groups[5] === 0xffff) {
    return `::ffff:${formatIpv4(((groups[6] ?? 0) << 16) | (groups[7] ?? 0))}`;
  }
  const text = groups.map((group) => group.toString(16));
  if (run.length < 2) return text.join(':');
  return `${text.slice(0, run.start).join(':')}::${text.slice(run.start + run.length).join(':')}`;
}

function octet(bytes: ArrayLike<number>, index: number): number {
  return bytes[index] ?? 0;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  let start = 0;
  groups.forEach((group, index) => {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > longest.length) longest = { start, length: index + 1 - start };
  });
  return longest;
}
