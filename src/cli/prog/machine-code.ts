import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An instruction as a disassembler of this machine prints it. */
export interface MachineInstruction {
  /** Bytes from the start of the function. */
  readonly offset: number;
  readonly bytes: readonly number[];
  readonly operation: string;
  readonly operands: readonly string[];
}

const architectures: Readonly<Partial<Record<NodeJS.Architecture, string>>> = {
  x64: 'i386:x86-64',
  arm64: 'aarch64',
};

/** Disassembles by objdump of binutils; undefined where that is not installed, or not for this machine. */
export function disassembleMachineCode(code: Uint8Array): MachineInstruction[] | undefined {
  const architecture = architectures[process.arch];
  if (architecture === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-jited-'));
  try {
    const file = join(folder, 'code');
    writeFileSync(file, code);
    const options = ['-D', '-b', 'binary', '-m', architecture, '-w', '-z', file];
    const text = execFileSync('objdump', options, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 1 << 28,
    });
    return parseListing(text);
  } catch (error) {
    // Not installed, or an objdump that knows no other machine than another one.
    const { code: failure, status } = error as { code?: unknown; status?: unknown };
    if (failure === 'ENOENT' || status === 1) return undefined;
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What objdump prints; lines of another form are left out. */
export function parseListing(text: string): MachineInstruction[] {
  return text.split('\n').flatMap((line) => parseLine(line) ?? []);
}

/** `   4:\t0f 1f 44 00 00       \tnopl   0x0(%rax,%rax,1)` */
function parseLine(line: string): MachineInstruction | undefined {
  const [place = '', bytes = '', text = ''] = line.split('\t');
  const offset = /^\s*([\da-f]+):$/.exec(place)?.[1];
  if (offset === undefined) return undefined;
  const [operation = '', ...rest] = text.trim().split(/\s+/);
  const operands = rest.length === 0 ? [] : rest.join(' ').split(/,(?![^(]*\))/);
  return {
    offset: Number.parseInt(offset, 16),
    bytes: bytes.trim().split(/\s+/).flatMap(wordBytes),
    operation,
    operands,
  };
}

/** arm64 has words of four bytes, printed as numbers; x86 has bytes. */
function wordBytes(word: string): number[] {
  const bytes = word.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? [];
  return bytes.reverse();
}
