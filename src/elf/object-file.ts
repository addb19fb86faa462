import { BoundsError, ElfError } from '../errors.ts';
import type { Btf, BtfExt } from '../btf/index.ts';
import { readContainer, type ElfContainer } from './container.ts';
import { readEventAnchors, type EventAnchors } from './event-anchors.ts';
import { readExceptionCallbacks } from './exception-callbacks.ts';
import { readExterns, type ExternSpec } from './externs.ts';
import { findNamed } from './find-named.ts';
import { readFunctions } from './functions.ts';
import type { MapSpec } from './map-spec.ts';
import { readObjectParts } from './object-bytes.ts';
import { readAllVariables, readBtf, readBtfExt, readMaps, readText, readVersion } from './object-parts.ts';
import type { FunctionSpec, ProgramSpec } from './program-spec.ts';
import { readRelocations } from './relocations.ts';
import { SectionRoles } from './section-roles.ts';
import { programsOfStructOps } from './struct-ops.ts';
import { readSymbols, sectionNameOf, SymbolType, UNDEFINED_SECTION, type SymbolTable } from './symbols.ts';
import type { VariableSpec } from './variable-spec.ts';

const MACHINE_BPF = 247;
const TYPE_RELOCATABLE = 1;

/**
 * What a compiled BPF object holds, as pure data: programs, maps, global variables, types.
 *
 * Nothing here touches the kernel. Between reading and loading, the specs may be edited: a variable set, a map
 * resized, a program left out. `Collection.load()` then brings it into the kernel; edits after that have no effect
 * on what is loaded.
 *
 * @example
 * const object = ObjectFile.open('sniffer.bpf.o');
 * object.variable('use_load_bytes').set(0);
 * object.map('events').maxEntries = 4 << 20;
 */
export class ObjectFile {
  readonly name: string;
  readonly littleEndian: boolean;
  /** The contents of section `license`; empty where there is none. */
  readonly license: string;
  /** The contents of section `version`, which only kprobes before Linux 5.0 needed. */
  readonly kernelVersion: number;
  readonly btf: Btf | undefined;
  readonly btfExt: BtfExt | undefined;
  readonly programs: ReadonlyMap<string, ProgramSpec>;
  readonly subprograms: readonly FunctionSpec[];
  readonly maps: ReadonlyMap<string, MapSpec>;
  readonly variables: ReadonlyMap<string, VariableSpec>;
  /** Names of the functions of `.text` that only this object sees (`STV_HIDDEN`), static to the verifier. */
  readonly hiddenFunctions: ReadonlySet<string>;
  readonly externs: ReadonlyMap<string, ExternSpec>;
  readonly anchors: EventAnchors;
  /** Sizes of the sections, by name: BTF leaves those of its DATASECs open. */
  readonly sectionSizes: ReadonlyMap<string, number>;
  readonly #elf: ElfContainer;
  readonly #symbols: SymbolTable;
  #symbolOffsets: ReadonlyMap<string, number> | undefined;

  private constructor(name: string, elf: ElfContainer) {
    const symbols = readSymbols(elf);
    const relocations = readRelocations(elf, symbols.all);
    this.#elf = elf;
    this.#symbols = symbols;
    this.name = name;
    this.littleEndian = elf.littleEndian;
    this.license = readText(elf, 'license');
    this.kernelVersion = readVersion(elf);
    this.btf = readBtf(elf);
    this.btfExt = readBtfExt(elf, this.btf);
    this.externs = readExterns(symbols.all, this.btf);
    this.maps = readMaps(elf, {
      btf: this.btf,
      symbols,
      relocations,
      objectName: name,
      externs: this.externs,
    });
    const { programs, subprograms } = readFunctions(elf, {
      symbols,
      relocations,
      roles: new SectionRoles(elf, this.maps),
      exceptionCallbacks: readExceptionCallbacks(this.btf),
    });
    this.programs = new Map(programs.map((program) => [program.name, program]));
    const wanted = programsOfStructOps(this.maps.values());
    for (const program of programs) program.autoload = wanted.get(program.name) ?? program.autoload;
    this.subprograms = subprograms;
    this.variables = readAllVariables(elf, { btf: this.btf, symbols, maps: this.maps });
    this.hiddenFunctions = new Set(
      symbols.all
        .filter(({ hidden, section }) => hidden && elf.sections[section]?.name === '.text')
        .map((symbol) => symbol.name),
    );
    this.anchors = readEventAnchors(this.btf);
    this.sectionSizes = new Map(elf.sections.map((section) => [section.name, section.size]));
  }

  /**
   * Reads an object from its bytes, which are kept, not copied.
   *
   * @throws ElfError, BtfError or ObjectError; nothing else, whatever the bytes are
   */
  static parse(bytes: Uint8Array, options: { name?: string } = {}): ObjectFile {
    try {
      const elf = readContainer(bytes);
      if (elf.machine !== MACHINE_BPF) {
        throw new ElfError(
          'ELF_NOT_BPF',
          `Cannot read the object: it is for machine ${elf.machine}, not for BPF`,
          {
            hint: 'compile it with: clang -O2 -g --target=bpf -c FILE.bpf.c -o FILE.bpf.o',
          },
        );
      }
      if (elf.type !== TYPE_RELOCATABLE) {
        throw new ElfError('ELF_INVALID', `Cannot read the object: its type is ${elf.type}, not relocatable`);
      }
      return new ObjectFile(options.name ?? 'object', elf);
    } catch (error) {
      if (!(error instanceof BoundsError)) throw error;
      throw new ElfError('ELF_INVALID', `Cannot read the object: ${error.message}`, { cause: error });
    }
  }

  /**
   * Reads an object from a file, ELF or a package ({@link unpackObject}).
   *
   * @throws FileError besides what {@link ObjectFile.parse} throws
   */
  static open(path: string): ObjectFile {
    const { bytes, name } = readObjectParts(path);
    return ObjectFile.parse(bytes, { name });
  }

  /** Where a variable lies in its section, in bytes, by the symbol table. */
  symbolOffset(section: string, name: string): number | undefined {
    this.#symbolOffsets ??= new Map(
      this.#symbols.all
        .filter((symbol) => symbol.type === SymbolType.Object && symbol.section !== UNDEFINED_SECTION)
        .map((symbol) => [
          `${sectionNameOf(this.#elf.sections, symbol.section)}:${symbol.name}`,
          symbol.value,
        ]),
    );
    return this.#symbolOffsets.get(`${section}:${name}`);
  }

  /** @throws NotFoundError naming the programs that there are */
  program(name: string): ProgramSpec {
    return findNamed({ kind: 'program', name, whole: 'the object' }, this.programs);
  }

  /** @throws NotFoundError naming the maps that there are */
  map(name: string): MapSpec {
    return findNamed({ kind: 'map', name, whole: 'the object' }, this.maps);
  }

  /** @throws NotFoundError naming the variables that there are */
  variable(name: string): VariableSpec {
    return findNamed({ kind: 'variable', name, whole: 'the object' }, this.variables);
  }
}
