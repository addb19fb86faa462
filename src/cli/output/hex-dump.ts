const ROW = 16;

/** Bytes in rows of sixteen with their offset and what of them is printable, as bpftool shows packets. */
export function hexDump(bytes: Uint8Array): string {
  const rows: string[] = [];
  for (let start = 0; start < bytes.length; start += ROW) {
    const row = bytes.subarray(start, start + ROW);
    const hex = Array.from({ length: ROW }, (_, column) => {
      const byte = row[column];
      const text = byte === undefined ? '  ' : byte.toString(16).padStart(2, '0');
      return column % 2 === 1 ? `${text} ` : text;
    }).join('');
    const characters = [...row].map(
      (byte, column) =>
        `${byte < 0x20 || byte > 0x7e ? '.' : String.fromCharCode(byte)}${column === 7 ? ' ' : ''}`,
    );
    rows.push(`${start.toString(16).padStart(7, '0')}\t${hex}| ${characters.join('')}`);
  }
  return rows.join('\n');
}
