import { alignUp, Cursor } from '../../binary/index.ts';
import { ElfError } from '../../errors.ts';
import type { ExecutableFile } from './executable-file.ts';

/** One place in a program where it offers itself to be traced (a user-level statically defined tracing probe). */
export interface UsdtProbe {
  readonly provider: string;
  readonly name: string;
  /** Where its instruction is in the file, in bytes. */
  readonly offset: number;
  /** Where it is in memory, before the file is moved to where it is loaded. */
  readonly address: number;
  /** Where in the file its counter of listeners is; 0 for none. */
  readonly semaphoreOffset: number;
  /** How its arguments are found, `-4@%edi 8@$5`. */
  readonly arguments: string;
}

const SECTION = '.note.stapsdt';
const BASE_SECTION = '.stapsdt.base';
const OWNER = [...Buffer.from('stapsdt\0')];
const NT_STAPSDT = 3;

/** Every probe of a provider and name. @throws ElfError where the notes are broken */
export function findUsdtProbes(
  file: ExecutableFile,
  wanted: { readonly provider: string; readonly name: string },
): UsdtProbe[] {
  return readUsdtProbes(file).filter(
    ({ provider, name }) => provider === wanted.provider && name === wanted.name,
  );
}

/** Every probe of an executable. @throws ElfError where the notes are broken */
export function readUsdtProbes(file: ExecutableFile): UsdtProbe[] {
  const section = file.section(SECTION);
  if (!section) return [];
  const bytes = file.contents(section);
  const cursor = new Cursor(bytes);
  // Prelinking moves the sections and not what notes say; this one tells how far (UserSpaceProbeImplementation, below).
  const base = file.section(BASE_SECTION)?.address;
  const probes: UsdtProbe[] = [];
  for (let at = 0; at + 12 <= bytes.length;) {
    const [nameSize, size, type] = [cursor.u32(at), cursor.u32(at + 4), cursor.u32(at + 8)];
    const start = at + 12 + alignUp(nameSize, 4);
    if (start + size > bytes.length) throw broken(file, 'a note reaches past the end of its section');
    if (type === NT_STAPSDT && isOwner(bytes.subarray(at + 12, start)))
      probes.push(decodeProbe(file, bytes.subarray(start, start + size), base));
    at = start + alignUp(size, 4);
  }
  return probes;
}

function isOwner(name: Uint8Array): boolean {
  return name.length >= OWNER.length && OWNER.every((byte, index) => name[index] === byte);
}

/** Three addresses, then three strings: https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation */
function decodeProbe(file: ExecutableFile, note: Uint8Array, actual: number | undefined): UsdtProbe {
  if (note.length < 24 + 3) throw broken(file, 'a note is too short');
  const view = new DataView(note.buffer, note.byteOffset, note.length);
  const [location, base, semaphore] = [0, 8, 16].map((at) => Number(view.getBigUint64(at, true)));
  const [provider = '', name = '', args = ''] = Buffer.from(note.subarray(24))
    .toString('latin1')
    .split('\0', 3);
  const moved = actual === undefined || base === undefined || base === 0 ? 0 : actual - base;
  const address = (location ?? 0) + moved;
  return {
    provider,
    name,
    address,
    offset: fileOffset(file, { address, what: `probe ${provider}:${name}`, executable: true }),
    semaphoreOffset:
      semaphore === undefined || semaphore === 0
        ? 0
        : fileOffset(file, {
            address: semaphore + moved,
            what: `the semaphore of ${provider}:${name}`,
            executable: false,
          }),
    arguments: args,
  };
}

function fileOffset(
  file: ExecutableFile,
  { address, what, executable }: { address: number; what: string; executable: boolean },
): number {
  const segment = file.segmentAt(address);
  if (segment?.executable !== executable) {
    throw broken(file, `${what} is in no ${executable ? 'executable' : 'data'} segment`);
  }
  const offset = address - segment.address + segment.offset;
  if (offset < file.source.size) return offset;
  throw broken(file, `${what} is outside of the file`);
}

function broken(file: ExecutableFile, why: string): ElfError {
  return new ElfError('ELF_INVALID', `Cannot read the probes of ${file.source.name}: ${why}`, {
    section: SECTION,
  });
}
