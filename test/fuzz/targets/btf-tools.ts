import { Btf, BtfBuilder, dedup, rawText, rawType } from '../../../src/btf/index.ts';
import { bpftoolValue } from '../../../src/cli/map/bpftool-value.ts';
import { BoundsError, BtfError } from '../../../src/errors.ts';
import { attempt, demand } from '../expected-errors.ts';
import type { FuzzTarget } from '../target.ts';
import type { Seeds } from '../seeds.ts';
import { btfMutants } from './btf.ts';

/** Two copies of a BTF put together, alone and on top of another BTF, and then without duplicates. */
export function dedupTarget(seeds: Seeds): FuzzTarget {
  const base = Btf.parse(seeds.btfs[0]!);
  return {
    name: 'btf-dedup',
    mutant: btfMutants(seeds),
    exercise(input) {
      const btf = attempt([BtfError], () => Btf.parse(input));
      if (!btf) return 'refused';
      const alone = attempt([BtfError], () => deduplicated(twice(btf, undefined), undefined));
      const split = attempt([BtfError], () => deduplicated(twice(btf, base), base));
      if (!alone || !split) return 'read in part';
      return 'read';
    },
  };
}

function twice(btf: Btf, base: Btf | undefined): Btf {
  const builder = new BtfBuilder({ littleEndian: btf.littleEndian, base });
  builder.append(btf);
  builder.append(btf);
  return Btf.parse(builder.build(), { base });
}

/** What comes out has no duplicates, is as long as what says where everything went, and can be read. */
function deduplicated(btf: Btf, base: Btf | undefined): Btf {
  const { btf: once, ids } = dedup(btf);
  demand(once.base === base, 'the base is another');
  demand(ids.length === btf.typeCount, `${ids.length} of ${btf.typeCount} types have a new id`);
  demand(
    ids.every((id) => id < once.typeCount),
    'a new id is that of no type',
  );
  demand(dedup(once).btf.typeCount <= once.typeCount, 'the second time there are more');
  for (let id = 1; id < btf.typeCount; id++)
    demand(
      btf.kindOf(id) === 'forward' || kindsFit(btf.kindOf(id), once.kindOf(ids[id] ?? 0)),
      `type ${id} becomes another`,
    );
  return once;
}

/** `enum name;` stands for an enum of 64 bits too. */
function kindsFit(before: string, after: string): boolean {
  return before === after || (before.startsWith('enum') && after.startsWith('enum'));
}

/** Types in the words of bpftool, and zeros as values of them in its shape. */
export function rawTarget(seeds: Seeds): FuzzTarget {
  const view = new DataView(new ArrayBuffer(4096));
  return {
    name: 'btf-raw',
    mutant: btfMutants(seeds),
    exercise(input) {
      const btf = attempt([BtfError], () => Btf.parse(input));
      if (!btf) return 'refused';
      let refused = 0;
      for (const id of btf.ids()) {
        const text = attempt([BtfError], () => rawText(btf, id));
        if (text === undefined) refused++;
        else demand(text.startsWith(`[${id}] ${rawType(btf, id).kind} '`), 'the text is of another type');
        attempt([BtfError, BoundsError], () => {
          bpftoolValue(btf, id, { view, at: 0 });
        });
      }
      return refused === 0 ? 'read' : 'read in part';
    },
  };
}
