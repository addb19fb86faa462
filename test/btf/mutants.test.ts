import t from 'tap';
import {
  alignmentOf,
  Btf,
  BtfBuilder,
  BtfExt,
  createCodec,
  fieldsOf,
  formatType,
  sizeOf,
} from '../../src/btf/index.ts';
import type { BtfMember } from '../../src/btf/index.ts';
import { BtfError, ValueError } from '../../src/errors.ts';
import { thrown } from '../helpers/thrown.ts';
import { compileFixture } from './compiled-object.ts';

const object = compileFixture('types.c');
const relocations = compileFixture('relocations.c');
t.teardown(() => {
  object.remove();
  relocations.remove();
});

/** xorshift32: the same mutants in every run. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** A copy with up to four bytes, or a word, changed, or the end cut off. */
function mutate(
  original: Uint8Array,
  { limit, random }: { limit: number; random: (below: number) => number },
): Uint8Array {
  const copy = Uint8Array.from(original);
  const small = [0, 1, 2, 3, 0x7f, 0x80, 0xff];
  switch (random(8)) {
    case 0:
      return copy.subarray(0, random(copy.length));
    case 1:
    case 2:
      // A word that is a plausible type id, count or offset.
      new DataView(copy.buffer).setUint32(random(limit >> 2) * 4, random(200), true);
      return copy;
    case 3:
      copy.copyWithin(random(limit), random(limit), random(limit));
      return copy;
    default:
      for (let count = random(4); count >= 0; count--) copy[random(limit)] = small[random(small.length)]!;
      return copy;
  }
}

/** Uses all that is offered; what is thrown must be of the kinds that are promised. */
function exercise(btf: Btf): number {
  let refused = 0;
  const attempt = (action: () => unknown): void => {
    try {
      action();
    } catch (error) {
      // What is read of a malformed type, an enum that has a name twice, may not fit it again.
      if (!(error instanceof BtfError || error instanceof ValueError)) throw error;
      refused++;
    }
  };
  const view = new DataView(new ArrayBuffer(4096));
  for (const id of btf.ids()) {
    attempt(() => btf.type(id));
    attempt(() => btf.find(btf.nameOf(id)));
    attempt(() => formatType(btf, id));
    attempt(() => sizeOf(btf, id));
    attempt(() => alignmentOf(btf, id));
    attempt(() => fieldsOf(btf, id));
    attempt(() => {
      const codec = createCodec(btf, id);
      if (codec.size <= view.byteLength) codec.write(view, 0, codec.read(view, 0));
    });
  }
  return refused;
}

const MUTANTS = 2000;
/** Functions and forward declarations have no size, nor values. */
const baseline = exercise(Btf.parse(object.section('.BTF')));

t.test(`${String(MUTANTS)} mutants of BTF are read, or refused with BtfError`, (t) => {
  const original = object.section('.BTF');
  const view = new DataView(original.buffer, original.byteOffset);
  // Mostly the header and the types: the strings say little.
  const limit = 24 + view.getUint32(12, true) + 64;
  t.ok(limit < original.length);
  const random = randomNumbers(0x1234567);
  const outcomes = { unreadable: 0, refusedInPart: 0, accepted: 0 };
  for (let index = 0; index < MUTANTS; index++) {
    let btf;
    try {
      btf = Btf.parse(mutate(original, { limit, random }));
    } catch (error) {
      if (!(error instanceof BtfError)) throw error;
      outcomes.unreadable++;
      continue;
    }
    if (exercise(btf) > baseline) outcomes.refusedInPart++;
    else outcomes.accepted++;
  }
  t.comment(outcomes);
  for (const count of Object.values(outcomes)) t.ok(count > MUTANTS / 50, 'each outcome is met often');
  t.end();
});

t.test(`${String(MUTANTS)} mutants of BTF.ext are read, or refused with BtfError`, (t) => {
  const btf = Btf.parse(relocations.section('.BTF'));
  const original = relocations.section('.BTF.ext');
  const random = randomNumbers(0x7654321);
  const outcomes = { refused: 0, accepted: 0 };
  let recordCount = 0;
  for (let index = 0; index < MUTANTS; index++) {
    try {
      const ext = BtfExt.parse(mutate(original, { limit: original.length, random }), btf);
      for (const table of [ext.functionInfo, ext.lineInfo, ext.coreRelocations]) {
        for (const section of table.values()) recordCount += section.records.length;
      }
      outcomes.accepted++;
    } catch (error) {
      if (!(error instanceof BtfError)) throw error;
      outcomes.refused++;
    }
  }
  t.comment(outcomes);
  for (const count of Object.values(outcomes)) t.ok(count > MUTANTS / 50, 'each outcome is met often');
  t.ok(recordCount > MUTANTS);
  t.end();
});

t.test('types that double at each level take no longer than others', (t) => {
  const builder = new BtfBuilder();
  const start = performance.now();
  const levels = 30;
  const doubling = { size: 1 << 20, kind: 'struct' } as const;
  // Structs with two anonymous ones each, structs with two named ones each, and prototypes that name the next twice.
  const int = builder.add({
    kind: 'int',
    name: 'int',
    size: 4,
    bits: 32,
    offset: 0,
    signed: true,
    char: false,
    bool: false,
  });
  let [anonymous, named, prototype] = [builder.add({ ...doubling, name: '', members: [] }), int, int];
  for (let level = 0; level < levels; level++) {
    const twice = (name: string, typeId: number): BtfMember[] => [
      { name: name && 'first', typeId, bitOffset: 0, bitSize: 0 },
      { name: name && 'second', typeId, bitOffset: 0, bitSize: 0 },
    ];
    anonymous = builder.add({ ...doubling, name: '', members: twice('', anonymous) });
    named = builder.add({ ...doubling, name: 's', members: twice('s', named) });
    const parameters = [
      { name: 'a', typeId: prototype },
      { name: 'b', typeId: prototype },
    ];
    prototype = builder.add({ kind: 'function_proto', returnTypeId: int, parameters, variadic: false });
  }
  const btf = Btf.parse(builder.build());
  const cannot = (what: string, id: number, why: string): string =>
    `Cannot ${what} BTF type ${String(id)}: ${why}`;
  t.equal(
    thrown(() => fieldsOf(btf, anonymous)).message,
    cannot('list the fields of', anonymous, 'it has more than 65536'),
  );
  t.equal(
    thrown(() => formatType(btf, prototype)).message,
    cannot('spell', prototype, 'it refers to itself, or is too long'),
  );
  t.equal(alignmentOf(btf, named), 4);
  t.equal(createCodec(btf, named).size, 1 << 20);
  t.ok(performance.now() - start < 2000);
  t.end();
});
