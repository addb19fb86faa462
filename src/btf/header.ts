import { BtfError } from '../errors.ts';

export const BTF_MAGIC = 0xeb9f;
export const BTF_VERSION = 1;
/** `struct btf_header` as every kernel knows it, without the layout section of Linux 7.1. */
export const BTF_HEADER_SIZE = 24;
const HEADER_SIZE_WITH_LAYOUT = 32;
const LAYOUT_SIZE = 4;

/** A section of the BTF, in bytes from the start of the BTF. */
export interface BtfRange {
  readonly start: number;
  readonly end: number;
}

export interface BtfHeader {
  readonly littleEndian: boolean;
  readonly types: BtfRange;
  readonly strings: BtfRange;
  /** One `struct btf_layout` for each kind the producer knows, since Linux 7.1; otherwise empty. */
  readonly layouts: BtfRange;
}

/** Reads and checks `struct btf_header`. Throws {@link BtfError}. */
export function readHeader(bytes: Uint8Array): BtfHeader {
  if (bytes.length < BTF_HEADER_SIZE) throw truncated(`${String(bytes.length)} bytes do not hold a header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const littleEndian = readByteOrder(view);
  const word = (offset: number): number => view.getUint32(offset, littleEndian);
  const version = view.getUint8(2);
  if (version !== BTF_VERSION)
    throw new BtfError(`Cannot read BTF: version ${String(version)} is not supported`);
  const headerSize = word(4);
  if (headerSize < BTF_HEADER_SIZE || headerSize > bytes.length) {
    throw new BtfError(`Cannot read BTF: its header cannot have ${String(headerSize)} bytes`);
  }
  const section = (name: string, offset: number): BtfRange => {
    const start = headerSize + word(offset);
    const end = start + word(offset + 4);
    if (end > bytes.length) {
      throw truncated(`the ${name} end at byte ${String(end)} of ${String(bytes.length)}`);
    }
    return { start, end };
  };
  const types = section('types', 8);
  const strings = section('strings', 16);
  const hasLayouts = headerSize >= HEADER_SIZE_WITH_LAYOUT;
  const layouts = hasLayouts ? section('kind layouts', 24) : { start: 0, end: 0 };
  if (types.start % 4 !== 0) throw new BtfError('Cannot read BTF: its types are not aligned to 4 bytes');
  if ((layouts.end - layouts.start) % LAYOUT_SIZE !== 0) {
    throw new BtfError(`Cannot read BTF: its kind layouts are no multiple of ${String(LAYOUT_SIZE)} bytes`);
  }
  return { littleEndian, types, strings, layouts };
}

/** The magic tells in which byte order everything is. */
function readByteOrder(view: DataView): boolean {
  const magic = view.getUint16(0, true);
  if (magic === BTF_MAGIC) return true;
  if (view.getUint16(0, false) === BTF_MAGIC) return false;
  throw new BtfError(`Cannot read BTF: it starts with 0x${magic.toString(16).padStart(4, '0')}, not 0xeb9f`);
}

function truncated(why: string): BtfError {
  return new BtfError(`Cannot read BTF: ${why}`);
}
