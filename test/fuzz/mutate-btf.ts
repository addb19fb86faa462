import type { BtfAnatomy } from './btf-anatomy.ts';
import type { Dice } from './dice.ts';
import type { Field, FieldWriter } from './fields.ts';

const HEADER_FIELDS: readonly Field[] = [[0, 2], [2, 1], [3, 1], [4, 4], [8, 4], [12, 4], [16, 4], [20, 4]]; // prettier-ignore
const TYPE_SIZE = 12;
const KINDS = 20;

/** One change of a BTF, of which most say something else and stay well-formed. */
export function mutateBtf(writer: FieldWriter, btf: BtfAnatomy, dice: Dice): void {
  if (btf.typeCount < 2) return;
  const choice = dice.below(20);
  if (choice === 0) mutateHeader(writer, btf, dice);
  else if (choice < 3) mutateString(writer, btf, dice);
  else if (choice === 3) copyType(writer, btf, dice);
  else if (choice === 4) writer.scribble({ start: btf.start, end: btf.strings.start }, dice);
  else mutateType(writer, btf, { dice, id: 1 + dice.below(btf.typeCount - 1) });
}

/** One change of what defines a map or a global variable. */
export function mutateDefinition(writer: FieldWriter, btf: BtfAnatomy, dice: Dice): void {
  if (btf.definitions.length > 0) mutateType(writer, btf, { dice, id: dice.pick(btf.definitions) });
}

function mutateHeader(writer: FieldWriter, { start }: BtfAnatomy, dice: Dice): void {
  const [offset, size] = dice.pick(HEADER_FIELDS);
  const at = start + offset;
  const near = BigInt(writer.word(at)) + BigInt(dice.below(17) - 8);
  writer.set([at, size], dice.onceIn(2) ? near : dice.limit(size * 8));
}

function mutateString(writer: FieldWriter, { strings }: BtfAnatomy, dice: Dice): void {
  const at = strings.start + dice.below(strings.end - strings.start);
  writer.text(at, dice.pick(NAMES));
}

const NAMES = [
  ...['\0', '\0\0', 'a', '___', '___x', '__proto__', 'constructor', 'type', 'values', 'key', 'max_entries'],
  ...['.maps\0', '.data\0', '.rodata\0', '.bss\0', '.ksyms\0', '.kconfig\0', 'license\0', '.text\0', 'xdp\0'],
  ...['0:1', '0:0:0', '0:4294967295', '0:', ':', '99999999999', '\u00ff', '\u0001', ' '],
];

function copyType(writer: FieldWriter, { typeOffsets, typeCount }: BtfAnatomy, dice: Dice): void {
  const [from = 0, to = 0] = [0, 0].map(() => typeOffsets[dice.below(typeCount - 1)]);
  writer.bytes.copyWithin(to, from, from + TYPE_SIZE);
}

function mutateType(writer: FieldWriter, btf: BtfAnatomy, { dice, id }: { dice: Dice; id: number }): void {
  const [at = 0, end = 0] = btf.typeOffsets.slice(id - 1, id + 1);
  const words = (end - at) / 4;
  // Names, kinds, references; then what follows them, the members of a struct among it.
  const word = dice.onceIn(2) ? dice.below(3) : dice.below(words);
  const place = at + word * 4;
  const old = writer.word(place);
  writer.setWord(place, word === 1 ? otherInfo(old, dice) : otherWord(old, { btf, dice, id }));
}

function otherInfo(info: number, dice: Dice): number {
  switch (dice.below(5)) {
    case 0:
      return info ^ 0x8000_0000;
    case 1:
      return (info & 0x80ff_ffff) | (dice.below(KINDS) << 24);
    case 2:
      return (info & 0xff00_0000) | dice.below(6);
    case 3:
      return (info & 0xff00_0000) | ((info + dice.below(3) - 1) & 0xff_ffff);
    default:
      return Number(dice.limit(32));
  }
}

/** Names, ids, sizes and offsets all are words; which one a place holds does not matter. */
function otherWord(old: number, { btf, dice, id }: { btf: BtfAnatomy; dice: Dice; id: number }): number {
  switch (dice.below(10)) {
    case 0:
      return id;
    case 1:
    case 2:
    case 3:
      return dice.below(btf.typeCount + 2);
    case 4:
      return dice.below(btf.strings.end - btf.strings.start + 2);
    case 5:
    case 6:
      return old + dice.below(17) - 8;
    case 7:
      return dice.pick([0, 1, 2, 4, 8, 16, 32, 64, 0x1000, 0x0100_0020, 0x0200_0008, 0xffff_ffff]);
    case 8:
      return old ^ (1 << dice.below(32));
    default:
      return Number(dice.limit(32));
  }
}

const EXT_HEADER_SIZE = 32;

/** One change of a `.BTF.ext`, which lies at a range of the file. */
export function mutateBtfExt(
  writer: FieldWriter,
  { start, end, btf }: { start: number; end: number; btf: BtfAnatomy | undefined },
  dice: Dice,
): void {
  if (dice.onceIn(8)) {
    const at = start + 4 * dice.below(EXT_HEADER_SIZE / 4);
    writer.setWord(at, dice.onceIn(2) ? writer.word(at) + dice.below(33) - 16 : Number(dice.limit(32)));
    return;
  }
  const tables = [8, 16, 24].map((offset) => start + EXT_HEADER_SIZE + writer.word(start + offset));
  // The size of a table's records, its first section's name and count; or any word of a table.
  const words = Math.max(1, Math.floor((end - start) / 4));
  const at = dice.onceIn(4) ? dice.pick(tables) + 4 * dice.below(4) : start + 4 * dice.below(words);
  const old = writer.word(at);
  const value =
    btf === undefined ? Number(dice.limit(32)) : otherWord(old, { btf, dice, id: dice.below(btf.typeCount) });
  writer.setWord(at, dice.onceIn(4) ? dice.below(16) : value);
}
