/** Structs of the kernel that an object implements: registered for real, run, and refused by name. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { UnsupportedFeatureError } from '../../src/errors.ts';
import { Collection, ObjectFile } from '../../src/index.ts';
import { verifyObject } from '../../src/loader/index.ts';
import { errno, systemKernel } from '../../src/sys/index.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { isKernelBefore } from '../helpers/lacking.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { thrown } from '../helpers/thrown.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() : 'loading programs needs root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const compiler = new Compiler({ fixtures: 'features', flags: ['-mcpu=v3'] });
t.teardown(() => {
  compiler.close();
});
/** Of the congestion control: the kernel keeps 15 characters. */
const name = 'tx_ops';
const path = compiler.fixture('struct-ops', { flags: [`-DNAME="${name}"`] });
const before = openDescriptors();
const key = new Uint8Array(4);
/** The object has maps of .struct_ops.link. */
const noLinks = isKernelBefore('6.4') && 'links for struct_ops came with Linux 6.4';

function registered(): string[] {
  return readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'utf8').trim().split(' ');
}

function register(collection: Collection, map: string): void {
  collection.map(map).setBytes(key, collection.structOpsValue(map));
}

t.test('what the object says of its maps', (t) => {
  const object = ObjectFile.open(path);
  const facts = [...object.maps.values()]
    .filter(({ structOps }) => structOps !== undefined)
    .map((map) => [map.name, map.flags, map.autocreate, [...(map.structOps?.programs.values() ?? [])]]);
  t.same(facts.sort(), [
    ['dummy', 0, true, ['test_1', 'test_2', 'test_sleepable']],
    ['linked', 0x2000, true, ['undo_cwnd', 'ssthresh', 'cong_avoid']],
    ['optional', 0, false, ['ssthresh', 'cong_avoid', 'other_undo_cwnd']],
    ['optional_linked', 0x2000, false, ['ssthresh']],
    ['plain', 0, true, ['ssthresh', 'cong_avoid', 'undo_cwnd']],
  ]);
  t.end();
});

t.test(
  'a map of .struct_ops is registered by writing to it and unregistered by deleting',
  { skip: noLinks },
  (t) => {
    using collection = Collection.load(ObjectFile.open(path));
    t.same(
      [...collection.structOpsValue('plain').slice(0, 8)],
      [0, 0, 0, 0, 0, 0, 0, 0],
      'the kernel counts there',
    );
    t.notOk(registered().includes(name));
    register(collection, 'plain');
    t.ok(registered().includes(name));
    t.match(
      thrown(() => {
        register(collection, 'plain');
      }),
      { errnoName: 'EBUSY' },
      'twice is once too often',
    );
    t.equal(collection.map('plain').delete(key), true);
    t.notOk(registered().includes(name));
    t.end();
  },
);

t.test(
  'a map of .struct_ops.link takes its value, and is registered by a link alone',
  { skip: noLinks },
  (t) => {
    using collection = Collection.load(ObjectFile.open(path));
    t.equal(collection.map('linked').info().flags & 0x2000, 0x2000, 'BPF_F_LINK');
    register(collection, 'linked');
    t.notOk(registered().includes(`${name}_link`));
    const { size } = new Set([
      collection.structOpsValue('linked').length,
      collection.structOpsValue('plain').length,
    ]);
    t.equal(size, 1, "both have the kernel's layout, whatever the flavour's");
    const text = (map: string): string => Buffer.from(collection.structOpsValue(map)).toString('latin1');
    t.equal(text('linked').indexOf(`${name}_link`), text('plain').indexOf(name));
    t.equal(
      thrown(() => collection.structOpsValue('optional')).message,
      'Cannot find map optional: struct_ops has none of that name',
    );
    t.end();
  },
);

t.test('programs come and go with the maps that name them', { skip: noLinks }, (t) => {
  const object = ObjectFile.open(path);
  const usual = ['ssthresh', 'cong_avoid', 'undo_cwnd', 'test_1', 'test_2', 'test_sleepable'];
  using collection = Collection.load(object);
  t.same([...collection.programs.keys()], usual);
  t.notOk(collection.maps.has('optional'));
  object.map('optional').autocreate = true;
  object.map('dummy').autocreate = false;
  using edited = Collection.load(object);
  t.same([...edited.programs.keys()], ['ssthresh', 'cong_avoid', 'undo_cwnd', 'other_undo_cwnd']);
  register(edited, 'optional');
  t.ok(registered().includes(`${name}_opt`));
  t.equal(edited.map('optional').delete(key), true);
  t.notOk(registered().includes(`${name}_opt`));
  t.equal(
    thrown(() => Collection.load(ObjectFile.open(path), { programs: ['other_undo_cwnd'] })).message,
    'Cannot load program other_undo_cwnd: its section is struct_ops, and no struct_ops map that is created refers to it',
  );
  t.end();
});

t.test('programs of a struct run with the arguments of its members', { skip: noLinks }, (t) => {
  using collection = Collection.load(ObjectFile.open(path));
  const state = Uint8Array.of(5, 0, 0, 0);
  const context = new BigUint64Array([systemKernel().addressOf(state)]);
  const first = collection.program('test_1').testRun({ context: new Uint8Array(context.buffer) });
  t.equal(first.returnValue, 0);
  t.equal(state[0], 6, 'the program wrote into the state');
  const args = new BigUint64Array([systemKernel().addressOf(state), 11n, 22n, 33n, 44n]);
  t.equal(collection.program('test_2').testRun({ context: new Uint8Array(args.buffer) }).returnValue, 0);
  t.same(collection.variable('seen').get(), [0n, 11n, 22n, 33n, 44n]);
  t.end();
});

const license = 'char _license[] SEC("license") = "GPL";';
const program = 'SEC("struct_ops") __u32 entry(__u64 *ctx) { return 2; }';
const congestion = (members: string, values: string): string =>
  `struct tcp_congestion_ops { ${members} };
   ${program}
   SEC(".struct_ops") struct tcp_congestion_ops ops = { ${values} };`;

const refusals: [what: string, text: string, message: string, code?: string][] = [
  [
    'a member that the kernel lacks, and that is set',
    congestion('__u32 made_up; __u32 (*ssthresh)(void *);', '.made_up = 1, .ssthresh = (void *)entry'),
    "Cannot create map ops: this kernel's struct tcp_congestion_ops has no member made_up, and it is set",
  ],
  [
    'a member of another kind',
    congestion('void *flags; __u32 (*ssthresh)(void *);', '.ssthresh = (void *)entry'),
    "Cannot create map ops: its member flags is a pointer, and the kernel's a int",
  ],
  [
    'a member of another size',
    congestion('char name[8]; __u32 (*ssthresh)(void *);', '.ssthresh = (void *)entry'),
    "Cannot create map ops: its member name has 8 bytes, and the kernel's 16",
  ],
  [
    'a bitfield',
    congestion('__u32 flags : 4; __u32 (*ssthresh)(void *);', '.ssthresh = (void *)entry'),
    'Cannot create map ops: its member flags is a bitfield, which struct_ops cannot have',
  ],
  [
    'a function where the kernel has other data',
    congestion('__u32 (*owner)(void *);', '.owner = (void *)entry'),
    "Cannot create map ops: its member owner is a function, and the kernel's is none",
  ],
  [
    'a struct that no BPF program may implement',
    `struct ts_xdp_ops { __u32 (*entry)(void *); };
     ${program}
     SEC(".struct_ops") struct ts_xdp_ops ops = { .entry = (void *)entry };`,
    'Cannot create map ops: this kernel lets no BPF program implement struct ts_xdp_ops (struct_ops came with Linux 5.6)',
    'UNSUPPORTED_FEATURE',
  ],
  [
    'a program of another kind',
    `struct tcp_congestion_ops { __u32 (*ssthresh)(void *); };
     SEC("xdp") int entry(struct xdp_md *ctx) { return 2; }
     SEC(".struct_ops") struct tcp_congestion_ops ops = { .ssthresh = (void *)entry };`,
    'Cannot create map ops: program entry is of section xdp, not struct_ops',
  ],
  [
    'a program that no map names',
    program,
    'Cannot load program entry: its section is struct_ops, and no struct_ops map that is created refers to it',
  ],
  [
    'a program that is two members',
    congestion(
      '__u32 (*ssthresh)(void *); __u32 (*undo_cwnd)(void *);',
      '.ssthresh = (void *)entry, .undo_cwnd = (void *)entry',
    ),
    'Cannot load program entry: it implements different members of struct_ops maps',
  ],
  [
    'a pointer to something else than a program',
    `int number; struct tcp_congestion_ops { __u32 (*ssthresh)(void *); void *owner; };
     ${program}
     SEC(".struct_ops") struct tcp_congestion_ops ops = { .ssthresh = (void *)entry, .owner = &number };`,
    'Cannot read struct_ops map ops: its byte 8 is initialised and no function pointer',
  ],
  [
    'a value that is no struct',
    `${program} SEC(".struct_ops") int ops = 5;`,
    'Cannot read struct_ops map ops: its type is not a struct',
  ],
];

t.test('what cannot be is refused by name', (t) => {
  for (const [index, [what, text, message, code = 'OBJECT_INVALID']] of refusals.entries()) {
    const object = compiler.source(`refused-${index}`, `#include "check.h"\n${text}\n${license}`);
    const error = thrown(() => Collection.load(ObjectFile.open(object)));
    t.equal(error.message, message, what);
    t.equal(error.code, code, what);
    const unsupported = code === 'UNSUPPORTED_FEATURE';
    t.equal(error instanceof UnsupportedFeatureError, unsupported);
    if (!unsupported) continue;
    const { errno: number, refusedBy } = verifyObject(ObjectFile.open(object));
    t.same({ number, refusedBy }, { number: errno.ESRCH, refusedBy: 'loader' }, 'as libbpf answers');
  }
  t.end();
});

t.test('a kernel that refuses the value says so when it is written', (t) => {
  const text = congestion(
    'char name[16]; __u32 (*ssthresh)(void *);',
    '.name = "ts_xdp_partial", .ssthresh = (void *)entry',
  );
  const object = compiler.source('partial', `#include "check.h"\n${text}\n${license}`);
  using collection = Collection.load(ObjectFile.open(object));
  t.match(
    thrown(() => {
      register(collection, 'ops');
    }),
    { code: 'SYSCALL_FAILED', errnoName: 'EINVAL' },
    'tcp_congestion_ops need undo_cwnd and cong_avoid too',
  );
  t.notOk(registered().includes('ts_xdp_partial'));
  t.end();
});

t.test('nothing of all this stays open', (t) => {
  t.same(openDescriptors(), before);
  t.end();
});
