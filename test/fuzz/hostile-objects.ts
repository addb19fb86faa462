/** Objects that are well-formed, and have far more of something than any compiler would make. */
import { PROGBITS, STRTAB, SYMTAB, writeElf, type Section } from '../helpers/write-elf.ts';

function wordsOf(words: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(words).buffer);
}

/** Offsets of texts, added as they are asked for. */
class Strings {
  readonly #texts: string[] = [''];
  #length = 1;

  add(text: string): number {
    const offset = this.#length;
    this.#texts.push(text);
    this.#length += text.length + 1;
    return offset;
  }

  get bytes(): Uint8Array {
    return Buffer.from(`${this.#texts.join('\0')}\0`);
  }
}

function btf(types: readonly number[], strings: Uint8Array): Uint8Array {
  const header = wordsOf([0x0001eb9f, 24, 0, types.length * 4, types.length * 4, strings.length]);
  return Buffer.concat([header, wordsOf(types), strings]);
}

/** `call bpf_ktime_get_ns; exit`. */
const INSTRUCTIONS = Uint8Array.of(0x85, 0, 0, 0, 5, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);
const INT = [1, 1 << 24, 4, 32];
const FUNCTION = 12 << 24;
const PROTOTYPE = [0, 13 << 24, 1];

/** `call` of what follows the `exit` behind it. */
const CALL_NEXT = Uint8Array.of(0x85, 0x10, 0, 0, 1, 0, 0, 0);

/**
 * Programs in one section, each with its BTF, and on the first instruction of each as many CO-RE relocations of one field.
 * They call a helper, or with `chained` each the next one, as often as makes their length; `names` is how many names
 * each has.
 */
export function manyPrograms(
  count: number,
  { relocations = 0, length = 2, chained = false, names: namesOfEach = 1 } = {},
): Uint8Array {
  const strings = new Strings();
  strings.add('int');
  const [struct, field, access, section] = ['task_struct', 'pid', '0:0', 'xdp'].map((text) =>
    strings.add(text),
  );
  const types = [...INT, ...PROTOTYPE, struct ?? 0, (4 << 24) | 1, 4, field ?? 0, 1, 0];
  const names = new Strings();
  const symbols = [0, 0, 0, 0, 0, 0];
  const functions: number[] = [8, section ?? 0, count];
  const size = length * 8;
  for (let index = 0; index < count; index++) {
    types.push(strings.add(`program_${String(index)}`), FUNCTION | 1, 2);
    for (let name = 0; name < namesOfEach; name++) {
      const text = `program_${String(index)}${name === 0 ? '' : `_${String(name)}`}`;
      symbols.push(names.add(text), 0x0001_0012, index * size, 0, size, 0);
    }
    functions.push(index * size, 4 + index);
  }
  const core: number[] = [16, section ?? 0, count * relocations];
  for (let index = 0; index < count * relocations; index++)
    core.push(Math.floor(index / relocations) * size, 3, access ?? 0, 0);
  const [functionBytes, coreBytes] = [functions.length * 4, relocations === 0 ? 0 : core.length * 4];
  const header = [0x0001eb9f, 32, 0, functionBytes, functionBytes, 0, functionBytes, coreBytes];
  const code = new Uint8Array(count * size);
  const [call, exit] = [chained ? CALL_NEXT : INSTRUCTIONS.subarray(0, 8), INSTRUCTIONS.subarray(8)];
  for (let at = 0; at < code.length; at += 8) code.set((at + 8) % size === 0 ? exit : call, at);
  return writeElf([
    { name: 'xdp', type: PROGBITS, flags: 6, content: code },
    { name: '.symtab', type: SYMTAB, content: wordsOf(symbols), link: 3, info: 1 },
    { name: '.strtab', type: STRTAB, content: names.bytes },
    { name: '.BTF', type: PROGBITS, flags: 0, content: btf(types, strings.bytes) },
    {
      name: '.BTF.ext',
      type: PROGBITS,
      flags: 0,
      content: wordsOf([...header, ...functions, ...(relocations === 0 ? [] : core)]),
    },
  ]);
}

/** Sections of global variables, one in each, with BTF that has a DATASEC for each. */
export function manySections(count: number): Uint8Array {
  const strings = new Strings();
  strings.add('int');
  const names = new Strings();
  const types = [...INT];
  const symbols = [0, 0, 0, 0, 0, 0];
  const sections = Array.from({ length: count }, (_, index): Section => {
    const [variable, section] = [`variable_${String(index)}`, `.data.${String(index)}`];
    types.push(strings.add(variable), 14 << 24, 1, 1);
    types.push(strings.add(section), (15 << 24) | 1, 4, 2 + index * 2, 0, 4);
    symbols.push(names.add(variable), (((index + 1) << 16) | 0x0011) >>> 0, 0, 0, 4, 0);
    return { name: section, type: PROGBITS, flags: 3, content: new Uint8Array(4) };
  });
  return writeElf([
    ...sections,
    { name: '.symtab', type: SYMTAB, content: wordsOf(symbols), link: count + 2, info: 1 },
    { name: '.strtab', type: STRTAB, content: names.bytes },
    { name: '.BTF', type: PROGBITS, flags: 0, content: btf(types, strings.bytes) },
  ]);
}
