import type { Dice } from './dice.ts';
import { SECTION_HEADER, type ElfAnatomy, type PlacedSection } from './elf-anatomy.ts';
import { FieldWriter, type Field } from './fields.ts';
import { mutateBtf, mutateBtfExt, mutateDefinition } from './mutate-btf.ts';

const FILE_HEADER = 64;
const SYMBOL = 24;
const RELOCATION = 16;
const INSTRUCTION = 8;
const SYMBOL_TABLE = 2;
const STRING_TABLE = 3;
const RELOCATIONS = 9;
const NO_BITS = 8;
const NOTES = 7;
const DYNAMIC_SYMBOLS = 11;
const PROGRAM_HEADER = 56;
/** SHT_GNU_verdef and SHT_GNU_versym. */
const VERSIONS = [0x6fff_fffd, 0x6fff_ffff];

const fileHeaderFields: readonly Field[] = [[4, 1], [5, 1], [16, 2], [18, 2], [32, 8], [40, 8], [54, 2], [56, 2], [58, 2], [60, 2], [62, 2]]; // prettier-ignore
const sectionHeaderFields: readonly Field[] = [[0, 4], [4, 4], [8, 8], [24, 8], [32, 8], [40, 4], [44, 4], [48, 8], [56, 8]]; // prettier-ignore
const programHeaderFields: readonly Field[] = [[0, 4], [4, 4], [8, 8], [16, 8], [32, 8], [40, 8]]; // prettier-ignore
const symbolFields: readonly Field[] = [[0, 4], [4, 1], [5, 1], [6, 2], [8, 8], [16, 8]]; // prettier-ignore
const relocationFields: readonly Field[] = [[0, 8], [8, 4], [12, 4]]; // prettier-ignore
const instructionFields: readonly Field[] = [[0, 1], [1, 1], [2, 2], [4, 4]]; // prettier-ignore
const names = [
  ...['.maps', '.data', '.rodata', '.bss', '.text', '.BTF', '.BTF.ext', 'maps', '.ksyms', '.kconfig'],
  ...['xdp', 'license', 'version', 'tc', 'fentry/', 'struct_ops', '?xdp', '.struct_ops.link', ''],
];
const probeArguments = [
  '@',
  '-8@%rax',
  '1@x0',
  '$',
  '4@-99999999999999999999(%rsp',
  ',%rbp,8)',
  ' ',
  '\0',
  '8@[sp, 12]',
  '9@%al',
];
const opcodes = [0x18, 0x85, 0x95, 0xb7, 0x05, 0x06, 0xdb, 0xc3, 0xd4, 0xdc, 0xbf, 0x8d, 0x61, 0x7b, 0xe5];

/** What is changed, as often as it stands here. */
const OBJECT_CHANGES = [
  ...['file header', 'cut', 'swap sections', 'rename'],
  ...['section header', 'section header', 'data', 'legacy maps', 'legacy maps'],
  ...['symbol', 'symbol', 'symbol', 'relocation', 'relocation', 'relocation'],
  ...['instruction', 'instruction', 'instruction', 'ext', 'ext', 'ext', 'ext'],
  ...['btf', 'btf', 'btf', 'btf', 'definition', 'definition', 'definition', 'definition'],
] as const;
const EXECUTABLE_CHANGES = [
  ...['file header', 'cut', 'swap sections', 'rename', 'rename', 'section header', 'section header'],
  ...['program header', 'program header', 'symbol', 'symbol', 'symbol', 'note', 'note', 'note', 'note'],
  ...['argument', 'argument', 'version', 'version', 'data'],
] as const;
type Change = (typeof OBJECT_CHANGES | typeof EXECUTABLE_CHANGES)[number];

/** A copy of an object with one to three changes. */
export function mutateElf(anatomy: ElfAnatomy, dice: Dice): Uint8Array {
  return mutate(anatomy, OBJECT_CHANGES, dice);
}

/** A copy of a program or a library with one to three changes. */
export function mutateExecutable(anatomy: ElfAnatomy, dice: Dice): Uint8Array {
  return mutate(anatomy, EXECUTABLE_CHANGES, dice);
}

function mutate(anatomy: ElfAnatomy, changes: readonly Change[], dice: Dice): Uint8Array {
  const mutation = new ElfMutation(anatomy, dice);
  const count = dice.onceIn(3) ? 1 + dice.below(3) : 1;
  for (let change = 0; change < count; change++) mutation.apply(dice.pick(changes));
  return mutation.bytes;
}

class ElfMutation {
  bytes: Uint8Array;
  readonly #anatomy: ElfAnatomy;
  readonly #dice: Dice;
  #writer: FieldWriter;

  constructor(anatomy: ElfAnatomy, dice: Dice) {
    this.bytes = Uint8Array.from(anatomy.bytes);
    this.#anatomy = anatomy;
    this.#dice = dice;
    this.#writer = new FieldWriter(this.bytes, anatomy.littleEndian);
  }

  apply(change: Change): void {
    const { sectionTable, sections, btf } = this.#anatomy;
    const dice = this.#dice;
    switch (change) {
      case 'file header':
        this.#field(0, fileHeaderFields);
        return;
      case 'section header':
        this.#field(sectionTable + dice.below(sections.length) * SECTION_HEADER, sectionHeaderFields);
        return;
      case 'cut':
        this.#cut();
        return;
      case 'swap sections':
        this.#swapSections();
        return;
      case 'rename':
        this.#rename();
        return;
      case 'symbol':
        this.#entry(({ type }) => type === SYMBOL_TABLE || type === DYNAMIC_SYMBOLS, {
          ...{ size: SYMBOL, fields: symbolFields },
        });
        return;
      case 'program header': {
        const count = dice.below(this.bytes[56] ?? 1);
        this.#field(this.#anatomy.programTable + count * PROGRAM_HEADER, programHeaderFields);
        return;
      }
      case 'note':
        this.#entry(({ type }) => type === NOTES, { size: 4, fields: [[0, 4]] });
        return;
      case 'argument': {
        const notes = sections.find(({ name }) => name === '.note.stapsdt');
        if (notes) this.#writer.text(notes.offset + dice.below(notes.size), dice.pick(probeArguments));
        return;
      }
      case 'version':
        this.#entry(({ type }) => VERSIONS.includes(type), { size: 2, fields: [dice.pick([[0, 2], [0, 4]])] }); // prettier-ignore
        return;
      case 'relocation':
        this.#entry(({ type }) => type === RELOCATIONS, { size: RELOCATION, fields: relocationFields });
        return;
      case 'instruction':
        this.#instruction();
        return;
      case 'legacy maps':
        this.#entry(({ name }) => /^maps\b/.test(name), { size: 4, fields: [[0, 4]] });
        return;
      case 'btf':
        if (btf) mutateBtf(this.#writer, btf, dice);
        return;
      case 'definition':
        if (btf) mutateDefinition(this.#writer, btf, dice);
        return;
      case 'ext': {
        const section = sections.find(({ name, size }) => name === '.BTF.ext' && size > 0);
        if (!section) return;
        const { offset: start, size } = section;
        mutateBtfExt(this.#writer, { start, end: start + size, btf }, dice);
        return;
      }
      case 'data':
        this.#data();
    }
  }

  /** A number that is just on, or just off, some limit of the file. */
  #interesting(): bigint {
    const { bytes, sections } = this.#anatomy;
    const dice = this.#dice;
    const section = dice.pick(sections);
    const values = [
      [0, 1, 2, 3, 4, 7, 8, 9, 16, 24, 0x7f, 0xff, 0x100, 0xfff1, 0xffff],
      [section.offset, section.size, section.offset + section.size, sections.length, bytes.length],
      [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 63, 2 ** 64 - 2048],
    ];
    return BigInt(dice.pick(dice.pick(values))) + BigInt(dice.below(3) - 1);
  }

  #field(start: number, fields: readonly Field[]): void {
    const [offset, size] = this.#dice.pick(fields);
    const at = start + offset;
    const old = size === 4 ? this.#writer.word(at) : (this.bytes[at] ?? 0);
    const near = BigInt(old) + BigInt(this.#dice.below(5) - 2) * this.#dice.pick([1n, 8n]);
    this.#writer.set([at, size], this.#dice.onceIn(3) ? near : this.#interesting());
  }

  #entry(
    belongs: (section: PlacedSection) => boolean,
    { size, fields }: { size: number; fields: readonly Field[] },
  ): void {
    const candidates = this.#anatomy.sections.filter((section) => belongs(section) && section.size >= size);
    if (candidates.length === 0) return;
    const section = this.#dice.pick(candidates);
    this.#field(section.offset + this.#dice.below(Math.floor(section.size / size)) * size, fields);
  }

  #instruction(): void {
    const code = ({ executable, size, type }: PlacedSection): boolean =>
      executable && type !== NO_BITS && size >= INSTRUCTION;
    if (!this.#dice.onceIn(3)) {
      this.#entry(code, { size: INSTRUCTION, fields: instructionFields });
      return;
    }
    const sections = this.#anatomy.sections.filter(code);
    if (sections.length === 0) return;
    const section = this.#dice.pick(sections);
    const at = section.offset + this.#dice.below(Math.floor(section.size / INSTRUCTION)) * INSTRUCTION;
    this.#writer.set([at, 1], BigInt(this.#dice.pick(opcodes)));
  }

  /** Another name in a string table, over whatever stands there; or no end of one. */
  #rename(): void {
    const tables = this.#anatomy.sections.filter(({ type, size }) => type === STRING_TABLE && size > 0);
    if (tables.length === 0) return;
    const table = this.#dice.pick(tables);
    const at = table.offset + this.#dice.below(table.size);
    this.#writer.text(at, `${this.#dice.pick(names)}${this.#dice.onceIn(2) ? '\0' : ''}`);
  }

  #cut(): void {
    const { sections, sectionTable } = this.#anatomy;
    const section = this.#dice.pick(sections);
    const edges = [
      FILE_HEADER,
      sectionTable + this.#dice.below(sections.length + 1) * SECTION_HEADER,
      section.offset,
      section.offset + section.size,
      this.#dice.below(this.bytes.length),
    ];
    const end = Math.max(0, this.#dice.pick(edges) + this.#dice.below(3) - 1);
    this.bytes = this.bytes.subarray(0, end);
    this.#writer = new FieldWriter(this.bytes, this.#anatomy.littleEndian);
  }

  #swapSections(): void {
    const { sections, sectionTable } = this.#anatomy;
    const header = (): number => sectionTable + this.#dice.below(sections.length) * SECTION_HEADER;
    const [one, other] = [header(), header()];
    if (Math.max(one, other) + SECTION_HEADER > this.bytes.length) return;
    const kept = this.bytes.slice(one, one + SECTION_HEADER);
    this.bytes.copyWithin(one, other, other + SECTION_HEADER);
    this.bytes.set(kept, other);
  }

  #data(): void {
    const sections = this.#anatomy.sections.filter(
      ({ name, size, type }) => size > 0 && type !== NO_BITS && !/debug|^\.rel|strtab/.test(name),
    );
    if (sections.length === 0) return;
    const { offset, size } = this.#dice.pick(sections);
    this.#writer.scribble({ start: offset, end: offset + size }, this.#dice);
  }
}
