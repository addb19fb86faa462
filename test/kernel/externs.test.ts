/** What an object takes from elsewhere, in programs that check it themselves, and maps from before BTF. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Collection, ObjectFile } from '../../src/index.ts';
import type { BpfMap } from '../../src/index.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import type { CompileOptions } from '../helpers/compile.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() : 'loading programs needs root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const compiler = new Compiler();
t.teardown(() => {
  compiler.close();
});
const compile = (name: string, options: CompileOptions = {}): string => {
  const path = join(import.meta.dirname, '../fixtures/externs', `${name}.bpf.c`);
  return compiler.source(name, readFileSync(path, 'utf8'), options);
};
/** Of the value under a key of 32 bits, whether the map has types or not. */
function firstByte(map: BpfMap, key: number): number | undefined {
  const value = map.lookUpBytes(Uint8Array.of(key, 0, 0, 0));
  return value?.[0];
}
const packet = new Uint8Array(64);

t.test('maps from before BTF work, with BTF and without', (t) => {
  for (const options of [{}, { flags: ['-g0'], name: 'legacy-bare.bpf.o' }]) {
    using collection = Collection.load(ObjectFile.open(compile('legacy', options)));
    t.equal(collection.program('uses_legacy_maps').testRun({ data: packet }).returnValue, 0);
    t.equal(firstByte(collection.map('counters'), 3), 5);
    t.equal(firstByte(collection.map('hidden'), 0), 9);
  }
  t.end();
});

t.test('the kernel knows the types of BPF_ANNOTATE_KV_PAIR', (t) => {
  using collection = Collection.load(ObjectFile.open(compile('legacy')));
  t.same(collection.map('table').get(3), undefined);
  t.equal(collection.program('uses_legacy_maps').testRun({ data: packet }).returnValue, 0);
  t.same(collection.map('table').get(3), { first: 7, second: 8n });
  t.end();
});

t.test("iproute2's maps come filled, and its tail calls lead somewhere", (t) => {
  for (const options of [{}, { flags: ['-g0'], name: 'iproute2-bare.bpf.o' }]) {
    const object = ObjectFile.open(compile('iproute2', options));
    const { type, attachType } = object.program('uses_iproute2_maps');
    Object.assign(object.program('tail'), { type, attachType });
    using collection = Collection.load(object);
    t.equal(collection.program('uses_iproute2_maps').testRun({ data: packet }).returnValue, 77);
    t.equal(firstByte(collection.map('inner'), 1), 11);
  }
  t.end();
});
