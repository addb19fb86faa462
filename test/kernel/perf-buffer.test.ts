/** Samples of perf buffers, made by a program whose numbers tell which are missing. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import t from 'tap';
import {
  BpfMap,
  Collection,
  MapType,
  ObjectFile,
  OverwritablePerfBuffer,
  PerfBuffer,
  UserRingBuffer,
} from '../../src/index.ts';
import { BlockingWait } from '../../src/sys/index.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { runOften } from '../helpers/test-runs.ts';
import { thrown } from '../helpers/thrown.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() : 'perf buffers need root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const SOURCE = `
#include "check.h"
struct event { __u32 number; __u32 cpu; __u64 square; __u32 tail; };
struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); __uint(key_size, 4); __uint(value_size, 4); } samples SEC(".maps");
struct event unused;
__u32 next, refused;
SEC("xdp") int emit(struct xdp_md *ctx)
{
	struct event event = {.number = next++, .cpu = bpf_get_smp_processor_id(), .tail = 0xabcd};
	event.square = (__u64)event.number * event.number;
	if (bpf_perf_event_output(ctx, &samples, BPF_F_CURRENT_CPU, &event, sizeof(event)) < 0)
		refused++;
	return unused.number;
}
char _license[] SEC("license") = "GPL";
`;

interface Event {
  readonly number: number;
  readonly cpu: number;
  readonly square: bigint;
  readonly tail: number;
}

const cpus = availableParallelism();

/** Programs run on the CPU that this thread is on. */
function onCpu(cpu: number, action: () => void): void {
  const stayOn = (list: string): void => {
    execFileSync('taskset', ['-pc', list, String(process.pid)], { stdio: 'ignore' });
  };
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  stayOn(String(cpu));
  try {
    action();
  } finally {
    stayOn(allowed);
  }
}

const compiler = new Compiler();
const before = openDescriptors();
const object = ObjectFile.open(compiler.source('perf', SOURCE));
const collection = Collection.load(object);
const packet = new Uint8Array(64);
const btf = object.btf!;
const typeId = btf.find('event', 'struct')!;
const run = (program: string, times: number): void => {
  runOften(collection.program(program), { data: packet, times });
};
t.teardown(() => {
  compiler.close();
});

t.test('samples as objects, around the end of a small ring many times', (t) => {
  const map = collection.map('samples');
  using buffer = PerfBuffer.typed(map, { btf, typeId, pagesPerCpu: 1 });
  const samples: Event[] = [];
  for (let round = 0; round < 60; round++) {
    run('emit', 50);
    buffer.drain(({ cpu, event }) => {
      t.equal((event as unknown as Event).cpu, cpu, 'the ring of its CPU');
      samples.push(event as unknown as Event);
    });
  }
  t.equal(samples.length, 3000);
  t.equal(buffer.lost, 0);
  t.ok(
    samples.every(({ number, square, tail }) => square === BigInt(number) ** 2n && tail === 0xabcd),
    'each whole',
  );
  t.equal(new Set(samples.map(({ number }) => number)).size, 3000, 'each once');
  let count = 0;
  run('emit', 20);
  t.equal(
    buffer.drain(() => count++, { limit: 7 }),
    7,
  );
  t.equal(
    buffer.drain(() => count++),
    13,
    'the others wait',
  );
  t.end();
});

t.test('samples that a full ring loses are counted', (t) => {
  const told: number[] = [];
  using buffer = PerfBuffer.bytes(collection.map('samples'), {
    pagesPerCpu: 1,
    onLost: ({ count }) => told.push(count),
  });
  collection.variable('refused').set(0);
  let read = 0;
  // The kernel tells of what is lost with the next sample that fits on the same CPU.
  onCpu(0, () => {
    run('emit', 1000);
    buffer.drain(({ event }) => {
      read++;
      t.equal(event.length, 28, 'padded so that it ends at 8 bytes');
    });
    t.ok(read < 1000);
    run('emit', 1);
  });
  buffer.drain(() => read++);
  t.equal(read + buffer.lost, 1001);
  t.equal(
    told.reduce((sum, count) => sum + count, 0),
    buffer.lost,
  );
  t.equal(collection.variable('refused').get(), buffer.lost);
  t.end();
});

t.test('listening and iterating', async (t) => {
  const map = collection.map('samples');
  const buffer = PerfBuffer.open(map, { decode: (record) => record.u32(0), batchSize: 8 });
  collection.variable('next').set(0);
  const heard: number[] = [];
  const stop = new AbortController();
  await new Promise<void>((resolve, reject) => {
    buffer.listen(
      ({ event }) => {
        heard.push(event);
        if (heard.length === 100) resolve();
      },
      { signal: stop.signal, onError: reject },
    );
    t.equal(
      thrown(() => {
        buffer.listen(() => undefined);
      }).message,
      'Cannot read perf buffer samples: it is being read already',
    );
    run('emit', 60);
    setTimeout(() => {
      run('emit', 40);
    }, 20);
  });
  t.same(
    heard.sort((left, right) => left - right),
    Array.from({ length: 100 }, (_, index) => index),
  );
  stop.abort();
  setTimeout(() => {
    run('emit', 5);
  }, 10);
  const taken: number[] = [];
  for await (const { event } of buffer) {
    taken.push(event);
    if (taken.length === 5) break;
  }
  t.same(taken, [100, 101, 102, 103, 104]);
  setTimeout(() => {
    buffer.close();
  }, 10);
  for await (const { event } of buffer) t.fail(`nothing more comes, but ${event}`);
  t.equal(thrown(() => buffer.drain(() => undefined)).code, 'CLOSED');
});

t.test('a loop that is slow leaves samples in the rings, where they are lost and counted', async (t) => {
  using buffer = PerfBuffer.bytes(collection.map('samples'), { pagesPerCpu: 1, batchSize: 8 });
  collection.variable('refused').set(0);
  run('emit', 1);
  let taken = 0;
  for await (const _sample of buffer) {
    taken++;
    // Meanwhile the event loop turns, and far more comes than the rings have room for.
    for (let turn = 0; taken === 1 && turn < 20; turn++) {
      run('emit', 500);
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (taken + Number(collection.variable('refused').get()) === 10_001) break;
  }
  // A page holds about 100 of them.
  t.ok(taken < 200 * cpus, `${taken} were kept`);
  t.end();
});

const oneCpu = cpus > 1 ? false : 'wants two CPUs';
t.test('a CPU that sends without end does not hold up the others', { skip: oneCpu }, (t) => {
  using buffer = PerfBuffer.open(collection.map('samples'), { decode: (record) => record.u32(0) });
  onCpu(0, () => {
    run('emit', 40);
  });
  onCpu(1, () => {
    run('emit', 1);
  });
  const heard = new Set<number>();
  for (let turn = 0; turn < 2; turn++) buffer.drain(({ cpu }) => heard.add(cpu), { limit: 8 });
  t.same([...heard], [0, 1]);
  t.end();
});

t.test('a flight recorder: the newest samples, newest first, whatever came before', (t) => {
  const map = collection.map('samples');
  const told: number[] = [];
  using recorder = OverwritablePerfBuffer.typed(map, {
    btf,
    typeId,
    pagesPerCpu: 1,
    onLost: ({ count }) => told.push(count),
  });
  const numbers = (limit = Number.POSITIVE_INFINITY): number[] =>
    recorder.latest({ limit }).map(({ event }) => (event as unknown as Event).number);
  const downFrom = (last: number, count: number): number[] =>
    Array.from({ length: count }, (_, index) => last - index);
  collection.variable('next').set(0);
  collection.variable('refused').set(0);
  onCpu(0, () => {
    t.same(numbers(), [], 'nothing yet');
    run('emit', 10);
    t.same(numbers(), downFrom(9, 10));
    t.same(numbers(), [], 'each once');
    // Records of 40 bytes: a page does not hold a whole number of them, so that some are in two pieces.
    run('emit', 95);
    t.same(numbers(), downFrom(104, 95), 'across the end of the ring');
    run('emit', 1000);
    const kept = numbers();
    t.same(kept, downFrom(1104, Math.floor(4096 / 40)), 'as many whole ones as the ring holds');
    run('emit', 50);
    t.same(numbers(3), [1154, 1153, 1152], 'the newest of them');
    t.same(numbers(), [], 'the others count as read');
    t.equal(collection.variable('refused').get(), 0, 'it is never full');

    recorder.pause();
    t.equal(recorder.paused, true);
    run('emit', 7);
    t.equal(collection.variable('refused').get(), 7);
    t.same(numbers(), []);
    recorder.resume();
    run('emit', 2);
    t.same(numbers(), downFrom(1163, 2));
    t.equal(recorder.lost, 7);
    t.same(told, [7]);
    let within: Error | undefined;
    run('emit', 2);
    recorder.read(({ cpu, event }) => {
      t.equal(cpu, 0);
      t.match(event, { square: BigInt((event as unknown as Event).number) ** 2n, tail: 0xabcd });
      within ??= thrown(() => recorder.latest());
      run('emit', 1);
      recorder.close();
    });
    t.equal(within?.message, 'Cannot read perf buffer samples from within its own callback');
  });
  t.match(
    thrown(() => recorder.latest()),
    { code: 'CLOSED', message: 'Cannot use the perf buffer samples: it is closed' },
  );
  t.end();
});

t.test('a perf buffer wakes as it is told to', (t) => {
  const map = collection.map('samples');
  const wakes = (wakeup: { events: number } | { bytes: number }, times: number): number => {
    using buffer = PerfBuffer.bytes(map, { wakeup });
    const set = BlockingWait.open([buffer.fd], 'samples');
    let woken = 0;
    onCpu(0, () => {
      for (let time = 0; time < times; time++) {
        run('emit', 1);
        if (set.wait(0)) woken++;
      }
    });
    set.close();
    t.equal(
      buffer.poll(() => undefined, { timeout: 0 }),
      times,
      'what wakes nobody can be read',
    );
    return woken;
  };
  t.equal(wakes({ events: 1 }, 12), 12);
  t.equal(wakes({ events: 4 }, 12), 3);
  t.equal(wakes({ bytes: 200 }, 12), 2, '40 bytes each: more than 200, and again');
  t.equal(
    thrown(() => PerfBuffer.bytes(map, { wakeup: { events: 0 } })).message,
    'Cannot use 0 as wakeup.events: an integer from 1 to 2147483647 is needed',
  );
  t.end();
});

t.test('what goes wrong while samples are read', (t) => {
  const map = collection.map('samples');
  using buffer = PerfBuffer.withCodec(map, {
    codec: { size: 8, typeName: 'struct short_event', read: () => 0 },
  });
  run('emit', 1);
  t.equal(
    thrown(() => buffer.drain(() => undefined)).message,
    'Cannot read a record of samples as struct short_event: the record has 28 bytes, the struct 8',
  );
  t.equal(
    buffer.drain(() => undefined),
    0,
    'it counts as read',
  );
  const cases: [() => unknown, string][] = [
    [
      () => PerfBuffer.bytes(map, { pagesPerCpu: 3 }),
      'Cannot use 3 pages for each CPU: a power of two is wanted',
    ],
    [
      () => PerfBuffer.bytes(collection.map('.bss')),
      'Cannot use map .bss as an array of perf events: its type is array',
    ],
    [() => new UserRingBuffer(map), 'Cannot write records to map samples: it is no user ring buffer'],
  ];
  for (const [action, message] of cases) t.equal(thrown(action).message, message);
  t.end();
});

t.test('nothing stays open', (t) => {
  using map = BpfMap.create({ type: MapType.PerfEventArray, keySize: 4, valueSize: 4, maxEntries: 64 });
  const buffer = PerfBuffer.bytes(map);
  map.close();
  t.equal(buffer.closed, true, 'it closes with its map');
  collection.close();
  t.same(
    openDescriptors().filter((one) => /bpf|perf|eventpoll/.test(one)).length,
    before.filter((one) => /bpf|perf|eventpoll/.test(one)).length,
  );
  t.end();
});
