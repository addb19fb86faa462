/** Objects that are well-formed, in which everything refers to everything else. */
import { PROGBITS, STRTAB, SYMBOL, SYMTAB, writeElf, type Section } from '../helpers/write-elf.ts';

const REL = 9;
const POINTER = 2;
const ARRAY = 3;
const STRUCT = 4;
const FUNCTION = 12;
const PROTOTYPE = 13;
const VARIABLE = 14;
const DATASEC = 15;
const DECL_TAG = 17;
const OBJECT = 1;
const CODE = 2;

/** `r0 = 0; exit`. */
const INSTRUCTIONS = Uint8Array.of(0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);

const words = (numbers: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(numbers).buffer);

class Texts {
  readonly #offsets = new Map<string, number>();
  #length = 1;

  add(text: string): number {
    if (text === '') return 0;
    const known = this.#offsets.get(text);
    if (known !== undefined) return known;
    this.#offsets.set(text, this.#length);
    this.#length += text.length + 1;
    return this.#length - text.length - 1;
  }

  get bytes(): Uint8Array {
    return Buffer.from(`\0${[...this.#offsets.keys()].map((text) => `${text}\0`).join('')}`);
  }
}

interface Place {
  readonly type?: number;
  /** @default 0, an extern */
  readonly section?: number;
  readonly value?: number;
  readonly size?: number;
}

/** An object that is put together; sections and symbols are numbered as in the file. */
class ObjectMaker {
  readonly strings = new Texts();
  readonly #names = new Texts();
  readonly #types: number[] = [];
  readonly #sections: Section[] = [];
  readonly #symbols: number[] = [0, 0, 0, 0, 0, 0];
  #typeCount = 0;

  type(
    name: string,
    kind: number,
    head: readonly [count: number, third: number],
    rest: readonly number[] = [],
  ): number {
    this.#types.push(this.strings.add(name), ((kind << 24) | head[0]) >>> 0, head[1]);
    for (const word of rest) this.#types.push(word);
    return ++this.#typeCount;
  }

  int(): number {
    return this.type('int', 1, [0, 4], [32]);
  }

  section(name: string, content: Uint8Array, more: Partial<Section> = {}): number {
    return this.#sections.push({ name, type: PROGBITS, flags: 3, content, ...more });
  }

  symbol(name: string, { type = OBJECT, section = 0, value = 0, size = 0 }: Place): number {
    this.#symbols.push(this.#names.add(name), ((section << 16) | 0x10 | type) >>> 0, value, 0, size, 0);
    return (this.#symbols.length * 4) / SYMBOL - 1;
  }

  bytes(): Uint8Array {
    const [types, strings] = [words(this.#types), this.strings.bytes];
    const header = words([0x0001eb9f, 24, 0, types.length, types.length, strings.length]);
    return writeElf([
      ...this.#sections,
      {
        name: '.symtab',
        type: SYMTAB,
        content: words(this.#symbols),
        link: this.#sections.length + 2,
        info: 1,
      },
      { name: '.strtab', type: STRTAB, content: this.#names.bytes },
      { name: '.BTF', type: PROGBITS, flags: 0, content: Buffer.concat([header, types, strings]) },
    ]);
  }
}

const times = <Item>(count: number, make: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** A section for each program. */
export function manyProgramSections(count: number): Uint8Array {
  const maker = new ObjectMaker();
  maker.int();
  for (let index = 0; index < count; index++) {
    const section = maker.section('xdp', INSTRUCTIONS, { flags: 6 });
    maker.symbol(`program_${String(index)}`, { type: CODE, section, size: INSTRUCTIONS.length });
  }
  return maker.bytes();
}

/** A section of one relocation each, all for the same section. */
export function manyRelocationSections(count: number): Uint8Array {
  const maker = new ObjectMaker();
  maker.int();
  const section = maker.section('.data', new Uint8Array(count * 8));
  const symbol = maker.symbol('other', {});
  for (let index = 0; index < count; index++)
    maker.section('.rel.data', words([(count - index - 1) * 8, 0, 2, symbol]), { type: REL, info: section });
  return maker.bytes();
}

/** Sections of one name, whose description has as many variables. */
export function sameDataSections(count: number): Uint8Array {
  const maker = new ObjectMaker();
  const variable = maker.type('variable', VARIABLE, [0, maker.int()], [1]);
  maker.type('.data', DATASEC, [count, 4], times(count, () => [variable, 0, 4]).flat());
  for (let index = 0; index < count; index++) maker.section('.data', new Uint8Array(4));
  return maker.bytes();
}

/** Externs of a name that as many types have. */
export function externsOfOneName(count: number): Uint8Array {
  const maker = new ObjectMaker();
  for (let index = 0; index < count; index++) {
    maker.type('name', STRUCT, [0, 0]);
    maker.symbol('name', { type: 0 });
  }
  return maker.bytes();
}

/** Settings of a struct of many members, each in an array of its own. */
export function largeSettings(count: number, members: number): Uint8Array {
  const maker = new ObjectMaker();
  const int = maker.int();
  const name = maker.strings.add('member');
  const large = maker.type('large', STRUCT, [members, 4], times(members, () => [name, int, 0]).flat());
  const variables = times(count, (index) => {
    const setting = `setting_${String(index)}`;
    const array = maker.type('', ARRAY, [0, 0], [large, int, 1]);
    maker.symbol(setting, { type: 0 });
    return [maker.type(setting, VARIABLE, [0, array], [2]), 0, 4];
  });
  maker.type('.kconfig', DATASEC, [count, 0], variables.flat());
  return maker.bytes();
}

/** Many tags of one function. */
export function exceptionCallbacks(count: number): Uint8Array {
  const maker = new ObjectMaker();
  const fn = maker.type('program', FUNCTION, [1, maker.type('', PROTOTYPE, [0, 0])]);
  for (let index = 0; index < count; index++)
    maker.type('exception_callback:other', DECL_TAG, [0, fn], [0xffff_ffff]);
  return maker.bytes();
}

/** Maps of one struct, which says `members` times of which type they are, each listed `described` times. */
export function manyMaps(count: number, { members = 1, described = 1 } = {}): Uint8Array {
  const maker = new ObjectMaker();
  const int = maker.int();
  const pointer = maker.type('', POINTER, [0, maker.type('', ARRAY, [0, 0], [int, int, 1])]);
  const type = maker.strings.add('type');
  const map = maker.type('', STRUCT, [members, 8], times(members, () => [type, pointer, 0]).flat());
  const section = maker.section('.maps', new Uint8Array(count * 8));
  const variables = times(count, (index) => {
    maker.symbol(`map_${String(index)}`, { section, value: index * 8, size: 8 });
    return maker.type(`map_${String(index)}`, VARIABLE, [0, map], [1]);
  });
  const entries = times(count * described, (index) => [variables[index % count] ?? 0, 0, 8]);
  maker.type('.maps', DATASEC, [entries.length, 0], entries.flat());
  return maker.bytes();
}

/** struct_ops maps of one struct, and programs that they refer to. */
export function manyStructOps(
  count: number,
  { members = 1, programs = count, same = false } = {},
): Uint8Array {
  const maker = new ObjectMaker();
  const pointer = maker.type('', POINTER, [0, maker.type('', PROTOTYPE, [0, 0])]);
  const name = maker.strings.add('run');
  const size = members * 8;
  const ops = maker.type(
    'ops',
    STRUCT,
    [members, size],
    times(members, (index) => [name, pointer, index * 64]).flat(),
  );
  const section = maker.section('.struct_ops', new Uint8Array((same ? 1 : count) * size));
  const code = maker.section('struct_ops', Buffer.concat(times(programs, () => INSTRUCTIONS)), { flags: 6 });
  const symbols = times(programs, (index) =>
    maker.symbol(`program_${String(index)}`, { type: CODE, section: code, value: index * 16, size: 16 }),
  );
  const variables = times(count, (index) => {
    const map = `map_${String(same ? 0 : index)}`;
    if (!same || index === 0) maker.symbol(map, { section, value: index * size, size });
    return [maker.type(map, VARIABLE, [0, ops], [1]), 0, size];
  });
  maker.type('.struct_ops', DATASEC, [count, 0], variables.flat());
  const places = (same ? 1 : count) * members;
  const relocations = times(places, (index) => [index * 8, 0, 2, symbols[index % programs] ?? 0]);
  maker.section('.rel.struct_ops', words(relocations.flat()), { type: REL, info: section });
  return maker.bytes();
}

/** iproute2's program arrays, all of one id, and programs that go into each of them. */
export function programArrays(count: number, programs: number): Uint8Array {
  const maker = new ObjectMaker();
  maker.int();
  const definition = [3, 4, 4, 1, 0, 1, 0, 0, 0xffff_ffff];
  const section = maker.section('maps', words(times(count, () => definition).flat()));
  for (let index = 0; index < count; index++)
    maker.symbol(`map_${String(index)}`, { section, value: index * 36, size: 36 });
  for (let index = 0; index < programs; index++) {
    const code = maker.section(`1/${String(index)}`, INSTRUCTIONS, { flags: 6 });
    maker.symbol(`program_${String(index)}`, { type: CODE, section: code, size: INSTRUCTIONS.length });
  }
  return maker.bytes();
}

/** Variables of one struct, whose members all lie on top of each other. */
export function largeVariables(count: number, members: number): Uint8Array {
  const maker = new ObjectMaker();
  const int = maker.int();
  const list = times(members, (index) => [maker.strings.add(`member_${String(index)}`), int, 0]);
  const large = maker.type('large', STRUCT, [members, 4], list.flat());
  const section = maker.section('.data', new Uint8Array(count * 4));
  const variables = times(count, (index) => {
    const name = `variable_${String(index)}`;
    maker.symbol(name, { section, value: index * 4, size: 4 });
    return [maker.type(name, VARIABLE, [0, large], [1]), 0, 4];
  });
  maker.type('.data', DATASEC, [count, 0], variables.flat());
  return maker.bytes();
}
