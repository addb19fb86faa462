/** Map definitions from before BTF, whole and damaged. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { ObjectFile, readContainer, type MapSpec } from '../../src/elf/index.ts';
import { ObjectError, TsXdpError } from '../../src/errors.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { randomNumbers } from '../helpers/random-numbers.ts';
import { thrown } from '../helpers/thrown.ts';
import { inProject } from '../helpers/project-root.ts';

const missing = whyNotCompile();
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const compiler = new Compiler();
t.teardown(() => {
  compiler.close();
});
const source = (name: string): string =>
  readFileSync(inProject(`test/fixtures/externs/${name}.bpf.c`), 'utf8');
const compiled = (name: string, options: Parameters<Compiler['source']>[2] = {}): Buffer =>
  readFileSync(compiler.source(name, source(name), options));
const legacy = compiled('legacy');
const iproute2 = compiled('iproute2');

function summary({ type, keySize, valueSize, maxEntries, flags, definition }: MapSpec): unknown[] {
  return [definition.kind, definition.offset, type, keySize, valueSize, maxEntries, flags];
}

const legacyMaps = ({ maps }: ObjectFile): MapSpec[] =>
  [...maps.values()].filter(({ definition }) => definition.kind === 'legacy');

const expected = {
  counters: ['legacy', 0, 2, 4, 8, 4, 0],
  table: ['legacy', 20, 1, 4, 16, 8, 1],
  hidden: ['legacy', 40, 2, 4, 4, 1, 0],
};

t.test('definitions are read by their symbols', (t) => {
  const variants = {
    'with BTF': legacy,
    'without BTF': compiled('legacy', { flags: ['-g0'], name: 'legacy-bare.o' }),
    'big-endian': compiled('legacy', { target: 'bpfeb', name: 'legacy-be.o' }),
  };
  for (const [name, bytes] of Object.entries(variants)) {
    const object = ObjectFile.parse(bytes);
    t.same(Object.fromEntries(legacyMaps(object).map((map) => [map.name, summary(map)])), expected, name);
    const references = object
      .program('uses_legacy_maps')
      .relocations.flatMap((relocation) => (relocation.kind === 'map' ? [relocation.map] : []));
    t.same(references, ['counters', 'table', 'table', 'hidden'], name);
  }
  t.equal(ObjectFile.parse(variants['without BTF']).btf, undefined);
  t.end();
});

t.test('BPF_ANNOTATE_KV_PAIR says the types', (t) => {
  const { btf, maps } = ObjectFile.parse(legacy);
  const table = maps.get('table');
  t.equal(btf?.nameOf(table?.valueTypeId ?? 0), 'pair');
  t.equal(btf?.nameOf(table?.keyTypeId ?? 0), '__u32');
  t.match(maps.get('counters'), { keyTypeId: 0, valueTypeId: 0 });
  t.end();
});

t.test("iproute2's fields: pinning, inner maps, tail calls", (t) => {
  const { maps } = ObjectFile.parse(iproute2);
  const [inner, outer, jumps] = ['inner', 'outer', 'jumps'].map((name) => maps.get(name));
  t.match(inner, { pinByName: false, initialSlots: [] });
  t.match(outer?.inner, { name: 'inner', maxEntries: 2, definition: { kind: 'inner' } });
  t.same(outer?.initialSlots, [{ index: 1, target: 'inner' }]);
  t.match(jumps, { pinByName: true, initialSlots: [{ index: 1, target: 'tail' }] });
  t.end();
});

/** Where section `maps` begins in a file. */
function mapsAt(bytes: Buffer): number {
  const section = readContainer(bytes).sections.find(({ name }) => name === 'maps');
  if (!section) throw new Error('no section maps');
  return section.data.byteOffset - bytes.byteOffset;
}

function patched(bytes: Buffer, words: Readonly<Record<number, number>>): Buffer {
  const copy = Buffer.from(bytes);
  for (const [offset, value] of Object.entries(words))
    copy.writeUInt32LE(value, mapsAt(bytes) + Number(offset));
  return copy;
}

t.test('what cannot be understood is refused by name', (t) => {
  const define = (fields: string, maps: string): Buffer =>
    readFileSync(
      compiler.source(
        'refused',
        `#include "check.h"\nstruct definition { __u32 ${fields}; };\n${maps}\nchar _license[] SEC("license") = "GPL";`,
      ),
    );
  const long = 'type, key, value, max, flags, inner_map_idx, numa_node';
  const one = (value: string): string => `struct definition SEC("maps") one = { ${value} };`;
  const rows: [string, () => Buffer, string][] = [
    [
      'a field of unknown meaning',
      () => define(long, one('2, 4, 4, 1, 0, 0, 1')),
      'Cannot read map one: its definition has 28 bytes, and the meaning of byte 24, which is not zero, is unknown',
    ],
    [
      'a definition that is too short',
      () => define('type, key, value', one('2, 4, 4')),
      'Cannot read the maps of section maps: 1 definitions of at least 16 bytes do not make 12 bytes',
    ],
    [
      'a symbol without a definition of its own',
      () =>
        define(
          'type, key, value, max, flags',
          'struct definition SEC("maps") two[2] = { { 1 }, { 2 } };' +
            '__u32 SEC("maps") three = 1; __u32 SEC("maps") four[4] = { 1 };',
        ),
      'Cannot read map four: its definition is not one of 20 bytes, as those of the others are',
    ],
    ['no type', () => patched(legacy, { 20: 0 }), 'Cannot read map table: it has no type'],
    [
      'an inner map that is not there',
      () => patched(iproute2, { 64: 0, [36 + 28]: 43 }),
      'Cannot read map outer: no map has the id 43 of its inner maps',
    ],
    [
      'an inner map of a map that holds none',
      () => patched(iproute2, { 28: 42 }),
      'Cannot read map inner: it has the inner_id 42 but holds no maps',
    ],
    ['a pinning', () => patched(iproute2, { 24: 3 }), 'Cannot read map inner: its pinning 3 is unknown'],
  ];
  for (const [name, bytes, message] of rows) {
    const error = thrown(() => ObjectFile.parse(bytes()));
    t.ok(error instanceof ObjectError, name);
    t.equal(error.message, message, name);
  }
  const short = ObjectFile.parse(define('type, key, value, max', one('2, 4, 4, 1')));
  t.same(summary(short.map('one')), ['legacy', 0, 2, 4, 4, 1, 0], 'flags may be absent');
  const zeros = ObjectFile.parse(define(long, one('2, 4, 4, 1')));
  t.same(summary(zeros.map('one')), ['legacy', 0, 2, 4, 4, 1, 0], 'unknown fields may be there if zero');
  t.end();
});

t.test('definitions changed at random are read or refused with an error of ours', (t) => {
  const random = randomNumbers(20_261);
  let [read, refused] = [0, 0];
  for (const original of [legacy, iproute2]) {
    const start = mapsAt(original);
    const symbols = readContainer(original).sections.find(({ name }) => name === '.symtab');
    const symbolsAt = (symbols?.data.byteOffset ?? 0) - original.byteOffset;
    for (let round = 0; round < 1000; round++) {
      const bytes = Buffer.from(original);
      bytes.writeUInt32LE(random(4) === 0 ? random(2 ** 31) : random(48), start + random(15) * 4);
      if (random(2) === 0) bytes.writeUInt8(random(256), symbolsAt + random(symbols?.size ?? 1));
      try {
        ObjectFile.parse(bytes);
        read++;
      } catch (error) {
        if (!(error instanceof TsXdpError)) throw error;
        refused++;
      }
    }
  }
  t.ok(read > 200 && refused > 200, `${String(read)} read, ${String(refused)} refused`);
  t.end();
});
