import { Btf, BtfExt, CoreResolver } from '../../../src/btf/index.ts';
import { BtfError } from '../../../src/errors.ts';
import { btfAnatomyOf, type BtfAnatomy } from '../btf-anatomy.ts';
import { Dice, seedOf } from '../dice.ts';
import { attempt, demand } from '../expected-errors.ts';
import { FieldWriter } from '../fields.ts';
import { mutateBtf, mutateBtfExt } from '../mutate-btf.ts';
import { mutateBytes } from '../mutate-plain.ts';
import type { FuzzTarget } from '../target.ts';
import type { Seeds } from '../seeds.ts';
import { printTypes, useTypes } from '../use-btf.ts';

/** BTF alone: that of objects, and a part of a kernel's. */
export function btfTarget(seeds: Seeds): FuzzTarget {
  return {
    name: 'btf',
    mutant: btfMutants(seeds),
    exercise(input) {
      const btf = attempt([BtfError], () => Btf.parse(input));
      if (!btf) return 'refused';
      const dice = new Dice(seedOf(input.length, input[input.length >> 1] ?? 0, btf.typeCount));
      const refused = useTypes(btf, dice);
      const printed = dice.onceIn(3) ? printTypes(btf) : true;
      return refused === 0 && printed ? 'read' : 'read in part';
    },
  };
}

/** Makes mutants of the BTF of objects. */
export function btfMutants(seeds: Seeds): FuzzTarget['mutant'] {
  const anatomies = new Map<Uint8Array, BtfAnatomy>();
  return (dice) => {
    const original = dice.pick(seeds.btfs);
    if (dice.onceIn(50)) return mutateBytes(original, dice);
    const anatomy = anatomies.get(original) ?? btfAnatomyOf(original);
    anatomies.set(original, anatomy);
    const bytes = Uint8Array.from(original);
    const writer = new FieldWriter(bytes, anatomy.littleEndian);
    for (let count = dice.below(4); count >= 0; count--) mutateBtf(writer, anatomy, dice);
    return dice.onceIn(50) ? bytes.subarray(0, dice.below(bytes.length)) : bytes;
  };
}

/** `.BTF.ext` after the BTF that it belongs to, whose length comes first. */
export function btfExtTarget(seeds: Seeds): FuzzTarget {
  const anatomies = new Map<Uint8Array, BtfAnatomy>();
  return {
    name: 'btf-ext',
    mutant(dice) {
      const { btf, ext } = dice.pick(seeds.exts);
      const anatomy = anatomies.get(btf) ?? btfAnatomyOf(btf);
      anatomies.set(btf, anatomy);
      const bytes = new Uint8Array(4 + btf.length + ext.length);
      new DataView(bytes.buffer).setUint32(0, btf.length, true);
      bytes.set(btf, 4);
      bytes.set(ext, 4 + btf.length);
      const part = bytes.subarray(4 + btf.length);
      const writer = new FieldWriter(part, anatomy.littleEndian);
      const place = { start: 0, end: part.length, btf: anatomy };
      for (let count = dice.below(4); count >= 0; count--) mutateBtfExt(writer, place, dice);
      return dice.onceIn(30) ? bytes.subarray(0, 4 + btf.length + dice.below(ext.length)) : bytes;
    },
    exercise(input) {
      const length = new DataView(input.buffer, input.byteOffset).getUint32(0, true);
      const btf = Btf.parse(input.subarray(4, 4 + length));
      const ext = attempt([BtfError], () => BtfExt.parse(input.subarray(4 + length), btf));
      if (!ext) return 'refused';
      let whole = true;
      const resolver = new CoreResolver(btf, { main: () => btf });
      for (const table of [ext.functionInfo, ext.lineInfo, ext.coreRelocations]) {
        for (const section of table.values()) {
          demand(Number.isInteger(section.count), 'a part of a record');
          const records = attempt([BtfError], () => section.records);
          whole &&= records !== undefined;
        }
      }
      for (const { records } of whole ? ext.coreRelocations.values() : [])
        for (const record of records.slice(0, 200)) attempt([BtfError], () => resolver.resolve(record));
      return whole ? 'read' : 'read in part';
    },
  };
}
