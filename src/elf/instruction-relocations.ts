import { ObjectError } from '../errors.ts';
import { CALL, INSTRUCTION_SIZE, InstructionView, LOAD_IMMEDIATE_64 } from '../asm/index.ts';
import type { ElfSection } from './container.ts';
import { JUMP_TABLES_SECTION, jumpTableAt, type JumpTable } from './jump-tables.ts';
import { sortByOffset, type ElfRelocation } from './relocations.ts';
import { SymbolType, UNDEFINED_SECTION, type ElfSymbol } from './symbols.ts';

/** What an instruction refers to, by name, so that it can be resolved after maps and programs exist. */
export type Relocation =
  /** A 64-bit load of a map. */
  | { readonly kind: 'map'; readonly offset: number; readonly map: string }
  /** A 64-bit load of an address in a map's first value: a global variable. */
  | { readonly kind: 'data'; readonly offset: number; readonly map: string; readonly valueOffset: number }
  /** A call of, or a 64-bit load of the address of, the function at `target` bytes into a section. */
  | {
      readonly kind: 'call' | 'function';
      readonly offset: number;
      readonly section: number;
      readonly target: number;
    }
  /** A 64-bit load of the address of a table of places in the function, which it jumps to (`gotox`). Linux 6.19. */
  | { readonly kind: 'jump-table'; readonly offset: number; readonly table: JumpTable }
  /** A call of, or a 64-bit load from, something that is not in the object. */
  | { readonly kind: 'extern'; readonly offset: number; readonly symbol: string; readonly call: boolean };

/** Where symbols of a section lead to. */
export interface SectionRoles {
  readonly sections: readonly ElfSection[];
  /** Index of `.maps` to the offset of each map in it, or of `maps`. */
  mapAt(sectionIndex: number, offset: number): string | undefined;
  /** The name of the map that a data section becomes. */
  dataMap(sectionIndex: number): string | undefined;
}

/** `BPF_PSEUDO_CALL`: the immediate of the call counts instructions to the callee. */
const PSEUDO_CALL = 1;

/** Gives the relocations of one function, all of them within it, their meaning. `base` is its offset in its section. */
export function interpretRelocations(
  fn: { name: string; section: ElfSection; base: number; instructions: Uint8Array; littleEndian: boolean },
  { relocations, roles }: { relocations: readonly ElfRelocation[]; roles: SectionRoles },
): Relocation[] {
  const view = new InstructionView(fn.instructions, fn.littleEndian);
  const meanings: Relocation[] = [];
  const relocated = new Uint8Array(view.count);
  for (const relocation of relocations) {
    const offset = relocation.offset - fn.base;
    if (offset % INSTRUCTION_SIZE !== 0)
      throw refuse(fn, `the relocation at byte ${offset} is between instructions`);
    const index = offset / INSTRUCTION_SIZE;
    relocated[index] = 1;
    meanings.push(interpret(fn, { relocation, offset, view, index, roles }));
  }
  for (let index = 0; index < view.count; index++) {
    const opcode = view.opcode(index);
    if (opcode === LOAD_IMMEDIATE_64) index++;
    if (opcode !== CALL || view.source(index) !== PSEUDO_CALL || relocated[index] === 1) continue;
    // clang resolves calls within a section itself: the immediate counts from the next instruction.
    const target = fn.base + (index + view.immediate(index) + 1) * INSTRUCTION_SIZE;
    meanings.push({ kind: 'call', offset: index * INSTRUCTION_SIZE, section: fn.section.index, target });
  }
  return sortByOffset(meanings);
}

function interpret(
  fn: { name: string; section: ElfSection; littleEndian: boolean },
  at: {
    relocation: ElfRelocation;
    offset: number;
    view: InstructionView;
    index: number;
    roles: SectionRoles;
  },
): Relocation {
  const { symbol } = at.relocation;
  const { offset, view, index, roles } = at;
  const opcode = view.opcode(index);
  if (opcode === CALL) return interpretCall(fn, at);
  if (opcode !== LOAD_IMMEDIATE_64) {
    throw refuse(fn, `the relocation at byte ${offset} is on an instruction that takes none`);
  }
  if (index + 1 >= view.count) throw refuse(fn, `the 64-bit load at byte ${offset} lacks its second half`);
  if (symbol.section === UNDEFINED_SECTION)
    return { kind: 'extern', offset, symbol: symbol.name, call: false };
  const immediate = view.immediate(index);
  const map = roles.mapAt(
    symbol.section,
    symbol.value + (symbol.type === SymbolType.Section ? immediate : 0),
  );
  if (map !== undefined) return { kind: 'map', offset, map };
  const dataMap = roles.dataMap(symbol.section);
  if (dataMap !== undefined)
    return { kind: 'data', offset, map: dataMap, valueOffset: symbol.value + immediate };
  const section = roles.sections[symbol.section];
  if (section?.executable === true) {
    return { kind: 'function', offset, section: symbol.section, target: symbol.value + immediate };
  }
  if (section?.name === JUMP_TABLES_SECTION) {
    const table = jumpTableAt(section, { symbol, littleEndian: fn.littleEndian });
    if (!table) throw refuse(fn, `${describe(symbol, roles)} is no whole table in ${section.name}`);
    return { kind: 'jump-table', offset, table };
  }
  throw refuse(
    fn,
    `the relocation at byte ${offset} leads to ${describe(symbol, roles)}, which is not loaded`,
  );
}

function interpretCall(
  fn: { name: string; section: ElfSection },
  {
    relocation,
    offset,
    view,
    index,
    roles,
  }: {
    relocation: ElfRelocation;
    offset: number;
    view: InstructionView;
    index: number;
    roles: SectionRoles;
  },
): Relocation {
  const { symbol } = relocation;
  if (symbol.section === UNDEFINED_SECTION)
    return { kind: 'extern', offset, symbol: symbol.name, call: true };
  if (view.source(index) !== PSEUDO_CALL || roles.sections[symbol.section]?.executable !== true) {
    throw refuse(fn, `the call at byte ${offset} leads to ${describe(symbol, roles)}, which is no function`);
  }
  // Of a global function the immediate is -1, of a section symbol it is the distance less one instruction.
  const target = symbol.value + (view.immediate(index) + 1) * INSTRUCTION_SIZE;
  return { kind: 'call', offset, section: symbol.section, target };
}

function describe(symbol: ElfSymbol, roles: SectionRoles): string {
  return symbol.name === '' ? (roles.sections[symbol.section]?.name ?? 'nowhere') : symbol.name;
}

function refuse(fn: { name: string; section: ElfSection }, why: string): ObjectError {
  return new ObjectError('RELOCATION_FAILED', `Cannot relocate ${fn.name}: ${why}`, {
    section: fn.section.name,
    program: fn.name,
  });
}
