import { ObjectError } from '../errors.ts';
import { INSTRUCTION_SIZE } from '../asm/index.ts';
import type { ElfContainer, ElfSection } from './container.ts';
import { SectionType } from './header.ts';
import { interpretRelocations } from './instruction-relocations.ts';
import type { FunctionSpec, ProgramSpec } from './program-spec.ts';
import { relocationsBetween, type ElfRelocation } from './relocations.ts';
import { interpretSectionName } from './section-names.ts';
import type { SectionRoles } from './section-roles.ts';
import { SymbolBinding, SymbolType, type ElfSymbol, type SymbolTable } from './symbols.ts';

export interface ObjectFunctions {
  readonly programs: readonly ProgramSpec[];
  /** Functions of `.text`, which programs call. */
  readonly subprograms: readonly FunctionSpec[];
}

/** Cuts the executable sections into functions: those of `.text` are subprograms, all others programs. */
export function readFunctions(
  elf: ElfContainer,
  context: {
    symbols: SymbolTable;
    relocations: ReadonlyMap<number, readonly ElfRelocation[]>;
    roles: SectionRoles;
    /** By the name of the program. */
    exceptionCallbacks: ReadonlyMap<string, readonly string[]>;
  },
): ObjectFunctions {
  const programs: ProgramSpec[] = [];
  const subprograms: FunctionSpec[] = [];
  for (const section of elf.sections) {
    if (!section.executable || section.type !== SectionType.Progbits || section.size === 0) continue;
    let previous: FunctionSpec | undefined;
    for (const symbol of functionsIn(section, context.symbols)) {
      const fn: FunctionSpec = isAlias(symbol, previous)
        ? { ...previous, name: symbol.name }
        : readFunction(elf, { section, symbol, previous, ...context });
      previous = fn;
      if (section.name === '.text') subprograms.push(fn);
      else
        programs.push(
          asProgram(fn, { symbol, exceptionCallbacks: context.exceptionCallbacks.get(fn.name) ?? [] }),
        );
    }
  }
  return { programs, subprograms };
}

/** Another name of the function before it. */
function isAlias(symbol: ElfSymbol, previous: FunctionSpec | undefined): previous is FunctionSpec {
  return previous?.offset === symbol.value && previous.instructions.length === symbol.size;
}

function functionsIn(section: ElfSection, symbols: SymbolTable): ElfSymbol[] {
  return symbols
    .of(section.index)
    .filter((symbol) => symbol.type === SymbolType.Function)
    .sort((a, b) => a.value - b.value);
}

function readFunction(
  elf: ElfContainer,
  context: {
    section: ElfSection;
    symbol: ElfSymbol;
    previous: FunctionSpec | undefined;
    relocations: ReadonlyMap<number, readonly ElfRelocation[]>;
    roles: SectionRoles;
  },
): FunctionSpec {
  const { section, symbol, previous, roles } = context;
  const end = symbol.value + symbol.size;
  if (symbol.size === 0 || end > section.size)
    throw broken(symbol.name, section, 'it does not lie in its section');
  if (symbol.value % INSTRUCTION_SIZE !== 0 || symbol.size % INSTRUCTION_SIZE !== 0) {
    throw broken(symbol.name, section, 'it is not made of whole instructions');
  }
  if (previous && symbol.value < previous.offset + previous.instructions.length) {
    throw broken(symbol.name, section, `it overlaps with ${previous.name}`);
  }
  const instructions = section.data.subarray(symbol.value, end);
  const ofSection = context.relocations.get(section.index) ?? [];
  const relocated = relocationsBetween(ofSection, { start: symbol.value, end });
  const relocations = interpretRelocations(
    { name: symbol.name, section, base: symbol.value, instructions, littleEndian: elf.littleEndian },
    { relocations: relocated, roles },
  );
  return {
    name: symbol.name,
    section: section.name,
    sectionIndex: section.index,
    offset: symbol.value,
    instructions,
    relocations,
  };
}

function asProgram(
  fn: FunctionSpec,
  { symbol, exceptionCallbacks }: { symbol: ElfSymbol; exceptionCallbacks: readonly string[] },
): ProgramSpec {
  if (symbol.binding === SymbolBinding.Local) {
    throw new ObjectError(
      'OBJECT_INVALID',
      `Cannot use ${fn.name} of section ${fn.section}: static functions belong into .text`,
      {
        section: fn.section,
        program: fn.name,
        hint: 'drop "static" to make it a program, or SEC() to make it a function',
      },
    );
  }
  const optional = fn.section.startsWith('?');
  const meaning = interpretSectionName(optional ? fn.section.slice(1) : fn.section);
  // Field by field: of an object that begins with the fields of another, the rest takes ten times as long to add.
  return {
    name: fn.name,
    section: fn.section,
    sectionIndex: fn.sectionIndex,
    offset: fn.offset,
    instructions: fn.instructions,
    relocations: fn.relocations,
    type: meaning?.type ?? 0,
    attachType: meaning?.attachType ?? 0,
    attachTypeOptional: meaning?.attachTypeOptional ?? false,
    attachTarget: meaning?.target,
    attachesToBtf: meaning?.attachesToBtf ?? false,
    sleepable: meaning?.sleepable ?? false,
    frags: meaning?.frags ?? false,
    autoload: !optional,
    exceptionCallbacks,
    deviceBound: undefined,
  };
}

function broken(name: string, section: ElfSection, why: string): ObjectError {
  return new ObjectError('OBJECT_INVALID', `Cannot read function ${name}: ${why}`, {
    section: section.name,
    program: name,
  });
}
