/** The "newc" form of cpio, which the kernel unpacks its initial file system from (init/initramfs.c). */

export interface ArchiveEntry {
  /** Without a leading slash. */
  readonly path: string;
  /** Type and permissions as in `st_mode`. */
  readonly mode: number;
  readonly contents?: Uint8Array;
}

export const DIRECTORY = 0o040_755;
export const EXECUTABLE = 0o100_755;
export const FILE = 0o100_644;

const TRAILER = 'TRAILER!!!';

export function buildArchive(entries: readonly ArchiveEntry[]): Uint8Array {
  const parts = [...entries, { path: TRAILER, mode: 0 }].flatMap(encodeEntry);
  return Buffer.concat(parts);
}

function encodeEntry(entry: ArchiveEntry, index: number): Uint8Array[] {
  const { path, mode, contents = new Uint8Array(0) } = entry;
  const name = Buffer.from(`${path}\0`);
  // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
  const fields = [index + 1, mode, 0, 0, 1, 0, contents.length, 0, 0, 0, 0, name.length, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
  return [padded(Buffer.concat([Buffer.from(header), name])), padded(contents)];
}

/** Names and contents begin at multiples of four. */
function padded(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, new Uint8Array((4 - (bytes.length % 4)) % 4)]);
}
