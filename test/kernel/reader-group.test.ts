/** Several ring and perf buffers behind one readiness, on the event loop, in a thread that blocks, in a worker. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import t from 'tap';
import {
  Collection,
  ObjectFile,
  PerfBuffer,
  ReaderGroup,
  RingBuffer,
  RingBufferWorker,
} from '../../src/index.ts';
import type { BtfValue } from '../../src/btf/index.ts';
import { BlockingWait } from '../../src/sys/index.ts';
import { noBpftool } from '../helpers/bpftool.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { runOften } from '../helpers/test-runs.ts';
import { thrown } from '../helpers/thrown.ts';
import { until } from '../helpers/until.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() : 'ring buffers need root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const SOURCE = `
#include "check.h"
struct exec { __u32 number; };
struct packet { __u64 number; __u32 length; };
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 65536); } execs SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } packets SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); __uint(key_size, 4); __uint(value_size, 4); } samples SEC(".maps");
struct exec *unused_exec;
struct packet *unused_packet;
__u32 next;
SEC("xdp") int emit_exec(struct xdp_md *ctx)
{
	struct exec exec = {.number = next++};
	return bpf_ringbuf_output(&execs, &exec, sizeof(exec), 0) < 0 ? __LINE__ : 0;
}
SEC("xdp") int emit_packet(struct xdp_md *ctx)
{
	struct packet packet = {.number = next++};
	packet.length = ctx->data_end - ctx->data;
	return bpf_ringbuf_output(&packets, &packet, sizeof(packet), 0) < 0 ? __LINE__ : 0;
}
SEC("xdp") int emit_sample(struct xdp_md *ctx)
{
	struct exec exec = {.number = next++};
	return bpf_perf_event_output(ctx, &samples, BPF_F_CURRENT_CPU, &exec, sizeof(exec)) < 0 ? __LINE__ : 0;
}
char _license[] SEC("license") = "GPL";
`;

const compiler = new Compiler();
const object = ObjectFile.open(compiler.source('group', SOURCE));
const btf = object.btf!;
t.teardown(() => {
  compiler.close();
});

interface Exec {
  readonly number: number;
}

/** What is read, and what makes it. */
class World {
  readonly collection = Collection.load(object);
  readonly map = (name: string) => this.collection.map(name);
  readonly execs = RingBuffer.typed(this.map('execs'), { btf, typeId: btf.find('exec', 'struct')! });
  readonly packets = RingBuffer.open(this.map('packets'), { decode: (record) => record.u64(0) });
  readonly samples = PerfBuffer.open(this.map('samples'), { decode: (record) => record.u32(0) });

  readonly group = ReaderGroup.of(
    { execs: this.execs, packets: this.packets, samples: this.samples },
    { batchSize: 8 },
  );

  emit(what: 'exec' | 'packet' | 'sample', times = 1): void {
    runOften(this.collection.program(`emit_${what}`), { data: new Uint8Array(64), times });
  }

  [Symbol.dispose](): void {
    this.group.close();
    this.collection.close();
  }
}

const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((left, right) => left - right);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const numberOf = (value: BtfValue): number => (value as unknown as Exec).number;

t.test('each event goes to the handler of its map, and none is kept waiting', (t) => {
  using world = new World();
  const { group } = world;
  world.emit('exec', 20);
  world.emit('packet', 3);
  world.emit('sample', 2);
  t.ok(group.pending > 20 * 16);
  const heard: string[] = [];
  const handlers = {
    execs: (event: BtfValue) => void heard.push(`exec ${String(numberOf(event))}`),
    packets: (number: bigint) => void heard.push(`packet ${String(number)}`),
    samples: (sample: { readonly cpu: number; readonly event: number }) =>
      void heard.push(`sample ${String(sample.event)}`),
  };
  t.equal(group.drain(handlers, { limit: 10 }), 10);
  t.equal(group.drain(handlers, { limit: 6 }), 6);
  t.ok(heard.includes('packet 20') && heard.includes('sample 23'), 'although the first had more');
  t.equal(group.drain(handlers), 9);
  const execs = heard.filter((one) => one.startsWith('exec'));
  t.same(
    execs,
    upTo(20).map((number) => `exec ${String(number)}`),
    'in their order',
  );
  t.equal(group.pending, 0);
  t.same(group.sources, ['execs', 'packets', 'samples']);
  t.end();
});

t.test('listening', async (t) => {
  using world = new World();
  const { group } = world;
  const numbers: number[] = [];
  const abort = new AbortController();
  const take = (number: number): void => void numbers.push(number);
  world.emit('exec', 30);
  group.listen(
    {
      execs: (event) => {
        take(numberOf(event));
      },
      packets: (number) => {
        take(Number(number));
      },
      samples: ({ event }) => {
        take(event);
      },
    },
    { signal: abort.signal },
  );
  await until(() => numbers.length === 30);
  for (const what of ['sample', 'packet', 'exec'] as const) {
    world.emit(what, 10);
    const wanted = numbers.length + 10;
    await until(() => numbers.length === wanted);
  }
  t.same(numbers, upTo(60));
  const already = 'it is being read already';
  const cases: [() => unknown, string][] = [
    [
      () => {
        group.listen({} as never);
      },
      `Cannot read group of execs, packets, samples: ${already}`,
    ],
    [
      () => {
        world.execs.listen(() => undefined);
      },
      'Cannot read ring buffer execs: this reader is being read already',
    ],
    [
      () => {
        world.samples.listen(() => undefined);
      },
      'Cannot read perf buffer samples: a group reads it',
    ],
    [() => ReaderGroup.of({ again: world.execs }), 'Cannot group reader again: it is in a group already'],
    [() => ReaderGroup.of({}), 'Cannot make a group of no readers'],
    [
      () => ReaderGroup.of({ execs: world.execs }, { batchSize: 0 }),
      'Cannot read in batches of 0: a positive whole number is wanted',
    ],
  ];
  for (const [action, message] of cases) t.equal(thrown(action).message, message);
  abort.abort();
  world.samples.listen(() => undefined);
  t.equal(
    thrown(() => {
      group.listen({} as never);
    }).message,
    'Cannot read group of execs, packets, samples: samples is being read already',
  );
});

t.test('a member that closes leaves; with the last one it is over', async (t) => {
  using world = new World();
  const { group } = world;
  const seen: string[] = [];
  setTimeout(() => {
    world.emit('exec', 1);
    world.emit('packet', 1);
  }, 5);
  for await (const found of group) {
    if (found.source === 'execs') {
      seen.push(`exec ${String(numberOf(found.event))}`);
      // What waits in a map that nobody reads any more must not wake anybody.
      world.packets.close();
      world.emit('packet', 1);
      t.same(group.sources, ['execs', 'samples']);
      const wait = BlockingWait.open([group.fd], 'the group');
      t.equal(wait.wait(0), false);
      wait.close();
      setTimeout(() => {
        world.emit('sample', 1);
      }, 5);
    } else if (found.source === 'samples') {
      const { cpu, event } = found.event;
      t.ok(cpu >= 0);
      seen.push(`sample ${String(event)}`);
      setTimeout(() => {
        world.execs.close();
        world.samples.close();
      }, 5);
    } else seen.push(`packet ${String(found.event)}`);
  }
  t.equal(group.closed, true);
  t.ok(seen.includes('exec 0') && seen.includes('sample 3'), seen.join());
  t.match(
    thrown(() => group.drain({} as never)),
    { code: 'CLOSED', message: 'Cannot use the group of execs, packets, samples: it is closed' },
  );
});

t.test('what a loop leaves comes first when it is read again, and is counted where it cannot', async (t) => {
  using world = new World();
  const { group } = world;
  world.emit('exec', 5);
  world.emit('sample', 3);
  const numbers: number[] = [];
  for await (const { source, event } of group) {
    if (source === 'execs') numbers.push(numberOf(event));
    if (numbers.length === 2) break;
  }
  t.equal(
    group.drain(
      {
        execs: (event) => numbers.push(numberOf(event)),
        packets: () => t.fail('there is none'),
        samples: ({ event }) => numbers.push(event),
      },
      { limit: 4 },
    ),
    4,
  );
  t.same(numbers, [0, 1, 2, 3, 4, 5]);
  const reader = group.toWebStream().getReader();
  const { value } = await reader.read();
  t.match(value, { source: 'samples', event: { event: 6 } });
  await reader.cancel();
  t.equal(group.discarded, 0);
  group.close();
  t.equal(group.discarded, 1);
  t.equal(world.execs.closed, false, 'members stay open');
});

t.test('a thread that blocks is woken by any of them', { skip: noBpftool }, async (t) => {
  const before = openDescriptors().length;
  const world = new World();
  const { group } = world;
  const heard: string[] = [];
  const handlers = {
    execs: () => void heard.push('exec'),
    packets: () => void heard.push('packet'),
    samples: () => void heard.push('sample'),
  };
  t.equal(group.poll(handlers, { timeout: 2 }), 0, 'the timeout passes');
  t.equal(
    world.samples.poll(() => undefined, { timeout: 2 }),
    0,
  );
  for (const what of ['packet', 'sample', 'exec']) {
    const { id } = world.collection.program(`emit_${what}`).info();
    const run = `sleep 0.1; head -c 64 /dev/zero | bpftool prog run id ${String(id)} data_in - repeat 1`;
    const child = spawn('sh', ['-c', run], { stdio: ['ignore', 'ignore', 'inherit'] });
    t.equal(group.poll(handlers, { timeout: 20_000 }), 1);
    await once(child, 'close');
  }
  t.same(heard, ['packet', 'sample', 'exec']);
  world.emit('sample', 2);
  const samples: number[] = [];
  t.equal(
    world.samples.poll(({ event }) => samples.push(event)),
    2,
    'a perf buffer by itself',
  );
  t.same(samples, [3, 4]);
  world[Symbol.dispose]();
  t.equal(openDescriptors().length, before);
});

const module = new URL(`../fixtures/group-handlers${extname(import.meta.url)}`, import.meta.url);

t.test('a worker reads several maps, and says of each record which it is of', async (t) => {
  const before = openDescriptors().length;
  using collection = Collection.load(object);
  const emit = (what: string, times: number): void => {
    runOften(collection.program(`emit_${what}`), { data: new Uint8Array(64), times });
  };
  for (const whenEmpty of ['block', 'spin'] as const) {
    const messages: { readonly source: string; readonly cpu: number | undefined; readonly number: number }[] =
      [];
    const maps = {
      execs: collection.map('execs'),
      flows: collection.map('packets'),
      samples: collection.map('samples'),
    };
    collection.variable('next').set(0);
    const worker = await RingBufferWorker.start<(typeof messages)[number]>(maps, {
      module,
      whenEmpty,
      pagesPerCpu: 2,
      onMessage: (message) => void messages.push(message),
    });
    for (const what of ['sample', 'packet', 'exec', 'sample']) {
      const wanted = worker.events + 10;
      emit(what, 10);
      await until(() => worker.events === wanted);
    }
    await worker.close();
    const of = (name: string): number[] =>
      messages.filter(({ source }) => source === name).map(({ number }) => number);
    t.same(sorted(of('samples')), [...upTo(10), ...upTo(10).map((number) => number + 30)]);
    t.same(
      of('flows'),
      upTo(10).map((number) => number + 10),
    );
    t.same(
      of('execs'),
      upTo(10).map((number) => number + 20),
    );
    t.ok(messages.every(({ source, cpu }) => (source === 'samples') === (cpu !== undefined)));
    t.equal(worker.lost, 0);
  }
  await t.rejects(RingBufferWorker.start({}, { module }), {
    code: 'ARGUMENT_INVALID',
    message: 'Cannot start a worker: it has no map to read',
  });
  const map = collection.map('samples');
  await t.rejects(
    RingBufferWorker.start({ map, more: collection.map('execs') }, { module, pagesPerCpu: 3 }),
    {
      code: 'RING_WORKER_FAILED',
      map: 'samples, execs',
      message:
        'Cannot read maps samples, execs in a worker: Cannot use 3 pages for each CPU: a power of two is wanted',
    },
  );
  collection.close();
  t.equal(openDescriptors().length, before);
});
