import {
  alignmentOf,
  createCodec,
  dumpC,
  fieldsOf,
  formatType,
  parseValue,
  sizeOf,
  toJson,
  type Btf,
} from '../../src/btf/index.ts';
import { BtfError, ValueError } from '../../src/errors.ts';
import type { Dice } from './dice.ts';
import { attempt } from './expected-errors.ts';

const PROMISED = [BtfError, ValueError];
const MOST_TYPES = 64;

/** Uses all that is offered on types, on some of them where they are many. Returns how often something was refused. */
export function useTypes(btf: Btf, dice: Dice): number {
  let refused = 0;
  const view = new DataView(new ArrayBuffer(4096));
  const tried = (action: () => unknown): void => {
    attempt(PROMISED, () => {
      refused++;
      action();
      refused--;
    });
  };
  const all = btf.typeCount - 1 <= MOST_TYPES;
  const count = Math.min(btf.typeCount, MOST_TYPES);
  for (let index = 0; index < count; index++) {
    const id = all ? index : dice.below(btf.typeCount);
    tried(() => btf.type(id));
    tried(() => btf.findAll(btf.nameOf(id)));
    tried(() => formatType(btf, id));
    tried(() => sizeOf(btf, id));
    tried(() => alignmentOf(btf, id));
    tried(() => fieldsOf(btf, id));
    tried(() => {
      const codec = createCodec(btf, id);
      if (codec.size > view.byteLength) return;
      const value = codec.read(view, 0);
      codec.write(view, 0, value);
      const text = JSON.stringify(toJson(value));
      codec.write(view, 0, parseValue(text, btf, id));
    });
  }
  return refused;
}

/** The types as C, where BTF says that C can have them. */
export function printTypes(btf: Btf): boolean {
  return attempt([BtfError], () => dumpC(btf)) !== undefined;
}
