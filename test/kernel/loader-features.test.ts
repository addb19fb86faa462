/** One small object per feature, whose programs check themselves: what they return is the line of the failing check. */
import { execFileSync } from 'node:child_process';
import { rmdirSync, statSync } from 'node:fs';
import t from 'tap';
import { Collection, ObjectFile } from '../../src/index.ts';
import type { BpfMap, LoadOptions } from '../../src/index.ts';
import { readProgramBtf } from '../../src/programs/index.ts';
import { systemKernel } from '../../src/sys/index.ts';
import { Compiler, findClang, whyNotCompile } from '../helpers/compile.ts';
import { makeCgroup } from '../helpers/control-group.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { thrown } from '../helpers/thrown.ts';
import { until } from '../helpers/until.ts';

/** The first that keeps every declaration tag and type tag. */
const clang = findClang(16);
const missing =
  process.getuid?.() !== 0
    ? 'loading programs needs root'
    : (whyNotCompile() || clang === undefined) && 'these objects need clang 16 or newer';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const compiler = new Compiler({ fixtures: 'features', clang, flags: ['-mcpu=v3'] });
t.teardown(() => {
  compiler.close();
});
/** Bytes that count up, so that a program can tell where in the packet it reads. */
const packet = Uint8Array.from({ length: 64 }, (_, index) => index);

function run(collection: Collection, program: string): number {
  return collection.program(program).testRun({ data: packet }).returnValue;
}

/** Runs a syscall program, which writes its answer into the bytes it was given. */
function call(collection: Collection, program: string, context = new Uint8Array(0)): number {
  return collection.program(program).testRun({ context }).returnValue;
}

function open(name: string): ObjectFile {
  return ObjectFile.open(compiler.fixture(name));
}

function load(name: string, options: LoadOptions = {}): Collection {
  return Collection.load(open(name), options);
}

function xlated(collection: Collection, program: string): string {
  const id = String(collection.program(program).id);
  return execFileSync('bpftool', ['prog', 'dump', 'xlated', 'id', id], { encoding: 'utf8' });
}

const before = openDescriptors();

t.test('sections', (t) => {
  t.test('of variables have a map each, named and mapped like the usual ones', (t) => {
    const object = open('sections');
    t.same([...object.maps.keys()].sort(), [
      '.bss',
      '.bss.histogram',
      '.data.tuning',
      '.rodata.defaults',
      '.rodata.str1.1',
    ]);
    object.variable('tuned').set({ rate: 11, ports: [1, 2, 3, 4], strict: true });
    object.variable('defaults').set({ rate: 6, ports: [0, 0, 0, 9], strict: false });
    using collection = Collection.load(object);
    t.equal(run(collection, 'custom_sections'), 0);
    t.equal(collection.map('.data.tuning').info().name, '.data.tuning');
    t.equal(
      collection.map('.rodata.defaults').info().name,
      '.rodata.default',
      'the kernel keeps 15 characters',
    );
    const histogram = collection.variable('histogram').get() as bigint[];
    t.equal(histogram.length, 32);
    t.equal(histogram[31], 1011n);
    t.equal(collection.variable('aligned_far').get(), 0xfe);
    collection.variable('scale').set(1n);
    t.ok(run(collection, 'custom_sections') > 0, 'the program sees the change at once');
    t.end();
  });
  t.test('of string literals are frozen, so that the verifier knows what they say', (t) => {
    using collection = load('sections');
    collection.variable('name').set('eth0');
    t.equal(run(collection, 'literals'), 0);
    t.equal(collection.map('.rodata.str1.1').info().flags & 0x80, 0x80, 'BPF_F_RDONLY_PROG');
    t.end();
  });
  t.test('that begin with ? hold programs that are loaded only when asked for', (t) => {
    const object = open('sections');
    t.same(
      [...object.programs.values()].map(({ name, autoload }) => [name, autoload]),
      [
        ['custom_sections', true],
        ['literals', true],
        ['optional', false],
        ['optional_and_refused', false],
      ],
    );
    using usual = Collection.load(object);
    t.same([...usual.programs.keys()], ['custom_sections', 'literals']);
    t.match(
      thrown(() => usual.program('optional')),
      { code: 'PROGRAM_NOT_FOUND', available: ['custom_sections', 'literals'] },
    );
    using named = Collection.load(object, { programs: ['optional'] });
    t.same([...named.programs.keys()], ['optional']);
    t.equal(run(named, 'optional'), 0);
    t.same((named.variable('histogram').get() as bigint[])[0], 1n);
    object.program('optional').autoload = true;
    object.program('literals').autoload = false;
    using edited = Collection.load(object);
    t.same([...edited.programs.keys()], ['custom_sections', 'optional']);
    t.match(thrown(() => Collection.load(object, { programs: ['optional_and_refused'] })).message, /outside/);
    t.equal(
      thrown(() => Collection.load(object, { programs: ['optional', 'nonesuch'] })).message,
      'Cannot find program nonesuch: the object has none of that name',
    );
    using none = Collection.load(object, { programs: [] });
    t.equal(none.programs.size, 0);
    t.ok(none.maps.size > 0, 'maps are created without any program');
    t.end();
  });
  t.test('of functions bring along what a program reaches and nothing else', (t) => {
    const object = open('sections');
    t.same(object.subprograms.map(({ name }) => name).sort(), ['only_of_optional', 'unreachable']);
    using collection = Collection.load(object);
    t.notMatch(xlated(collection, 'custom_sections'), /unreachable|only_of_optional/);
    t.end();
  });
  t.end();
});

t.test('maps that say more than type, key and value', (t) => {
  using collection = load('maps');
  t.equal(run(collection, 'bloom_filter'), 0);
  t.equal(collection.map('bloom').info().extra, 3n, 'map_extra is the number of hash functions');
  t.equal(run(collection, 'node_and_tags'), 0);
  t.equal(collection.map('on_node').info().flags & 4, 4, 'BPF_F_NUMA_NODE');
  t.same([...collection.map('on_node').entries()], [[3, 4]]);
  t.same([...collection.map('tagged').entries()], [[{ address: 0x7f000001, port: 53 }, 1500n]]);
  t.equal(run(collection, 'queues'), 0);
  t.equal(run(collection, 'inner_maps'), 0);
  t.same([...collection.map('ingress').entries()], [[2, { address: 9, port: 10 }]]);
  t.same([...collection.map('egress').entries()], [[6, { address: 9, port: 10 }]]);
  t.equal(collection.map('long_array').get(999), 77);
  t.test('declaration tags are in the BTF that the kernel has', (t) => {
    const btf = readProgramBtf(collection.program('node_and_tags'));
    if (!btf) throw new Error('the program has no BTF');
    const tags = [...btf.ids()].map((id) => btf.type(id)).filter((type) => type.kind === 'decl_tag');
    t.same(tags.map((tag) => tag.name).sort(), ['a flow', 'kept by the reader', 'network order']);
    t.end();
  });
  t.test('tail calls out of functions go as deep as the kernel goes', (t) => {
    for (const depth of [1, 5, 33]) {
      collection.variable('steps').set(0);
      collection.variable('depth').set(depth);
      t.equal(run(collection, 'chain'), 0, `${depth} programs, one after the other`);
    }
    collection.variable('steps').set(0);
    collection.variable('depth').set(35);
    t.ok(run(collection, 'chain') > 0, 'the 34th call falls through (MAX_TAIL_CALL_CNT)');
    t.equal(collection.variable('steps').get(), 34);
    t.end();
  });
  t.test('a NUMA node that the machine lacks is refused by the kernel', (t) => {
    const object = open('maps');
    object.map('on_node').numaNode = 63;
    t.equal(
      thrown(() => Collection.load(object)).message,
      'Cannot create map on_node: bpf(BPF_MAP_CREATE) failed with EINVAL (invalid argument)',
    );
    t.end();
  });
  t.end();
});

t.test('spin locks and objects of the program', (t) => {
  using collection = load('objects');
  t.equal(run(collection, 'spin_lock'), 0);
  t.match(collection.map('counters').get(1), { up: 3, down: 0xffff_fffd });
  t.equal(run(collection, 'exchange'), 0);
  t.match(collection.map('slots').get(7), { generation: 2 });
  t.equal(run(collection, 'linked_list'), 0);
  t.equal(run(collection, 'red_black_tree'), 0);
  t.end();
});

t.test('timers and work queues run later', async (t) => {
  using collection = load('later');
  t.equal(run(collection, 'timer'), 0);
  await until(() => collection.variable('fired').get() === 3);
  t.equal(collection.variable('last_key').get(), 5);
  t.match(collection.map('alarms').get(5), { rounds: 3 });
  t.equal(run(collection, 'work_queue'), 0);
  await until(() => collection.variable('worked').get() === 31);
});

t.test('storage of a task, a socket, a control group', (t) => {
  using collection = load('storage');
  t.equal(call(collection, 'task_storage'), 0);
  t.ok(call(collection, 'task_storage') > 0, 'the second time it is there');
  t.equal(run(collection, 'socket_storage'), 0);
  let cgroup: string;
  try {
    cgroup = makeCgroup('features');
  } catch (error) {
    t.comment(`SKIP cgroup storage: ${String(error)}`);
    t.end();
    return;
  }
  try {
    // The inode of a cgroup's folder is its id.
    collection.variable('cgroup_id').set(statSync(cgroup, { bigint: true }).ino);
    t.equal(call(collection, 'cgroup_storage'), 0);
    t.equal(call(collection, 'cgroup_storage'), 0);
  } finally {
    rmdirSync(cgroup);
  }
  t.equal(call(collection, 'cgroup_storage') > 0, true, 'the control group is gone');
  t.end();
});

/** Writes records as user space does: the producer's page and the data after the consumer's page. */
function produce(map: BpfMap, records: readonly [kind: number, amount: number][]): void {
  const kernel = systemKernel();
  const { pageSize } = kernel;
  using memory = kernel.mmap({
    fd: map.fd.value,
    length: pageSize + 2 * map.maxEntries,
    offset: pageSize,
    writable: true,
  });
  const view = memory.dataView;
  let position = view.getBigUint64(0, true);
  for (const [kind, amount] of records) {
    const at = pageSize + Number(position % BigInt(map.maxEntries));
    view.setUint32(at, 8, true);
    view.setUint32(at + 4, 0, true);
    view.setUint32(at + 8, kind, true);
    view.setUint32(at + 12, amount, true);
    position += 16n;
  }
  view.setBigUint64(0, position, true);
}

t.test('messages', (t) => {
  using collection = load('messages');
  t.test('of user space are drained by a syscall program', (t) => {
    const orders = collection.map('orders');
    t.equal(orders.maxEntries, 8192, '5000 bytes become two pages');
    const answer = new Uint8Array(8);
    t.equal(call(collection, 'drain', answer), 0);
    t.same(new Uint32Array(answer.buffer), Uint32Array.of(0, 0));
    produce(orders, [
      [1, 100],
      [2, 200],
      [9, 1],
      [1, 7],
    ]);
    t.equal(call(collection, 'drain', answer), 0);
    t.same(new Uint32Array(answer.buffer), Uint32Array.of(3, 301), 'the third said stop');
    t.equal(collection.variable('total').get(), (12n << 32n) + 301n);
    t.equal(call(collection, 'drain', answer), 0);
    t.same(new Uint32Array(answer.buffer), Uint32Array.of(1, 7));
    t.equal(collection.variable('drained').get(), 4);
    t.end();
  });
  t.test('through dynamic pointers', (t) => {
    for (const program of ['dynptr_of_memory', 'dynptr_of_packet', 'dynptr_of_ring']) {
      t.equal(run(collection, program), 0, program);
    }
    const bytes = collection.map('memory').get(0) as Uint8Array;
    t.equal(Buffer.from(bytes.subarray(8, 16)).toString('hex'), '8877665544332211');
    using ring = collection.events('answers', { struct: 'message' });
    const events: unknown[] = [];
    ring.drain((event) => {
      events.push(event);
    });
    t.same(events, [{ kind: 4, amount: 5 }]);
    t.end();
  });
  t.test('a syscall program may sleep on memory of its caller', (t) => {
    const source = Uint8Array.from({ length: 16 }, (_, index) => index * 2);
    const request = new Uint8Array(16);
    const view = new DataView(request.buffer);
    view.setBigUint64(0, systemKernel().addressOf(source), true);
    view.setUint32(8, source.length, true);
    t.equal(call(collection, 'copies_from_user', request), 0);
    t.equal(view.getUint32(12, true), 240);
    view.setBigUint64(0, 8n, true);
    t.ok(call(collection, 'copies_from_user', request) > 0, 'an address that is none');
    const made = new Uint8Array(8);
    t.equal(call(collection, 'makes_a_map', made), 0);
    const descriptor = new DataView(made.buffer).getUint32(4, true);
    t.ok(openDescriptors().includes(`${descriptor} anon_inode:bpf-map`));
    t.equal(systemKernel().close(descriptor), 0);
    t.end();
  });
  t.end();
});

t.test('exceptions', (t) => {
  using collection = load('exceptions');
  t.equal(run(collection, 'throws'), 1033, 'what the callback makes of the cookie');
  t.equal(collection.variable('caught').get(), 1);
  t.equal(run(collection, 'throws_nothing'), 0);
  t.equal(run(collection, 'throws_without_callback'), 35, 'the cookie itself');
  t.equal(collection.variable('caught').get(), 1);
  t.match(xlated(collection, 'throws'), /int handler\(/);
  t.equal(run(collection, 'cannot_throw'), 0);
  const refusals: [program: string, message: string][] = [
    [
      'two_callbacks',
      'Cannot link two_callbacks: it names several exception callbacks, handler and other_handler',
    ],
    [
      'unknown_callback',
      'Cannot link unknown_callback: its exception callback nowhere is no function of .text',
    ],
  ];
  for (const [program, message] of refusals) {
    t.equal(thrown(() => load('exceptions', { programs: [program] })).message, message);
  }
  t.end();
});

t.test('tags of arguments reach the verifier', (t) => {
  using collection = load('arguments');
  t.equal(run(collection, 'tagged'), 0);
  t.equal(call(collection, 'trusted'), 0);
  t.match(
    thrown(() => load('arguments', { programs: ['untagged'] })),
    { code: 'VERIFIER_REFUSED', errnoName: 'EACCES', summary: "R1 invalid mem access 'mem_or_null'" },
  );
  t.end();
});

t.test('nothing of all this stays open', (t) => {
  t.same(openDescriptors(), before);
  t.end();
});
