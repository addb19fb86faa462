/** BTF for kernels that do not know all of it: what stands in for a type, and that kernels take it. */
import t from 'tap';
import { Btf, BtfBuilder } from '../../src/btf/index.ts';
import type { BtfType } from '../../src/btf/index.ts';
import { listBtfObjects, readBtfById } from '../../src/inspect/index.ts';
import { attachPerfEvent, Collection, ObjectFile } from '../../src/index.ts';
import { linkInfo, openLinkById } from '../../src/link/index.ts';
import { btfSupport, sanitizeBtf } from '../../src/loader/sanitize-btf.ts';
import type { BtfSupport } from '../../src/loader/sanitize-btf.ts';
import { errno, openBpf, systemKernel } from '../../src/sys/index.ts';
import {
  BPF_BTF_LOAD,
  BPF_MAP_CREATE,
  bpf_attr_btf_load,
  bpf_attr_map_create,
} from '../../src/uapi/index.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { OldInfoKernel } from '../helpers/old-info-kernel.ts';
import { loadingKernel } from '../helpers/loading-kernel.ts';
import { thrown } from '../helpers/thrown.ts';
import { inProject } from '../helpers/project-root.ts';

const FIXTURE = 'newer-types';
const everything: BtfSupport = {
  functions: true,
  globalFunctions: true,
  dataSections: true,
  questionMarks: true,
  floats: true,
  declTags: true,
  typeTags: true,
  enums64: true,
};
const LATEST_FIRST: readonly (keyof BtfSupport)[] = [
  'questionMarks',
  'enums64',
  'typeTags',
  'declTags',
  'floats',
  'globalFunctions',
  'dataSections',
  'functions',
];
const nothing = Object.fromEntries(
  Object.keys(everything).map((key) => [key, false]),
) as unknown as BtfSupport;

const int = { kind: 'int', size: 4, bits: 32, offset: 0, signed: true, char: false, bool: false } as const;
/** One of each kind, by id from 1. */
const types: readonly BtfType[] = [
  { ...int, name: 'int' },
  { kind: 'float', name: 'double', size: 8 },
  { kind: 'type_tag', name: 'user', attribute: false, typeId: 1 },
  { kind: 'pointer', typeId: 3 },
  { kind: 'function_proto', returnTypeId: 1, parameters: [{ name: 'first', typeId: 4 }], variadic: false },
  { kind: 'function', name: 'run', typeId: 5, linkage: 'global' },
  { kind: 'variable', name: 'counter', typeId: 1, linkage: 'global' },
  { kind: 'datasec', name: '?.data', size: 4, variables: [{ typeId: 7, offset: 0, size: 4 }] },
  { kind: 'decl_tag', name: 'note', attribute: false, typeId: 7, componentIndex: -1 },
  { kind: 'enum64', name: 'large', size: 8, signed: false, values: [{ name: 'BIG', value: 1n << 40n }] },
  { kind: 'enum', name: 'negative', size: 4, signed: true, values: [{ name: 'LESS', value: -1 }] },
];
const builder = new BtfBuilder();
for (const type of types) builder.add(type);
const original = builder.build();

/** What the types are where the kernel lacks this; the others stay as they are. */
const cases: readonly { lacks: keyof BtfSupport; replaced: Readonly<Record<number, Partial<BtfType>>> }[] = [
  { lacks: 'floats', replaced: { 2: { kind: 'struct', name: '', size: 8, members: [] } } },
  { lacks: 'typeTags', replaced: { 3: { kind: 'const', typeId: 1 } } },
  {
    lacks: 'functions',
    replaced: {
      5: { kind: 'enum', name: '', size: 4, signed: false, values: [{ name: 'first', value: 0 }] },
      6: { kind: 'typedef', name: 'run', typeId: 5 },
    },
  },
  {
    lacks: 'globalFunctions',
    replaced: { 6: { kind: 'function', name: 'run', typeId: 5, linkage: 'static' } },
  },
  {
    lacks: 'dataSections',
    replaced: {
      7: { ...int, name: 'counter', size: 1, bits: 8, signed: false },
      8: { kind: 'struct', name: '__data', size: 4 },
    },
  },
  { lacks: 'questionMarks', replaced: { 8: { kind: 'datasec', name: '_.data', size: 4 } } },
  { lacks: 'declTags', replaced: { 9: { ...int, name: 'note', size: 1, bits: 8, signed: false } } },
  {
    lacks: 'enums64',
    replaced: {
      10: { kind: 'union', name: 'large', size: 8 },
      11: { kind: 'enum', name: 'negative', size: 4, signed: false },
      12: { ...int, name: 'enum64_placeholder', size: 1, bits: 8, signed: false },
    },
  },
];

for (const { lacks, replaced } of cases) {
  t.test(`a kernel without ${lacks} gets others in their place`, (t) => {
    const bytes = sanitizeBtf(original, { ...everything, [lacks]: false });
    t.ok(bytes);
    const [before, after] = [Btf.parse(original), Btf.parse(bytes ?? original)];
    for (const id of new Set([...before.ids(), ...after.ids()])) {
      const expected = replaced[id];
      if (expected) t.match(after.type(id), expected, `type ${String(id)}`);
      else t.same(after.type(id), before.type(id), `type ${String(id)} stays`);
    }
    t.end();
  });
}

t.test('a kernel that knows them all gets the BTF as it is', (t) => {
  t.equal(sanitizeBtf(original, everything), undefined);
  const plain = new BtfBuilder();
  plain.add({ ...int, name: 'int' });
  t.equal(sanitizeBtf(plain.build(), nothing), undefined, 'so does one that lacks what is not in it');
  t.end();
});

t.test('BTF is replaced when it is refused, and not before', (t) => {
  const object = ObjectFile.open(inProject('bpf/sniffer.bpf.o'));
  const modern = loadingKernel();
  Collection.load(object, { kernel: modern }).close();
  t.equal(
    modern.calls.filter(({ command }) => command === BPF_BTF_LOAD).length,
    1,
    'one call where it is taken',
  );
  const old = loadingKernel(({ command }) => (command === BPF_BTF_LOAD ? -errno.EINVAL : 0));
  const collection = Collection.load(object, { kernel: old });
  const loads = old.calls.filter(({ command }) => command === BPF_BTF_LOAD).length;
  t.ok(loads > 8, 'a kernel that refuses is asked what it knows');
  t.match(collection.warnings, [/the kernel refuses it: EINVAL .*; loaded without it$/]);
  collection.close();
  t.equal(old.openDescriptors.size, 0);
  t.end();
});

t.test('a map whose types are refused is made without them, and said so', (t) => {
  const object = ObjectFile.open(inProject('bpf/sniffer.bpf.o'));
  const typed = (attribute: Uint8Array): boolean => {
    const bytes = new Uint8Array(256);
    bytes.set(attribute);
    return bpf_attr_map_create.decode(bytes).btf_value_type_id !== 0;
  };
  const kernel = loadingKernel(({ command, index }) => {
    const attribute = kernel.calls[index]?.attribute;
    return command === BPF_MAP_CREATE && attribute && typed(attribute) ? -errno.ENOTSUPP : 0;
  });
  const collection = Collection.load(object, { kernel });
  t.ok(
    collection.warnings.includes('map stats has no types in the kernel, which refuses them with ENOTSUPP'),
  );
  collection.close();
  const refusing = loadingKernel(({ command }) => (command === BPF_MAP_CREATE ? -errno.EINVAL : 0));
  t.match(thrown(() => Collection.load(object, { kernel: refusing })).message, /^Cannot create map /);
  t.end();
});

const unprivileged = process.getuid?.() === 0 ? false : 'loading BTF needs root';

t.test('the kernel takes what stands in for them', { skip: unprivileged }, (t) => {
  const kernel = systemKernel();
  const supported = btfSupport(kernel);
  const load = (bytes: Uint8Array): void => {
    openBpf(kernel, {
      command: 'BPF_BTF_LOAD',
      attribute: bpf_attr_btf_load,
      fields: { btf: kernel.addressOf(bytes), btf_size: bytes.length },
      keep: [bytes],
      doing: 'load the BTF',
      description: 'BTF',
    }).close();
  };
  load(sanitizeBtf(original, supported) ?? original);
  load(sanitizeBtf(original, nothing) ?? original);
  // Each kernel lacks what came later, too.
  let support = supported;
  for (const lacks of LATEST_FIRST) {
    support = { ...support, [lacks]: false };
    t.doesNotThrow(() => {
      load(sanitizeBtf(original, support) ?? original);
    }, `without ${lacks}`);
  }
  if (sanitizeBtf(original, supported))
    t.throws(() => {
      load(original);
    }, 'it does not take the original');
  t.end();
});

const cannot = unprivileged || whyNotCompile();

t.test('an object with all of them loads and runs, typed in the kernel', { skip: cannot }, (t) => {
  const compiler = new Compiler();
  t.teardown(() => {
    compiler.close();
  });
  const path = compiler.fixture(FIXTURE);
  const { btf } = ObjectFile.open(path);
  const kinds = new Set(Array.from(btf?.ids() ?? [], (id) => btf?.kindOf(id)));
  for (const kind of ['float', 'decl_tag', 'datasec', 'function'] as const)
    t.ok(kinds.has(kind), `it has ${kind}`);
  const collection = Collection.load(ObjectFile.open(path));
  t.same(collection.warnings, []);
  t.equal(collection.program('check').testRun({ data: new Uint8Array(64) }).returnValue, 0);
  t.equal(collection.variable('counter').get(), 3);
  t.match(collection.map('values').get(1), { count: 42n, number: 0 });
  t.ok(collection.map('values').info().btfId > 0, 'the map has its types');
  collection.close();
  t.end();
});

t.test('what kernels tell of BTF and links that know fewer fields of it', { skip: cannot }, (t) => {
  const compiler = new Compiler();
  const source = `#include "check.h"
    struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u64); } told SEC(".maps");
    SEC("perf_event") int of_event(void *ctx) { __u32 key = 0; return bpf_map_lookup_elem(&told, &key) == 0; }
    char _license[] SEC("license") = "GPL";`;
  using collection = Collection.load(ObjectFile.open(compiler.source('told', source)));
  compiler.close();
  const { btfId } = collection.map('told').info();
  // Linux 4.18 to 5.10: the types, their size, the id.
  t.ok(listBtfObjects(systemKernel()).some(({ id }) => id === btfId));
  for (const kernel of [systemKernel(), new OldInfoKernel(16)]) {
    t.ok(readBtfById(kernel, btfId).find('__u64') !== undefined);
  }

  const link = attachPerfEvent(collection.program('of_event'), {
    event: 'cpu-clock',
    sample: { period: 1_000_000 },
    pid: process.pid,
  });
  if (link.id !== undefined) {
    using fd = openLinkById(link.id, systemKernel());
    const facts = linkInfo(systemKernel(), fd);
    // Linux 5.15 to 6.0
    t.same(linkInfo(new OldInfoKernel(32), fd), {
      id: facts.id,
      programId: facts.programId,
      kind: 'perf_event',
      event: 'unknown',
    });
  } else t.comment('skipped: no links of perf events before Linux 5.15');
  link.close();
  t.end();
});
