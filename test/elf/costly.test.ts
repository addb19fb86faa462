/** Objects made to cost far more than they weigh: they are refused before that. */
import t from 'tap';
import { ObjectFile } from '../../src/elf/index.ts';
import { thrown } from '../helpers/thrown.ts';
import { NOBITS, PROGBITS, STRTAB, SYMBOL, SYMTAB, writeElf } from '../helpers/write-elf.ts';

t.test('files made to cost more than they weigh', (t) => {
  const refusal = (bytes: Uint8Array): string => thrown(() => ObjectFile.parse(bytes)).message;

  const zeros = Array.from({ length: 1000 }, (_, index) => ({
    name: `.bss.${index}`,
    type: NOBITS,
    content: { size: 60 << 20 },
  }));
  t.equal(
    refusal(writeElf(zeros)),
    `Cannot read the object: section .bss.1 wants ${60 << 20} bytes of zeros, and ${64 << 20} may there be`,
  );

  const body = new Uint8Array(1 << 20);
  const many = Array.from({ length: 5000 }, (_, index) => ({
    name: `.data.${index}`,
    type: PROGBITS,
    content: { size: body.length },
  }));
  t.equal(refusal(writeElf(many, body)), 'Cannot read the object: its sections overlap');

  // Symbol names without an end, each of which would be read up to the end of the table.
  const symbols = 20_000;
  const endless = new Uint8Array(symbols * SYMBOL + (1 << 20)).fill(0x41);
  for (let index = 0; index < symbols; index++) {
    endless.fill(0, index * SYMBOL, (index + 1) * SYMBOL);
    new DataView(endless.buffer).setUint32(index * SYMBOL, index, true);
  }
  endless[endless.length - 1] = 0;
  const symtab = { name: '.symtab', type: SYMTAB, content: { size: symbols * SYMBOL }, link: 2 };
  const strtab = { name: '.strtab', type: STRTAB, content: { size: 1 << 20, offset: symbols * SYMBOL } };
  t.equal(refusal(writeElf([symtab, strtab], endless)), 'Cannot read the object: symbol 0 is malformed');

  // Functions that lie on top of each other: each would be scanned for calls.
  const stacked = new Uint8Array(symbols * SYMBOL + 8 + (1 << 19));
  const view = new DataView(stacked.buffer);
  for (let index = 1; index < symbols; index++) {
    stacked[index * SYMBOL + 4] = 0x12;
    view.setUint16(index * SYMBOL + 6, 3, true);
    view.setBigUint64(index * SYMBOL + 8, BigInt(index * 8), true);
    view.setBigUint64(index * SYMBOL + 16, BigInt((1 << 19) - index * 8), true);
  }
  const shared = { name: '.strtab', type: STRTAB, content: { size: 8, offset: symbols * SYMBOL } };
  const text = {
    name: 'xdp',
    type: PROGBITS,
    flags: 6,
    content: { size: 1 << 19, offset: symbols * SYMBOL + 8 },
  };
  t.equal(refusal(writeElf([symtab, shared, text], stacked)), 'Cannot read function : it overlaps with ');
  t.end();
});
