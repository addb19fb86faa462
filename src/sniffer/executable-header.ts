import { at, layout, u16, u32 } from '../binary/index.ts';

/** The header of a DOS or Windows program within a payload. */
export interface ExecutableHeader {
  /** Where `MZ` stands in the payload. */
  readonly offset: number;
  /** `pe`: the PE signature was found where the DOS header points. `mz`: it points beyond what was captured. */
  readonly format: 'pe' | 'mz';
  /** `e_lfanew`: bytes from `MZ` to the PE signature. */
  readonly signatureOffset: number;
  /** IMAGE_FILE_HEADER.Machine by name; `undefined` where it was not captured. */
  readonly machine: string | undefined;
  /** IMAGE_FILE_HEADER.TimeDateStamp in seconds since 1970; linkers for reproducible builds put a hash there. */
  readonly timestamp: number | undefined;
}

const DosHeader = layout('IMAGE_DOS_HEADER', 64, { e_magic: at(0, u16), e_lfanew: at(60, u32) });
const FileHeader = layout('IMAGE_NT_HEADERS', 24, {
  signature: at(0, u32),
  machine: at(4, u16),
  timestamp: at(8, u32),
});

const dosMagic = 0x5a4d;
const peSignature = 0x0000_4550;

/** Windows refuses headers further in (RtlImageNtHeaderEx), and four bytes of text are always more than this. */
const largestSignatureOffset = 256 * 1024 * 1024;

const machineNames: Readonly<Record<number, string>> = {
  0x014c: 'i386',
  0x01c0: 'arm',
  0x01c4: 'armnt',
  0x0200: 'ia64',
  0x5064: 'riscv64',
  0x8664: 'amd64',
  0xaa64: 'arm64',
};

/**
 * Looks for an executable anywhere in the payload, so that one which follows the header of a protocol is found. `MZ`
 * alone proves nothing: at the start of the payload the header has to be whole and its `e_lfanew` possible, elsewhere,
 * and wherever `e_lfanew` points inside, the signature `PE\0\0` has to be there.
 */
export function findExecutableHeader(payload: Uint8Array): ExecutableHeader | undefined {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  for (let offset = 0; offset + DosHeader.size <= payload.length; offset++) {
    const header = readExecutableHeader(view, offset);
    if (header?.format === 'pe' || (header !== undefined && offset === 0)) return header;
  }
  return undefined;
}

function readExecutableHeader(view: DataView, offset: number): ExecutableHeader | undefined {
  if (u16.read(view, offset + DosHeader.offsets.e_magic) !== dosMagic) return undefined;
  const signatureOffset = u32.read(view, offset + DosHeader.offsets.e_lfanew);
  // The loader wants the header aligned to four bytes; behind the DOS header it need not be, small programs overlap them.
  if (signatureOffset < 4 || signatureOffset % 4 !== 0 || signatureOffset >= largestSignatureOffset)
    return undefined;
  const at = offset + signatureOffset;
  if (at + 4 > view.byteLength)
    return { offset, format: 'mz', signatureOffset, machine: undefined, timestamp: undefined };
  if (u32.read(view, at + FileHeader.offsets.signature) !== peSignature) return undefined;
  return { offset, format: 'pe', signatureOffset, ...readFileHeader(view, at) };
}

function readFileHeader(view: DataView, at: number): Pick<ExecutableHeader, 'machine' | 'timestamp'> {
  if (at + FileHeader.size > view.byteLength) return { machine: undefined, timestamp: undefined };
  const { machine, timestamp } = FileHeader.read(view, at);
  return { machine: machineNames[machine] ?? `0x${machine.toString(16).padStart(4, '0')}`, timestamp };
}
