/** The loader on the kernel: programs that check what they find, libbpf's own load of the same objects, refusals. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { InstructionView, LOAD_IMMEDIATE_64 } from '../../src/asm/index.ts';
import { MapIncompatibleError, VerifierError } from '../../src/errors.ts';
import { attachXdp, BpfMap, BpfProgram, Collection, MapType, ObjectFile } from '../../src/index.ts';
import { readLoadedProgram } from '../../src/inspect/index.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { profiled } from '../helpers/profiled.ts';
import { thrown } from '../helpers/thrown.ts';
import { withVethPair } from '../helpers/veth.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() : 'loading programs needs root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const compiler = new Compiler();
t.teardown(() => {
  compiler.close();
});
const packet = new Uint8Array(64);

/** What a program returns on a packet of zeros: 0, or the line of the check that failed. */
function run(collection: Collection, program: string): number {
  return collection.program(program).testRun({ data: packet }).returnValue;
}

function load(path: string, edit: (object: ObjectFile) => void = () => undefined): Collection {
  const object = ObjectFile.open(path);
  edit(object);
  return Collection.load(object);
}

/** Verified one round after the other, which takes many times the pause between two samples of a profiler. */
const longLoop = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("xdp") int rounds(struct xdp_md *context)
{
	volatile int done = 0;
	for (int round = 0; round < 20000; round++)
		done = round;
	return done;
}
char _license[] SEC("license") = "GPL";
`;

t.test('a program is loaded while a profiler interrupts the verifier', async (t) => {
  const path = compiler.source('long-loop', longLoop);
  const samples = await profiled(() => {
    for (let load = 0; load < 5; load++) {
      using collection = Collection.load(ObjectFile.open(path));
      t.equal(run(collection, 'rounds'), 19999);
    }
  });
  t.ok(samples > 10, 'samples were taken');
});

t.test('global variables of .rodata, .data, .bss and sections of their own', (t) => {
  const path = compiler.fixture('globals');

  t.test('start as the file says', (t) => {
    using collection = load(path);
    t.equal(run(collection, 'initial'), 0);
    t.equal(collection.variable('limit').get(), 7);
    t.equal(collection.variable('greeting').get(), 'hello');
    t.same(collection.variable('initial_pair').get(), { small: 9, large: 10n });
    t.equal(collection.variable('hidden').get(), 99);
    t.end();
  });

  t.test('start as they were set before loading', (t) => {
    using collection = load(path, (object) => {
      const values = {
        limit: 0xffff_ffff,
        greeting: 'bye',
        constant_pair: { small: 2, large: 2n ** 64n - 1n },
        unset_constant: 1n << 63n,
        counter: 1,
        negative: -(1n << 62n),
        table: [10, 20, 30, 40, 50],
        zeroed: 5n,
        zeroed_bytes: Uint8Array.from({ length: 100 }, (_, index) => index + 1),
        hidden: 100,
        custom: 27,
        custom_constant: 28,
      };
      for (const [name, value] of Object.entries(values)) {
        object.variable(name).set(value);
        t.same(object.variable(name).get(), value);
      }
    });
    t.equal(run(collection, 'preset'), 0);
    t.end();
  });

  t.test('are read and written while the program runs', (t) => {
    using collection = load(path);
    collection.variable('zeroed').set(1_234_567_890_123n);
    collection.variable('initial_pair').set({ small: 1, large: 77n });
    collection.variable('table').set([0, 0, 333, 0, 0]);
    for (const round of [1, 2]) {
      t.equal(run(collection, 'live'), 0);
      t.equal(collection.variable('counter').get(), 41 + round);
      t.equal(collection.variable('negative').get(), BigInt(-5 - 10 * round));
      t.same(collection.variable('initial_pair').get(), { small: 200, large: 77n });
      t.equal(collection.variable('zeroed').get(), 0xffff_ffff_ffff_fff0n);
      t.equal((collection.variable('zeroed_bytes').get() as Uint8Array)[7], 0xab);
      t.equal(collection.variable('custom').get(), 17 + round);
      collection.variable('zeroed').set(1_234_567_890_123n);
    }
    t.equal(
      thrown(() => {
        collection.variable('limit').set(8);
      }).message,
      'Cannot set limit: .rodata is read-only once loaded',
    );
    const late = collection.variable('counter');
    t.equal(late.typeName, '__u32');
    collection.close();
    t.equal(thrown(() => late.get()).code, 'CLOSED');
    t.equal(
      thrown(() => {
        late.set(1);
      }).code,
      'CLOSED',
    );
    t.end();
  });

  t.test('live in sections of zeros with a name of their own too', (t) => {
    const text = `#include "check.h"
      int zeros[3] SEC(".bss.mine"); static volatile int second SEC(".bss.mine");
      SEC("xdp") int check(struct xdp_md *ctx) { CHECK(zeros[1] == 4); second = 8; return 0; }
      char _license[] SEC("license") = "GPL";`;
    using collection = load(compiler.source('zeros', text), (object) => {
      object.variable('zeros').set([0, 4, 0]);
    });
    t.equal(run(collection, 'check'), 0);
    t.equal(collection.variable('second').get(), 8);
    t.equal(collection.map('.bss.mine').info().name, '.bss.mine');
    t.end();
  });
  t.end();
});

t.test('calls of static and global functions, at any depth, and callbacks', (t) => {
  using collection = load(compiler.fixture('calls'));
  t.same(
    [...collection.programs.keys()],
    [
      'static_functions',
      'global_functions',
      'callbacks',
      'each_element',
      'called_program',
      'no_functions',
      'a_name_longer_than_the_kernel_keeps',
    ],
  );
  for (const program of collection.programs.keys()) {
    // The socket filter returns the packet's length, plus 1000; the run takes the Ethernet header away from it.
    const expected = program.startsWith('a_name') ? packet.length - 14 + 1000 : 0;
    t.equal(run(collection, program), expected, program);
  }
  const long = collection.program('a_name_longer_than_the_kernel_keeps');
  t.equal(long.info().name, 'a_name_longer_t');
  t.equal(long.name, 'a_name_longer_than_the_kernel_keeps');
  t.end();
});

t.test('maps and programs that the object puts into maps', (t) => {
  const path = compiler.fixture('maps');
  t.test('are there when the programs run', (t) => {
    using collection = load(path);
    t.equal(run(collection, 'inner_maps'), 0);
    t.equal(collection.map('first').get(0), 101);
    t.equal(collection.map('second').get(0), 103);
    t.equal(run(collection, 'tail_call'), 4712);
    t.equal(run(collection, 'fill'), 0);
    t.equal(collection.map('ring').maxEntries, 8192, 'a ring of 5000 bytes becomes one of two pages');
    t.equal(collection.map('perf').maxEntries, collection.map('perf').kernel.possibleCpus());
    t.end();
  });
  t.test('leave the slot of a program empty that was left out', (t) => {
    using collection = load(path, (object) => {
      object.program('left_out').autoload = false;
    });
    t.equal(run(collection, 'tail_call'), 4711);
    t.equal(collection.variable('tail_runs').get(), 1);
    t.end();
  });
  t.test('may be resized and replaced before they are created', (t) => {
    using numbers = BpfMap.create({ type: MapType.Array, keySize: 4, valueSize: 8, maxEntries: 9 });
    using first = load(path, (object) => {
      object.map('numbers').maxEntries = 9;
      object.map('ring').maxEntries = 3 * 65536;
      for (const program of object.programs.values()) program.autoload = program.name === 'inner_maps';
    });
    t.equal(first.map('numbers').info().maxEntries, 9);
    t.equal(first.map('ring').info().maxEntries, 4 * 65536);
    const object = ObjectFile.open(path);
    object.map('numbers').maxEntries = 9;
    object.map('ring').maxEntries = 8192;
    const second = Collection.load(object, { maps: new Map([['numbers', numbers]]) });
    t.equal(run(second, 'fill'), 0);
    second.close();
    t.equal(numbers.closed, false, 'a map that was given stays open');
    const key = new Uint8Array(Uint32Array.of(1).buffer);
    t.same(numbers.get(key), Uint8Array.of(0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11));
    t.end();
  });
  t.test('are refused where they do not fit, with every difference', (t) => {
    using other = BpfMap.create({ type: MapType.Hash, keySize: 8, valueSize: 12, maxEntries: 5, flags: 1 });
    const before = openDescriptors();
    const error = thrown(() =>
      Collection.load(ObjectFile.open(path), { maps: new Map([['numbers', other]]) }),
    );
    t.equal(
      error.message,
      'Cannot use the existing map for numbers: type is hash, not array; key size is 8, not 4; ' +
        'value size is 12, not 8; max entries is 5, not 4; flags is 0x1, not 0x0',
    );
    t.ok(error instanceof MapIncompatibleError);
    if (error instanceof MapIncompatibleError) {
      t.same(
        error.differences.map(({ property }) => property),
        ['type', 'key size', 'value size', 'max entries', 'flags'],
      );
    }
    t.same(openDescriptors(), before);
    t.equal(other.closed, false);
    t.end();
  });
  t.end();
});

t.test('kernel functions', async (t) => {
  const path = compiler.fixture('kernel-functions');
  using collection = load(path);
  t.equal(run(collection, 'present'), 0);
  t.equal(run(collection, 'absent'), 0);
  const only = (program: string) => (object: ObjectFile) => {
    for (const spec of object.programs.values()) spec.autoload = spec.name === program;
  };
  t.equal(
    thrown(() => load(path, only('strong_and_absent'))).message,
    'Cannot load program strong_and_absent: it refers to ts_xdp_no_such_function_either, ' +
      'and this kernel has no function of that name that BPF may call',
  );
  const reachable = thrown(() => load(path, only('reachable_and_absent')));
  t.match(
    reachable.message,
    /^Cannot load program reachable_and_absent: it calls ts_xdp_no_such_function, and this kernel has no function of that name that BPF may call \(at /,
  );

  await t.test('that read metadata are absent, unless the program is bound to a device', async (t) => {
    using unbound = load(path, only('bound'));
    t.equal(run(unbound, 'bound'), 1);
    await withVethPair(
      ({ receiver }) => {
        using bound = load(path, (object) => {
          only('bound')(object);
          object.program('bound').deviceBound = receiver.index;
        });
        const xlated = execFileSync(
          'bpftool',
          ['prog', 'dump', 'xlated', 'id', String(bound.program('bound').id)],
          { encoding: 'utf8' },
        );
        t.match(xlated, /call .*veth_xdp_rx_hash|call kernel-function/);
        using attachment = attachXdp(bound.program('bound'), { interface: receiver.index });
        t.equal(attachment.mode, 'native');
        using clone = unbound.cloneProgram('bound', { deviceBound: receiver.index });
        t.not(clone.id, unbound.program('bound').id);
        attachment.close();
        using cloned = attachXdp(clone, { interface: receiver.index });
        t.equal(cloned.mode, 'native');
        t.equal(unbound.object.program('bound').deviceBound, undefined, 'the object is as it was');
      },
      { namespace: 'current' },
    );
  });
});

t.test('a program is loaded once more, with the maps of the first', (t) => {
  const descriptors = openDescriptors();
  const collection = load(compiler.fixture('globals'), (object) => {
    object.program('initial').autoload = false;
  });
  const clones = [collection.cloneProgram('live'), collection.cloneProgram('initial')];
  const [live, initial] = clones as [BpfProgram, BpfProgram];
  t.not(live.id, collection.program('live').id);
  const tags = [live, collection.program('live')].map(({ kernel, fd }) => readLoadedProgram(kernel, fd).tag);
  t.equal(tags[0], tags[1]);
  t.equal(initial.testRun({ data: packet }).returnValue, 0, 'it had not been loaded');
  collection.variable('zeroed').set(1234567890123n);
  collection.variable('initial_pair').set({ small: 9, large: 77n });
  collection.variable('table').set([1, 2, 333, 4, 5]);
  t.equal(live.testRun({ data: packet }).returnValue, 0);
  t.equal(collection.variable('counter').get(), 42);
  t.same(thrown(() => collection.cloneProgram('lively')).code, 'PROGRAM_NOT_FOUND');
  for (const owned of [...clones, collection]) owned.close();
  t.same(openDescriptors(), descriptors);

  using tails = load(compiler.fixture('maps'));
  const slots = [...tails.maps.values()].filter(({ type }) => type === MapType.ProgramArray);
  t.ok(slots.length > 0);
  const before = slots.map((map) => [...map.entries()]);
  for (const name of tails.programs.keys()) tails.cloneProgram(name).close();
  t.same(
    slots.map((map) => [...map.entries()]),
    before,
    "a clone takes nobody's place",
  );
  t.end();
});

t.test('what the kernel has of an object is what it has from libbpf', (t) => {
  const bpffs = mkdtempSync(join(tmpdir(), 'ts-xdp-bpffs-'));
  execFileSync('mount', ['-t', 'bpf', 'bpf', bpffs]);
  t.teardown(() => {
    execFileSync('umount', [bpffs]);
    rmdirSync(bpffs);
  });
  for (const fixture of ['globals', 'calls', 'maps', 'events']) {
    t.test(fixture, (t) => {
      const path = compiler.fixture(fixture, { name: `${fixture}.of.test.bpf.o` });
      mkdirSync(join(bpffs, fixture));
      const pins = join(bpffs, fixture, 'programs');
      execFileSync('bpftool', ['prog', 'loadall', path, pins], { stdio: ['ignore', 'ignore', 'ignore'] });
      using collection = load(path);
      t.ok(collection.programs.size > 1);
      const all = { programs: showAll('prog'), maps: showAll('map') };
      for (const [name, program] of collection.programs) {
        using pinned = BpfProgram.fromPin(join(pins, name));
        t.same(describeProgram(program.id, all), describeProgram(pinned.id, all), `program ${name}`);
        t.same(verified(program), verified(pinned), `instructions and lines of ${name}`);
      }
      const btf = (id: number): string[] =>
        bpftool(['btf', 'dump', 'id', String(all.programs.get(id)?.btf_id)]);
      const [name = ''] = collection.programs.keys();
      using pinned = BpfProgram.fromPin(join(pins, name));
      // The longest way to look, and the one that is not ours.
      const dump = (id: number): string[] => bpftool(['prog', 'dump', 'xlated', 'id', String(id), 'linum']);
      t.same(dump(collection.program(name).id), dump(pinned.id), 'by the word of bpftool');
      t.same(btf(collection.program(name).id), btf(pinned.id), 'BTF');
      t.end();
    });
  }
  t.end();
});

t.test('lines of a function are known inside its callers', (t) => {
  using collection = load(compiler.fixture('calls'));
  const id = String(collection.program('global_functions').id);
  const dump = bpftool(['prog', 'dump', 'xlated', 'id', id, 'linum']);
  t.ok(dump.some((line) => line.includes('return value * 2') && line.includes('calls.bpf.c')));
  t.same(
    dump.filter((line) => /^\w.*\):$/.test(line)).map((line) => /(\w+)\(/.exec(line)?.[1]),
    ['global_functions', 'deep', 'global_calls_static', 'four_times', 'twice', 'add_to'],
  );
  t.end();
});

t.test('what the verifier refuses', (t) => {
  const path = compiler.fixture('refused');
  const refusal = (program: string): VerifierError => {
    const error = thrown(() =>
      load(path, (object) => {
        object.program(program).autoload = true;
      }),
    );
    if (error instanceof VerifierError) return error;
    throw error;
  };
  const before = openDescriptors();

  t.test('is told in one line, with the line of C', (t) => {
    const error = refusal('out_of_bounds');
    t.equal(error.summary, 'R1 offset is outside of the packet');
    t.match(error.place, /refused\.bpf\.c:\d+: return data\[20\];$/);
    t.equal(error.message, `Cannot load program out_of_bounds: ${error.summary} (at ${error.place ?? ''})`);
    t.equal(error.errnoName, 'EACCES');
    t.match(error.log, /processed \d+ insns/);
    t.end();
  });
  t.test('has its whole log, however long', (t) => {
    const { log, summary } = refusal('long_log');
    t.ok(log.length > 128 * 1024, `${log.length} bytes are more than the first two buffers`);
    t.match(log, /^(.*\n)?0: R1=ctx\(\)/, 'it begins with the first instruction');
    t.match(log, /processed \d+ insns .*\n$/, 'it ends with the last line');
    t.equal(log.match(/\+= 1 /g)?.length, 4096, 'every instruction is in it');
    t.equal(summary, "R1 invalid mem access 'scalar'");
    t.end();
  });
  t.test('before it is verified, too', (t) => {
    t.equal(
      thrown(() =>
        load(path, (object) => {
          object.program('no_type').autoload = true;
        }),
      ).message,
      'Cannot load program no_type: its section name ?no/such/section says no program type',
    );
    t.end();
  });
  t.same(openDescriptors(), before);
  t.end();
});

interface ShownProgram {
  id: number;
  name: string;
  btf_id: number;
  map_ids?: number[];
  [field: string]: unknown;
}

/** By id. Each call of bpftool looks through all processes, so it is asked for everything at once. */
function showAll(kind: 'prog' | 'map'): ReadonlyMap<number, ShownProgram> {
  const all = JSON.parse(bpftool(['-j', kind, 'show']).join('\n')) as ShownProgram[];
  return new Map(all.map((one) => [one.id, one]));
}

/** What bpftool shows of a program and its maps, less what differs between two loads of anything. */
function describeProgram(
  id: number,
  all: { programs: ReadonlyMap<number, ShownProgram>; maps: ReadonlyMap<number, ShownProgram> },
): unknown {
  const program = all.programs.get(id);
  if (program === undefined) throw new Error(`bpftool shows no program ${id}`);
  const { id: _id, loaded_at: _at, btf_id, bytes_jited: _jited, map_ids = [], ...facts } = program;
  const maps = map_ids.map((id) => {
    const map = all.maps.get(id);
    if (map === undefined) throw new Error(`bpftool shows no map ${id}`);
    // A program array shows its owner; pids come and go.
    const { id: _mapId, btf_id: mapBtf, pids: _pids, ...shown } = map;
    return { ...shown, hasBtf: (mapBtf as number | undefined) !== undefined };
  });
  const { pids: _pids, pinned: _pinned, ...rest } = facts;
  return { ...rest, hasBtf: btf_id > 0, maps };
}

/** What the verifier left of a program, less the ids of maps. */
function verified({ kernel, fd }: BpfProgram): unknown {
  const { functions, lines, maps, instructions } = readLoadedProgram(kernel, fd);
  const view = new InstructionView(instructions, true);
  const texts = Array.from({ length: view.count }, (_, index) => {
    const { immediate, ...rest } = view.get(index);
    const isMap = rest.opcode === LOAD_IMMEDIATE_64 && rest.source !== 0;
    return { ...rest, immediate: isMap ? maps.get(immediate) : immediate };
  });
  return { functions, lines, texts };
}

/** Its lines, without ids and addresses. */
function bpftool(args: string[]): string[] {
  return execFileSync('bpftool', args, { encoding: 'utf8', maxBuffer: 1 << 26 })
    .split('\n')
    .map((line) => line.replace(/map\[id:\d+\]/g, 'map[id]').replace(/bpf_prog_[0-9a-f]+_/g, 'bpf_prog_'));
}
