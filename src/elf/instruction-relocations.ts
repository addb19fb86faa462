import { ObjectError } from '../errors.ts';
import { CALL, INSTRUCTION_SIZE, InstructionView, LOAD_IMMEDIATE_64 } from '../asm/index.ts';
import type { ElfSection } from './container.ts';
import { JUMP_TABLES_SECTION, jumpTableAt, type JumpTable } from './jump-tables.ts';
import { firstFrom, sortByOffset, type ElfRelocation } from './relocations.ts';
import type { SectionRoles } from './section-roles.ts';
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

/** `BPF_PSEUDO_CALL`: the immediate of the call counts instructions to the callee. */
const PSEUDO_CALL = 1;

/** A function whose relocations are given their meaning. */
interface RelocatedFunction {
  readonly name: string;
  readonly section: ElfSection;
  /** Its offset in its section. */
  readonly base: number;
  readonly instructions: Uint8Array;
  readonly littleEndian: boolean;
}

/** Gives the relocations of one function, all of them within it, their meaning. */
export function interpretRelocations(
  fn: RelocatedFunction,
  { relocations, roles }: { relocations: readonly ElfRelocation[]; roles: SectionRoles },
): Relocation[] {
  const interpreter = new Interpreter(fn, roles);
  const meanings = relocations.map((relocation) => interpreter.interpret(relocation));
  for (const offset of interpreter.functionCalls()) {
    if (relocations[firstFrom(relocations, fn.base + offset)]?.offset === fn.base + offset) continue;
    meanings.push(interpreter.callWithin(offset));
  }
  return sortByOffset(meanings);
}

class Interpreter {
  readonly #fn: RelocatedFunction;
  readonly #roles: SectionRoles;
  readonly #view: InstructionView;

  constructor(fn: RelocatedFunction, roles: SectionRoles) {
    this.#fn = fn;
    this.#roles = roles;
    this.#view = new InstructionView(fn.instructions, fn.littleEndian);
  }

  interpret({ offset: place, symbol }: ElfRelocation): Relocation {
    const view = this.#view;
    const roles = this.#roles;
    const offset = place - this.#fn.base;
    const index = offset / INSTRUCTION_SIZE;
    if (!Number.isInteger(index))
      throw this.#refuse(`the relocation at byte ${offset} is between instructions`);
    const opcode = view.opcode(index);
    if (opcode === CALL) return this.#call(offset, symbol);
    if (opcode !== LOAD_IMMEDIATE_64) {
      throw this.#refuse(`the relocation at byte ${offset} is on an instruction that takes none`);
    }
    if (index + 1 >= view.count)
      throw this.#refuse(`the 64-bit load at byte ${offset} lacks its second half`);
    if (symbol.section === UNDEFINED_SECTION)
      return { kind: 'extern', offset, symbol: symbol.name, call: false };
    const immediate = view.immediate(index);
    const inSection = symbol.value + (symbol.type === SymbolType.Section ? immediate : 0);
    const map = roles.mapAt(symbol.section, inSection);
    if (map !== undefined) return { kind: 'map', offset, map };
    const dataMap = roles.dataMap(symbol.section);
    const valueOffset = symbol.value + immediate;
    if (dataMap !== undefined) return { kind: 'data', offset, map: dataMap, valueOffset };
    const section = roles.sections[symbol.section];
    if (section?.executable === true)
      return { kind: 'function', offset, section: symbol.section, target: valueOffset };
    if (section?.name === JUMP_TABLES_SECTION)
      return { kind: 'jump-table', offset, table: this.#jumpTable(section, symbol) };
    throw this.#refuse(
      `the relocation at byte ${offset} leads to ${this.#describe(symbol)}, which is not loaded`,
    );
  }

  #call(offset: number, symbol: ElfSymbol): Relocation {
    const index = offset / INSTRUCTION_SIZE;
    if (symbol.section === UNDEFINED_SECTION)
      return { kind: 'extern', offset, symbol: symbol.name, call: true };
    const isFunction = this.#roles.sections[symbol.section]?.executable === true;
    if (this.#view.source(index) !== PSEUDO_CALL || !isFunction) {
      throw this.#refuse(
        `the call at byte ${offset} leads to ${this.#describe(symbol)}, which is no function`,
      );
    }
    // Of a global function the immediate is -1, of a section symbol it is the distance less one instruction.
    const target = symbol.value + (this.#view.immediate(index) + 1) * INSTRUCTION_SIZE;
    return { kind: 'call', offset, section: symbol.section, target };
  }

  /** A call that clang has resolved itself, within a section: the immediate counts from the next instruction. */
  callWithin(offset: number): Relocation {
    const { base, section } = this.#fn;
    const distance = (this.#view.immediate(offset / INSTRUCTION_SIZE) + 1) * INSTRUCTION_SIZE;
    return { kind: 'call', offset, section: section.index, target: base + offset + distance };
  }

  /**
   * Where a function of the object is called. These are few among tens of thousands of instructions, and searched for natively, by
   * the opcode and the registers, of which the destination is 0 or the verifier refuses them.
   */
  functionCalls(): number[] {
    const { buffer, byteOffset, length } = this.#fn.instructions;
    const bytes = Buffer.from(buffer, byteOffset, length);
    const wanted = Buffer.of(CALL, this.#fn.littleEndian ? PSEUDO_CALL << 4 : PSEUDO_CALL);
    const found: number[] = [];
    for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) {
      if (at % INSTRUCTION_SIZE === 0 && !this.#isSecondHalf(at / INSTRUCTION_SIZE)) found.push(at);
    }
    return found;
  }

  /** Whether an instruction is the rest of a 64-bit load. */
  #isSecondHalf(index: number): boolean {
    let loads = 0;
    while (loads < index && this.#view.opcode(index - loads - 1) === LOAD_IMMEDIATE_64) loads++;
    return loads % 2 === 1;
  }

  #jumpTable(section: ElfSection, symbol: ElfSymbol): JumpTable {
    const table = jumpTableAt(section, { symbol, littleEndian: this.#fn.littleEndian });
    if (table) return table;
    throw this.#refuse(`${this.#describe(symbol)} is no whole table in ${section.name}`);
  }

  #describe({ name, section }: ElfSymbol): string {
    return name === '' ? (this.#roles.sections[section]?.name ?? 'nowhere') : name;
  }

  #refuse(why: string): ObjectError {
    const { name, section } = this.#fn;
    return new ObjectError('RELOCATION_FAILED', `Cannot relocate ${name}: ${why}`, {
      section: section.name,
      program: name,
    });
  }
}
