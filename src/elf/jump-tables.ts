import { INSTRUCTION_SIZE } from '../asm/index.ts';
import { Cursor } from '../binary/index.ts';
import { ObjectError } from '../errors.ts';
import type { ElfSection } from './container.ts';
import type { ElfSymbol } from './symbols.ts';

/** Where clang 22 and newer put the tables that `gotox` jumps by. */
export const JUMP_TABLES_SECTION = '.jumptables';

/** clang writes 64 bits for each place, of which the kernel takes 32. */
const ENTRY_SIZE = 8;

/** The places that an indirect jump may lead to, as clang lays them out. */
export interface JumpTable {
  /** Of its symbol: `BPF.JT.0.0`. */
  readonly name: string;
  /** Bytes from the start of `.jumptables`. */
  readonly offset: number;
  /** One place after the other; a view of the file. */
  readonly entries: Uint8Array;
  readonly littleEndian: boolean;
}

/** Undefined for a symbol that is no whole table in its section. */
export function jumpTableAt(
  section: ElfSection,
  { symbol, littleEndian }: { symbol: ElfSymbol; littleEndian: boolean },
): JumpTable | undefined {
  const { name, value: offset, size } = symbol;
  if (offset % ENTRY_SIZE !== 0 || size % ENTRY_SIZE !== 0 || size === 0) return undefined;
  if (offset + size > section.data.length) return undefined;
  return { name, offset, entries: section.data.subarray(offset, offset + size), littleEndian };
}

/**
 * Where a table leads, in instructions from the start of the function that jumps by it.
 *
 * @throws ObjectError (RELOCATION_FAILED) for a place outside of the function
 */
export function jumpTargets(
  { name, entries, littleEndian }: JumpTable,
  fn: {
    readonly name: string;
    readonly section: string;
    readonly offset: number;
    readonly instructions: Uint8Array;
  },
): number[] {
  const cursor = new Cursor(entries, littleEndian);
  return Array.from({ length: entries.length / ENTRY_SIZE }, (_, index) => {
    // Places count from the start of the section that the function is in.
    const place = cursor.u64(index * ENTRY_SIZE) - BigInt(fn.offset);
    if (place < 0n || place >= fn.instructions.length || place % BigInt(INSTRUCTION_SIZE) !== 0n) {
      throw new ObjectError(
        'RELOCATION_FAILED',
        `Cannot relocate ${fn.name}: entry ${index} of its jump table ${name} leads to no instruction of it`,
        { section: fn.section, program: fn.name },
      );
    }
    return Number(place) / INSTRUCTION_SIZE;
  });
}
