import { crc32 } from 'node:zlib';
import type { Btf } from '../../../src/btf/index.ts';
import { ObjectFile, readContainer } from '../../../src/elf/index.ts';
import { BtfError, ElfError, ObjectError } from '../../../src/errors.ts';
import { Dice, seedOf } from '../dice.ts';
import { elfAnatomyOf, type ElfAnatomy } from '../elf-anatomy.ts';
import { attempt } from '../expected-errors.ts';
import { mutateElf } from '../mutate-elf.ts';
import type { FuzzTarget } from '../target.ts';
import type { Seeds } from '../seeds.ts';
import { printTypes, useTypes } from '../use-btf.ts';
import {
  disassembleAll,
  generateAll,
  inspectAll,
  load,
  relocateAgainst,
  useVariables,
} from '../use-object.ts';

/**
 * Whole objects. Every one is read, and its variables are read and written. What else is done with it, its bytes decide:
 * CO-RE, the C of its types, disassembly, the report, loading; on average a bit less than one of these.
 */
export function elfTarget(seeds: Seeds): FuzzTarget {
  const anatomies = new Map<string, ElfAnatomy>();
  const anatomyOf = (path: string): ElfAnatomy => {
    const anatomy = anatomies.get(path) ?? elfAnatomyOf(seeds.read(path));
    anatomies.set(path, anatomy);
    return anatomy;
  };
  return {
    name: 'elf',
    mutant: (dice) =>
      mutateElf(anatomyOf(dice.onceIn(4) ? dice.pick(seeds.own) : dice.pick(seeds.objects)), dice),
    exercise: (input) => exerciseObject(input, { target: seeds.coreTarget }),
  };
}

/** Everything at once where `thorough`. */
export function exerciseObject(
  input: Uint8Array,
  { target, thorough = false }: { target: Btf | undefined; thorough?: boolean },
): string {
  const object = attempt([ElfError, BtfError, ObjectError], () => ObjectFile.parse(input));
  if (!object) {
    const container = attempt([ElfError], () => readContainer(input));
    return container ? 'refused past the section table' : 'refused at the section table';
  }
  useVariables(object);
  // Of every byte: the mutants of one object are alike nearly everywhere, and would all be used the same way.
  const dice = new Dice(seedOf(input.length, crc32(input)));
  const chosen = (times: number): boolean => thorough || dice.onceIn(times);
  if (chosen(6)) {
    if (object.btf) relocateAgainst(object, object.btf);
    if (target) relocateAgainst(object, target);
  }
  if (chosen(12) && object.btf) {
    printTypes(object.btf);
    useTypes(object.btf, dice);
  }
  if (chosen(8)) disassembleAll(object);
  if (chosen(8)) inspectAll(object);
  if (chosen(16)) generateAll(object);
  // Kernel symbols and kernel functions have the kernel's own types and symbols read, which takes long.
  const patient = object.externs.size === 0 || chosen(256);
  if (!patient || !chosen(4)) return 'read';
  return load(object, object.btf) ? 'loaded' : 'read, loading refused';
}
