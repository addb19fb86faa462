/** Objects made to cost far more than they weigh: they are refused before that. */
import t from 'tap';
import { ObjectFile } from '../../src/elf/index.ts';
import { thrown } from '../helpers/thrown.ts';

const FILE_HEADER = 64;
const SECTION_HEADER = 64;
const SYMBOL = 24;

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
