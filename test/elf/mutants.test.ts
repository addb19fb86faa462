/** Objects changed at random, but where it hurts: they are read, or refused with an error of ours. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ObjectFile, readContainer } from '../../src/elf/index.ts';
import { BtfError, ElfError, ObjectError, TsXdpError } from '../../src/errors.ts';
import { Collection } from '../../src/loader/index.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { loadingKernel } from '../helpers/loading-kernel.ts';
import { randomNumbers } from '../helpers/random-numbers.ts';

import { thrown } from '../helpers/thrown.ts';

const originals = [readFileSync(join(import.meta.dirname, '../../bpf/sniffer.bpf.o'))];
if (whyNotCompile() === false) {
  const compiler = new Compiler();
  t.teardown(() => {
    compiler.close();
  });
  for (const fixture of ['globals', 'calls', 'maps']) originals.push(readFileSync(compiler.fixture(fixture)));
  originals.push(readFileSync(compiler.fixture('globals', { target: 'bpfeb', name: 'be.o' })));
}

const FILE_HEADER = 64;
const SECTION_HEADER = 64;
const SYMBOL = 24;
const RELOCATION = 16;
/** Offset and size of the fields of each structure. */
const fileHeaderFields = [[4, 1], [5, 1], [16, 2], [18, 2], [32, 8], [40, 8], [54, 2], [56, 2], [58, 2], [60, 2], [62, 2]]; // prettier-ignore
const sectionHeaderFields = [
  [0, 4],
  [4, 4],
  [8, 8],
  [24, 8],
  [32, 8],
  [40, 4],
  [44, 4],
  [48, 8],
  [56, 8],
];
const symbolFields = [
  [0, 4],
  [4, 1],
  [5, 1],
  [6, 2],
  [8, 8],
  [16, 8],
];
const relocationFields = [
  [0, 8],
  [8, 4],
  [12, 4],
];
const names = [
  '.maps',
  '.data',
  '.rodata',
  '.bss',
  '.text',
  '.BTF',
  '.BTF.ext',
  'xdp',
  'license',
  'version',
  '',
];

type Random = (below: number) => number;

/** Where the structures of an object lie; the same in all of its mutants. */
interface Anatomy {
  readonly bytes: Uint8Array;
  readonly littleEndian: boolean;
  readonly sectionTable: number;
  readonly sections: readonly { name: string; type: number; offset: number; size: number }[];
}

function anatomyOf(bytes: Uint8Array): Anatomy {
  const { littleEndian, sections } = readContainer(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sectionTable = Number(view.getBigUint64(40, littleEndian));
  const placed = sections.map(({ name, type, size }, index) => {
    const offset = Number(view.getBigUint64(sectionTable + index * SECTION_HEADER + 24, littleEndian));
    return { name, type, offset, size };
  });
  return { bytes, littleEndian, sectionTable, sections: placed };
}

class Mutation {
  readonly bytes: Uint8Array;
  readonly #anatomy: Anatomy;
  readonly #random: Random;
  readonly #view: DataView;

  constructor(anatomy: Anatomy, random: Random) {
    this.bytes = Uint8Array.from(anatomy.bytes);
    this.#anatomy = anatomy;
    this.#random = random;
    this.#view = new DataView(this.bytes.buffer);
  }

  /** One change; the result may be shorter than the original. */
  apply(): Uint8Array {
    const { sections, sectionTable } = this.#anatomy;
    switch (this.#random(12)) {
      case 0:
        this.#field(0, fileHeaderFields);
        break;
      case 1:
      case 2:
      case 3:
        this.#field(sectionTable + this.#random(sections.length) * SECTION_HEADER, sectionHeaderFields);
        break;
      case 4:
      case 5:
        this.#entry(2, SYMBOL, symbolFields);
        break;
      case 6:
      case 7:
        this.#entry(9, RELOCATION, relocationFields);
        break;
      case 8:
        this.#rename();
        break;
      case 9:
        return this.bytes.subarray(0, this.#boundary());
      case 10:
        this.#swapSections();
        break;
      default:
        this.#scribble();
    }
    return this.bytes;
  }

  #pick<Item>(items: readonly Item[]): Item {
    const item = items[this.#random(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  /** A number that is just on, or just off, some limit of the file. */
  #interesting(): bigint {
    const { bytes, sections } = this.#anatomy;
    const section = this.#pick(sections);
    const values = [
      [0, 1, 2, 3, 4, 7, 8, 9, 16, 24, 0x7f, 0xff, 0x100, 0xfff1, 0xffff],
      [section.offset, section.size, section.offset + section.size, sections.length, bytes.length],
      [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 63, 2 ** 64 - 2048],
    ];
    return BigInt(this.#pick(this.#pick(values))) + BigInt(this.#random(3) - 1);
  }

  #field(start: number, fields: readonly number[][]): void {
    const [offset = 0, size = 1] = this.#pick(fields);
    const value = BigInt.asUintN(size * 8, this.#interesting());
    const { littleEndian } = this.#anatomy;
    if (size === 8) this.#view.setBigUint64(start + offset, value, littleEndian);
    else if (size === 4) this.#view.setUint32(start + offset, Number(value), littleEndian);
    else if (size === 2) this.#view.setUint16(start + offset, Number(value), littleEndian);
    else this.#view.setUint8(start + offset, Number(value));
  }

  #entry(type: number, size: number, fields: readonly number[][]): void {
    const section = this.#pick(this.#anatomy.sections.filter((candidate) => candidate.type === type));
    this.#field(section.offset + this.#random(Math.floor(section.size / size)) * size, fields);
  }

  /** Another name in the string table, over whatever stands there; or no end of one. */
  #rename(): void {
    const table = this.#pick(this.#anatomy.sections.filter(({ type }) => type === 3));
    const at = table.offset + this.#random(table.size);
    const name = Buffer.from(`${this.#pick(names)}${this.#random(2) === 0 ? '\0' : ''}`);
    this.bytes.set(name.subarray(0, table.offset + table.size - at), at);
  }

  #boundary(): number {
    const { bytes, sections, sectionTable } = this.#anatomy;
    const section = this.#pick(sections);
    const edges = [
      FILE_HEADER,
      sectionTable + this.#random(sections.length + 1) * SECTION_HEADER,
      section.offset,
      section.offset + section.size,
      this.#random(bytes.length),
    ];
    return Math.max(0, this.#pick(edges) + this.#random(3) - 1);
  }

  #swapSections(): void {
    const { sections, sectionTable } = this.#anatomy;
    const [one, other] = [this.#random(sections.length), this.#random(sections.length)].map(
      (index) => sectionTable + index * SECTION_HEADER,
    );
    const kept = this.bytes.slice(one, (one ?? 0) + SECTION_HEADER);
    this.bytes.copyWithin(one ?? 0, other ?? 0, (other ?? 0) + SECTION_HEADER);
    this.bytes.set(kept, other);
  }

  /** Bytes of a section that is read: instructions, BTF, data. */
  #scribble(): void {
    const section = this.#pick(
      this.#anatomy.sections.filter(({ name, size }) => size > 0 && !/debug|^\.rel|strtab/.test(name)),
    );
    for (let count = this.#random(4); count >= 0; count--) {
      const at = section.offset + this.#random(section.size);
      if (at < this.bytes.length) this.bytes[at] = this.#pick([0, 1, 2, 0x18, 0x7f, 0x80, 0x85, 0xff]);
    }
  }
}

/** Reads a mutant, looks at all of it, and loads it into a kernel that says yes to everything. */
function exercise(bytes: Uint8Array): 'refused' | 'read' | 'loaded' {
  let object: ObjectFile;
  try {
    object = ObjectFile.parse(bytes);
    for (const variable of object.variables.values()) {
      if (variable.typeName === '') t.fail('a type without a name');
      variable.get();
    }
  } catch (error) {
    if (error instanceof ElfError || error instanceof BtfError || error instanceof ObjectError)
      return 'refused';
    throw error;
  }
  const kernel = loadingKernel();
  try {
    Collection.load(object, { kernel }).close();
    return 'loaded';
  } catch (error) {
    if (!(error instanceof TsXdpError)) throw error;
    return 'read';
  } finally {
    if (kernel.openDescriptors.size > 0) t.fail(`${kernel.openDescriptors.size} descriptors stay open`);
  }
}

const MUTANTS = 20_000;
const SEED = 0x5eed_0001;

t.test(`${MUTANTS} mutants (seed ${SEED}) are read, or refused with an error of ours`, (t) => {
  const random = randomNumbers(SEED);
  const anatomies = originals.map(anatomyOf);
  const outcomes = { refused: 0, read: 0, loaded: 0 };
  const before = process.resourceUsage().maxRSS;
  let slowest = 0;
  for (let index = 0; index < MUTANTS; index++) {
    const mutation = new Mutation(anatomies[index % anatomies.length]!, random);
    let bytes = mutation.apply();
    if (random(3) === 0 && bytes.length === mutation.bytes.length) bytes = mutation.apply();
    const start = performance.now();
    try {
      outcomes[exercise(bytes)]++;
    } catch (error) {
      t.fail(`mutant ${index} gave ${String((error as Error).stack)}`);
      if (!t.passing()) break;
    }
    slowest = Math.max(slowest, performance.now() - start);
  }
  const growth = Math.round((process.resourceUsage().maxRSS - before) / 1024);
  t.comment({ ...outcomes, slowest: `${Math.round(slowest)} ms`, growth: `${growth} MB` });
  for (const [outcome, count] of Object.entries(outcomes))
    t.ok(count > MUTANTS / 50, `${outcome} is met often`);
  t.ok(slowest < 2000, 'none takes two seconds');
  t.ok(growth < 512, 'none takes half a gigabyte');
  t.end();
});

t.test('files made to cost more than they weigh', (t) => {
  /** An object with nothing but these sections; `.shstrtab` comes last. */
  const build = (
    sections: { name: string; type: number; flags?: number; size: number; offset?: number; link?: number }[],
    body: Uint8Array,
  ): Uint8Array => {
    const text = [...sections.map(({ name }) => name), '.shstrtab'];
    const strings = Buffer.from(`\0${text.join('\0')}\0`);
    const table = FILE_HEADER + body.length + strings.length;
    const bytes = new Uint8Array(table + (sections.length + 2) * SECTION_HEADER);
    const view = new DataView(bytes.buffer);
    bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
    view.setUint16(16, 1, true);
    view.setUint16(18, 247, true);
    view.setBigUint64(40, BigInt(table), true);
    view.setUint16(58, SECTION_HEADER, true);
    view.setUint16(60, sections.length + 2, true);
    view.setUint16(62, sections.length + 1, true);
    bytes.set(body, FILE_HEADER);
    bytes.set(strings, FILE_HEADER + body.length);
    let name = 1;
    [...sections, { name: '.shstrtab', type: 3, size: strings.length, offset: body.length }].forEach(
      (section, index) => {
        const at = table + (index + 1) * SECTION_HEADER;
        const { flags, offset, link } = { flags: 2, offset: 0, link: 0, ...section };
        view.setUint32(at, name, true);
        view.setUint32(at + 4, section.type, true);
        view.setBigUint64(at + 8, BigInt(flags), true);
        view.setBigUint64(at + 24, BigInt(FILE_HEADER + offset), true);
        view.setBigUint64(at + 32, BigInt(section.size), true);
        view.setUint32(at + 40, link, true);
        name += section.name.length + 1;
      },
    );
    return bytes;
  };
  const timed = (bytes: Uint8Array): string => {
    const start = performance.now();
    const { message } = thrown(() => ObjectFile.parse(bytes));
    t.ok(performance.now() - start < 2000);
    return message;
  };

  const zeros = Array.from({ length: 1000 }, (_, index) => ({
    name: `.bss.${index}`,
    type: 8,
    size: 60 << 20,
  }));
  t.equal(
    timed(build(zeros, new Uint8Array())),
    `Cannot read the object: section .bss.1 wants ${60 << 20} bytes of zeros, and ${64 << 20} may there be`,
  );

  const body = new Uint8Array(1 << 20);
  const many = Array.from({ length: 5000 }, (_, index) => ({
    name: `.data.${index}`,
    type: 1,
    size: body.length,
  }));
  t.equal(timed(build(many, body)), 'Cannot read the object: its sections overlap');

  // Symbol names without an end, each of which would be read up to the end of the table.
  const symbols = 20_000;
  const endless = new Uint8Array(symbols * SYMBOL + (1 << 20)).fill(0x41);
  for (let index = 0; index < symbols; index++) {
    endless.fill(0, index * SYMBOL, (index + 1) * SYMBOL);
    new DataView(endless.buffer).setUint32(index * SYMBOL, index, true);
  }
  endless[endless.length - 1] = 0;
  const symtab = { name: '.symtab', type: 2, size: symbols * SYMBOL, link: 2 };
  const strtab = { name: '.strtab', type: 3, size: 1 << 20, offset: symbols * SYMBOL };
  t.equal(timed(build([symtab, strtab], endless)), 'Cannot read the object: symbol 0 is malformed');

  // Functions that lie on top of each other: each would be scanned for calls.
  const stacked = new Uint8Array(symbols * SYMBOL + 8 + (1 << 19));
  const view = new DataView(stacked.buffer);
  for (let index = 1; index < symbols; index++) {
    stacked[index * SYMBOL + 4] = 0x12;
    view.setUint16(index * SYMBOL + 6, 3, true);
    view.setBigUint64(index * SYMBOL + 8, BigInt(index * 8), true);
    view.setBigUint64(index * SYMBOL + 16, BigInt((1 << 19) - index * 8), true);
  }
  const shared = { name: '.strtab', type: 3, size: 8, offset: symbols * SYMBOL };
  const text = { name: 'xdp', type: 1, flags: 6, size: 1 << 19, offset: symbols * SYMBOL + 8 };
  t.equal(timed(build([symtab, shared, text], stacked)), 'Cannot read function : it overlaps with ');
  t.end();
});
