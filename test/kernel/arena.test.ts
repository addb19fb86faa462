/** Arenas: memory that a program and this process share, read and written as copies. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { Arena, BpfMap, Collection, MapType, ObjectFile } from '../../src/index.ts';
import { arenaMemory } from '../../src/maps/index.ts';
import { Compiler, findClang, whyNotCompile } from '../helpers/compile.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { thrown } from '../helpers/thrown.ts';

/** The first that knows address spaces (__BPF_FEATURE_ADDR_SPACE_CAST). */
const clang = findClang(19);
const missing =
  process.getuid?.() !== 0
    ? 'loading programs needs root'
    : (whyNotCompile() || clang === undefined) && 'arenas need clang 19 or newer';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const compiler = new Compiler({ fixtures: 'features', clang, flags: ['-mcpu=v3'] });
t.teardown(() => {
  compiler.close();
});

function compile(name: string, defines: Record<string, string> = {}): ObjectFile {
  const flags = Object.entries(defines).map(([macro, value]) => `-D${macro}=${value}`);
  return ObjectFile.open(compiler.fixture('arena', { name: `${name}.bpf.o`, flags }));
}

function run(collection: Collection, program: string): number {
  return collection.program(program).testRun().returnValue;
}

const object = compile('arena');
const before = openDescriptors();

t.test('global variables lie in the arena, which both sides write', (t) => {
  t.same(
    [...object.variables.values()].map(({ name, section, map }) => [name, section, map]),
    [
      ['counter', '.addr_space.1', 'arena'],
      ['first', '.addr_space.1', 'arena'],
      ['zeros', '.addr_space.1', 'arena'],
      ['page_address', '.bss', '.bss'],
    ],
  );
  t.equal(object.variable('counter').get(), 7);
  object.variable('counter').set(6);
  using collection = Collection.load(object);
  object.variable('counter').set(7);
  const [counter, zeros] = [collection.variable('counter'), collection.variable('zeros')];
  t.equal(counter.get(), 6, 'as it was set before loading');
  t.ok(run(collection, 'globals') > 0);
  counter.set(8);
  zeros.set([0n, 0n, 0n, 5n]);
  t.equal(run(collection, 'globals'), 0);
  t.equal(counter.get(), 9);
  t.same(zeros.get(), [0n, 0xffff_ffff_ffff_ffffn, 0n, 5n]);
  t.match(collection.variable('first').get(), { number: 0x1122334455667788n, next: 0n });
  t.equal(
    thrown(() => collection.map('arena').get(new Uint8Array(0))).code,
    'SYSCALL_FAILED',
    'it has no entries',
  );
  collection.close();
  t.equal(thrown(() => counter.get()).code, 'CLOSED');
  t.end();
});

t.test('pages that the program allocates are at the addresses that it stores', (t) => {
  using collection = Collection.load(object);
  const memory = arenaMemory(collection.map('arena'));
  t.equal(memory.length, 16 * 4096);
  t.equal(run(collection, 'allocates'), 0);
  const { next } = collection.variable('first').get() as { next: bigint };
  t.ok(next > memory.address && next < memory.address + BigInt(memory.length), 'a pointer of user space');
  const offset = Number(next - memory.address);
  t.equal(new DataView(memory.read(offset, 8).buffer).getBigUint64(0, true), 4711n);
  memory.write(offset, Uint8Array.of(0x68));
  t.equal(run(collection, 'reads_back'), 0);
  t.equal(run(collection, 'frees'), 0);
  t.ok(run(collection, 'reads_back') > 0);
  for (const [at, length] of [
    [memory.length, 1],
    [-1, 1],
    [0, memory.length + 1],
    [0.5, 1],
  ] as const) {
    t.equal(thrown(() => memory.read(at, length)).code, 'OUT_OF_BOUNDS', `${length} bytes at ${at}`);
  }
  collection.close();
  t.equal(thrown(() => memory.read(0, 1)).code, 'CLOSED');
  t.end();
});

t.test('a list that a program has built is followed by its pointers', (t) => {
  using collection = Collection.load(object);
  const arena = new Arena(collection.map('arena'));
  t.equal(arena.length, 16 * 4096);
  t.equal(arena.pageSize, 4096);
  t.equal(run(collection, 'allocates'), 0);
  const { next } = collection.variable('first').get() as { next: bigint };
  const node = arena.offsetOf(next);
  t.equal(arena.pointerTo(node), next);
  t.equal(arena.has(next), true);
  t.equal(arena.u64(node), 4711n);
  t.equal(arena.u32(node), 4711);
  const back = arena.offsetOf(arena.pointer(node + 8));
  t.equal(arena.u64(back), 0x1122334455667788n, 'the variable that it points to');
  t.equal(arena.pointer(back + 8), next, 'and round it goes');
  t.equal(arena.offsetOf(next & 0xffff_ffffn), node, 'by the low half of a pointer too');
  arena.write(node, Uint8Array.of(0x68));
  t.equal(run(collection, 'reads_back'), 0, 'what is written here is read there');
  t.same(arena.read(node + 16, 8), new Uint8Array(8));
  t.same(arena.read(9 * 4096, 4), new Uint8Array(4), 'a page that nobody allocated is one of zeros now');
  const cases: [() => unknown, object][] = [
    [
      () => arena.offsetOf(0n),
      { code: 'ARGUMENT_INVALID', message: 'Cannot follow pointer 0x0 into arena arena: it is NULL' },
    ],
    [
      () => arena.offsetOf(arena.address + BigInt(arena.length)),
      { code: 'ARGUMENT_INVALID', argument: 'pointer' },
    ],
    [() => arena.pointerTo(arena.length), { code: 'OUT_OF_BOUNDS' }],
    [() => arena.u64(arena.length - 4), { code: 'OUT_OF_BOUNDS' }],
    [
      () => new Arena(collection.map('.bss')),
      { message: 'Cannot use map .bss as an arena: its type is array' },
    ],
  ];
  for (const [action, wanted] of cases) t.match(thrown(action), wanted);
  collection.close();
  t.equal(arena.closed, true);
  t.match(
    thrown(() => arena.u64(0)),
    { code: 'CLOSED' },
  );
  using bare = BpfMap.create({ type: MapType.Arena, keySize: 0, valueSize: 0, maxEntries: 2, flags: 1024 });
  const own = new Arena(bare);
  own.write(4096, Uint8Array.of(1, 2));
  t.same(own.read(4096, 2), Uint8Array.of(1, 2), 'one of no object');
  t.end();
});

t.test('it lies where map_extra says', (t) => {
  const address = 1n << 44n;
  using collection = Collection.load(compile('at-address', { ADDRESS: '(1ull<<44)' }));
  t.equal(collection.map('arena').info().extra, address);
  t.equal(arenaMemory(collection.map('arena')).address, address);
  t.match(readFileSync('/proc/self/maps', 'utf8'), /^100000000000-100000010000 rw-s .*bpf-map/m);
  collection.variable('counter').set(8);
  collection.variable('zeros').set([0n, 0n, 0n, 5n]);
  t.equal(run(collection, 'globals'), 0);
  t.equal(run(collection, 'allocates'), 0);
  const { next } = collection.variable('first').get() as { next: bigint };
  t.ok(next > address);
  t.end();
});

t.test(
  'with BPF_F_SEGV_ON_FAULT a page that was never allocated is an error, not the end of the process',
  (t) => {
    t.match(
      thrown(() => Collection.load(compile('strict', { FLAGS: '(1u<<17)' }))),
      {
        code: 'OBJECT_INVALID',
        message:
          'Cannot create arena arena: its variables need pages, and with BPF_F_SEGV_ON_FAULT only programs allocate them',
      },
    );
    t.same(openDescriptors(), before);
    const flags = { FLAGS: '(1u<<17)', WITHOUT_GLOBALS: '1' };
    using collection = Collection.load(compile('strict-without-globals', flags));
    const memory = arenaMemory(collection.map('arena'));
    t.match(
      thrown(() => memory.read(8 * 4096, 16)),
      { code: 'SYSCALL_FAILED', errnoName: 'EFAULT' },
    );
    t.match(
      thrown(() => {
        memory.write(8 * 4096, Uint8Array.of(1));
      }),
      { code: 'SYSCALL_FAILED', errnoName: 'EFAULT' },
    );
    const arena = new Arena(collection.map('arena'));
    const write = (): void => {
      arena.write(8 * 4096, Uint8Array.of(1));
    };
    for (const touch of [() => arena.u64(8 * 4096 + 8), write]) {
      t.match(thrown(touch), {
        code: 'PAGE_UNALLOCATED',
        map: 'arena',
        page: 8,
        message:
          'Cannot touch page 8 of arena arena: it, or one behind it, is not allocated, and with BPF_F_SEGV_ON_FAULT only programs allocate',
        hint: 'call bpf_arena_alloc_pages() in a program first',
      });
    }
    t.end();
  },
);

t.test('what cannot be is refused', (t) => {
  const large = compile('large');
  large.map('arena').contents = new Uint8Array(16 * 4096 + 1);
  t.match(
    thrown(() => Collection.load(large)),
    {
      code: 'OBJECT_INVALID',
      section: '.maps',
      message: 'Cannot create arena arena: its 65537 bytes of variables do not fit into its 65536',
      hint: 'raise its max_entries, which counts pages',
    },
  );
  large.map('arena').maxEntries = 17;
  Collection.load(large).close();

  const refusal = (name: string, text: string): unknown => {
    const license = 'char _license[] SEC("license") = "GPL";';
    const program = 'SEC("syscall") int entry(void *ctx) { return 0; }';
    const path = compiler.source(name, `#include "features.h"\n${text}\n${program}\n${license}`);
    return thrown(() => ObjectFile.open(path));
  };
  const map = (name: string): string =>
    `struct { __uint(type, 33); __uint(map_flags, 1024); __uint(max_entries, 1); } ${name} SEC(".maps");`;
  t.match(refusal('two', `${map('one')} ${map('other')}`), {
    code: 'OBJECT_INVALID',
    message: 'Cannot read the maps: only one may be an arena, not one and other',
  });
  t.match(refusal('homeless', '__u32 __attribute__((address_space(1))) homeless = 1;'), {
    code: 'OBJECT_INVALID',
    section: '.addr_space.1',
    message: 'Cannot read the arena variables: the object has no arena map',
    hint: 'declare a map of type BPF_MAP_TYPE_ARENA in SEC(".maps")',
  });
  t.end();
});

t.test('closing gives 4 GB of addresses back, each time', (t) => {
  const whole = compile('whole', { PAGES: '(1<<20)' });
  const mapped = (): number =>
    readFileSync('/proc/self/maps', 'utf8')
      .split('\n')
      .filter((line) => line.includes('bpf-map')).length;
  const start = mapped();
  for (let round = 0; round < 200; round++) {
    using collection = Collection.load(whole);
    if (round === 0) t.equal(mapped(), start + 1);
    collection.variable('counter').set(round);
    if (collection.variable('counter').get() !== round) t.fail(`round ${round}`);
  }
  t.equal(mapped(), start);
  t.same(openDescriptors(), before);
  t.end();
});
