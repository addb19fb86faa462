/** Rings behind streams, read by a thread that blocks, and in a thread of their own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import t from 'tap';
import {
  BpfMap,
  Collection,
  MapType,
  ObjectFile,
  PerfBuffer,
  RingBuffer,
  RingBufferWorker,
} from '../../src/index.ts';
import type { RingBufferWorkerOptions } from '../../src/index.ts';
import { noBpftool } from '../helpers/bpftool.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { runOften } from '../helpers/test-runs.ts';
import { thrown } from '../helpers/thrown.ts';
import { TypescriptProcess } from '../helpers/typescript-process.ts';
import { until } from '../helpers/until.ts';
import type { HandlerData, Sum } from '../fixtures/ring-handlers.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() : 'ring buffers need root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const compiler = new Compiler();
const path = compiler.fixture('events');
t.teardown(() => {
  compiler.close();
});

/** A loaded producer of numbered events. */
class Producer {
  readonly collection = Collection.load(ObjectFile.open(path));
  readonly map = this.collection.map('events');
  readonly packet = new Uint8Array(64);

  reader(): RingBuffer<number> {
    return RingBuffer.open(this.map, { decode: (record) => record.u32(0), batchSize: 50 });
  }

  produce(times: number): void {
    runOften(this.collection.program('produce'), { data: this.packet, times });
  }

  get counters(): { no_space: bigint; submitted: bigint } {
    return this.collection.map('stats').get(0) as { no_space: bigint; submitted: bigint };
  }

  [Symbol.dispose](): void {
    this.collection.close();
  }
}

const nextTick = promisify(process.nextTick);
const numbersTo = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, index) => from + index);

const CLOSED = { code: 'CLOSED', message: 'Cannot use the ring buffer events: it is closed' };
const RECORD = 24;

t.test('a stream of the web', async (t) => {
  await t.test('reads nothing ahead of its consumer', async (t) => {
    using producer = new Producer();
    using ring = RingBuffer.open(producer.map, { decode: (record) => record.u32(0), batchSize: 1 });
    const stream = ring.toWebStream();
    producer.produce(3);
    await delay(5);
    t.equal(ring.pending, 3 * RECORD, 'nobody has asked yet');
    const reader = stream.getReader();
    t.same(await reader.read(), { done: false, value: 0 });
    await delay(5);
    t.equal(ring.pending, 2 * RECORD);
    await reader.cancel();
    t.same(await reader.read(), { done: true, value: undefined });
    const rest: number[] = [];
    ring.drain((number) => rest.push(number));
    t.same(rest, [1, 2], 'cancelling loses nothing and leaves the reader open');
  });

  await t.test('waits, goes through a pipe in order, and ends when the reader closes', async (t) => {
    using producer = new Producer();
    const ring = producer.reader();
    const numbers: number[] = [];
    const piped = ring
      .toWebStream()
      .pipeThrough(
        new TransformStream<number, number>({
          transform: (n, out) => {
            out.enqueue(n * 2);
          },
        }),
      )
      .pipeTo(new WritableStream<number>({ write: (number) => void numbers.push(number / 2) }));
    for (let round = 0; round < 10; round++) {
      producer.produce(100);
      await delay(2);
    }
    await until(() => numbers.length === 1000);
    t.same(numbers, numbersTo(1000));
    ring.close();
    await piped;
    t.match(
      thrown(() => ring.toWebStream()),
      CLOSED,
    );
  });

  await t.test('can be left and followed by other ways of reading', async (t) => {
    using producer = new Producer();
    using ring = producer.reader();
    producer.produce(500);
    const numbers: number[] = [];
    for (let round = 0; round < 5; round++) {
      for await (const number of ring.toWebStream()) {
        numbers.push(number);
        if (numbers.length % 30 === 0) break;
      }
    }
    for await (const number of ring.toNodeStream()) {
      numbers.push(number as number);
      if (numbers.length === 200) break;
    }
    for await (const number of ring) {
      numbers.push(number);
      if (numbers.length === 300) break;
    }
    ring.drain((number) => numbers.push(number));
    t.same(numbers, numbersTo(500));
  });

  await t.test('fails with the reason of its signal, while it waits and before', async (t) => {
    using producer = new Producer();
    using ring = producer.reader();
    const abort = new AbortController();
    const reader = ring.toWebStream({ signal: abort.signal }).getReader();
    const waiting = reader.read();
    await delay(5);
    const reason = new Error('enough');
    abort.abort(reason);
    await t.rejects(waiting, reason);
    await t.rejects(ring.toWebStream({ signal: abort.signal }).getReader().read(), reason);
    producer.produce(2);
    t.equal(
      ring.drain(() => undefined),
      2,
      'the reader is free again',
    );
  });

  await t.test('is one way of reading at a time', async (t) => {
    using producer = new Producer();
    using ring = producer.reader();
    ring.listen(() => undefined);
    await t.rejects(ring.toWebStream().getReader().read(), {
      message: 'Cannot read ring buffer events: this reader is being read already',
    });
    ring.stop();
  });
});

t.test('a stream of Node', async (t) => {
  await t.test('reads as far ahead as it is told, and gives that back when it is destroyed', async (t) => {
    using producer = new Producer();
    using ring = RingBuffer.open(producer.map, { decode: (record) => record.u32(0), batchSize: 1 });
    producer.produce(100);
    const stream = ring.toNodeStream({ highWaterMark: 8 });
    await once(stream, 'readable');
    await until(() => stream.readableLength === 8);
    await delay(5);
    t.equal(ring.pending, 92 * RECORD, 'eight are read ahead');
    t.equal(stream.read(), 0);
    t.equal(stream.read(), 1);
    await delay(5);
    stream.destroy();
    await once(stream, 'close');
    const rest: number[] = [];
    ring.drain((number) => rest.push(number));
    t.same(rest, numbersTo(98, 2));
  });

  await t.test('destroyed while it reads, it gives back in order', async (t) => {
    for (let moment = 0; moment < 64; moment++) {
      using producer = new Producer();
      using ring = producer.reader();
      producer.produce(12);
      const stream = ring.toNodeStream({ highWaterMark: 8 });
      stream.read(0);
      // A stream goes on reading in the next tick.
      for (let tick = 0; tick < moment >> 3; tick++) await nextTick();
      for (let turn = 0; turn < (moment & 7); turn++) await Promise.resolve();
      stream.destroy();
      await once(stream, 'close');
      const numbers: number[] = [];
      ring.drain((number) => numbers.push(number));
      t.strictSame(numbers, numbersTo(12), `at moment ${String(moment)}`);
    }
  });

  await t.test('goes through a pipeline as slowly as its end, and ends with the reader', async (t) => {
    using producer = new Producer();
    const ring = producer.reader();
    const numbers: number[] = [];
    const slow = new Writable({
      objectMode: true,
      highWaterMark: 1,
      write(number: number, _encoding, done) {
        numbers.push(number);
        if (numbers.length === 400) ring.close();
        if (numbers.length % 20 === 0) setTimeout(done, 1);
        else done();
      },
    });
    producer.produce(400);
    await pipeline(ring.toNodeStream(), slow);
    t.same(numbers, numbersTo(400));
    t.match(
      thrown(() => ring.toNodeStream()),
      CLOSED,
    );
  });

  await t.test('is destroyed by its signal', async (t) => {
    using producer = new Producer();
    using ring = producer.reader();
    const abort = new AbortController();
    const numbers: number[] = [];
    const reading = (async () => {
      for await (const number of ring.toNodeStream({ signal: abort.signal })) numbers.push(number as number);
    })();
    producer.produce(3);
    await until(() => numbers.length === 3);
    abort.abort();
    await t.rejects(reading, { name: 'AbortError' });
    producer.produce(1);
    t.equal(
      ring.drain(() => undefined),
      1,
      'the reader is free again',
    );
  });

  await t.test('has no place for null', async (t) => {
    using producer = new Producer();
    using ring = RingBuffer.open(producer.map, { decode: () => null });
    producer.produce(1);
    const [error] = (await once(ring.toNodeStream().resume(), 'error')) as [Error];
    t.match(error, {
      code: 'ARGUMENT_INVALID',
      message: 'Cannot stream ring buffer events: an event is null',
    });
  });
});

t.test('a perf buffer behind streams counts what it read and nobody got', async (t) => {
  const source = `
#include "check.h"
struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); __uint(key_size, 4); __uint(value_size, 4); } samples SEC(".maps");
__u32 next;
SEC("xdp") int emit(struct xdp_md *ctx)
{
	__u32 number = next++;
	return bpf_perf_event_output(ctx, &samples, BPF_F_CURRENT_CPU, &number, sizeof(number)) < 0;
}
char _license[] SEC("license") = "GPL";
`;
  using collection = Collection.load(ObjectFile.open(compiler.source('perf-stream', source)));
  using samples = PerfBuffer.open(collection.map('samples'), { decode: (record) => record.u32(0) });
  const emit = (times: number): void => {
    runOften(collection.program('emit'), { data: new Uint8Array(64), times });
  };
  emit(10);
  const numbers: number[] = [];
  for await (const { event } of samples.toWebStream()) {
    numbers.push(event);
    if (numbers.length === 4) break;
  }
  t.same(
    numbers.sort((left, right) => left - right),
    [0, 1, 2, 3],
  );
  t.equal(samples.discarded, 6, 'the rest of the batch');
  emit(20);
  const stream = samples.toNodeStream({ highWaterMark: 5 });
  await once(stream, 'readable');
  await until(() => stream.readableLength === 5);
  t.match(stream.read(), { event: 10 });
  stream.destroy();
  await once(stream, 'close');
  t.equal(samples.discarded, 6 + 19);
  t.equal(samples.lost, 0);
  samples.close();
  const message = 'Cannot use the perf buffer samples: it is closed';
  t.match(
    thrown(() => samples.toWebStream()),
    { code: 'CLOSED', message },
  );
  t.match(
    thrown(() => samples.toNodeStream()),
    { code: 'CLOSED', message },
  );
});

t.test('a thread that blocks', async (t) => {
  const before = openDescriptors().length;
  const producer = new Producer();
  const ring = producer.reader();
  const numbers: number[] = [];
  const take = (number: number): void => void numbers.push(number);
  t.equal(ring.poll(take, { timeout: 0 }), 0);
  t.equal(ring.poll(take, { timeout: 2 }), 0, 'the timeout passes');
  producer.produce(5);
  t.equal(ring.poll(take, { limit: 2 }), 2, 'what is there is not waited for');
  t.equal(ring.poll(take), 3);
  await t.test('is woken by an event', { skip: noBpftool }, (t) => {
    const { id } = producer.collection.program('produce').info();
    const run = `sleep 0.1; head -c 64 /dev/zero | bpftool prog run id ${String(id)} data_in - repeat 3`;
    const child = spawn('sh', ['-c', run], { stdio: ['ignore', 'ignore', 'inherit'] });
    const count = ring.poll(take, { timeout: 20_000 });
    t.ok(count >= 1 && count <= 3, `${String(count)} events`);
    return once(child, 'close').then(() => {
      ring.drain(take);
      t.same(numbers, numbersTo(8));
    });
  });
  t.match(
    thrown(() => ring.poll(take, { timeout: -2 })),
    {
      code: 'ARGUMENT_INVALID',
      message: 'Cannot use -2 as timeout: an integer from -1 to 2147483647 is needed',
    },
  );
  ring.close();
  t.match(
    thrown(() => ring.poll(take)),
    CLOSED,
  );
  producer.collection.close();
  t.equal(openDescriptors().length, before);
});

const module = new URL(`../fixtures/ring-handlers${extname(import.meta.url)}`, import.meta.url);

function startWorker<Message>(
  producer: Producer,
  what: HandlerData['what'],
  options: Omit<RingBufferWorkerOptions<Message>, 'module' | 'data'> = {},
): Promise<RingBufferWorker> {
  const data: HandlerData = { what };
  return RingBufferWorker.start<Message>(producer.map, { ...options, module, data });
}

t.test('a worker', async (t) => {
  const abort = new AbortController();
  const endings = {
    block: {
      whenEmpty: 'block',
      end: (producer: Producer) => {
        producer.map.close();
      },
    },
    spin: {
      whenEmpty: 'spin',
      end: () => {
        abort.abort();
      },
    },
  } as const;
  for (const { whenEmpty, end } of Object.values(endings)) {
    await t.test(`whose thread does ${whenEmpty} gets every event in order`, async (t) => {
      const before = openDescriptors().length;
      const producer = new Producer();
      const sums: Sum[] = [];
      const worker = await startWorker<Sum>(producer, 'sum', {
        whenEmpty,
        batchSize: 100,
        signal: abort.signal,
        onMessage: (sum) => void sums.push(sum),
      });
      for (let round = 1; round <= 20; round++) {
        producer.produce(1000);
        await until(() => worker.events === round * 1000);
      }
      t.equal(worker.closed, false);
      end(producer);
      await worker.ended;
      await worker.close();
      t.equal(worker.closed, true, 'it ends with its map, and with its signal');
      t.match(sums, [{ events: 20_000, outOfOrder: 0, largestBatch: 100 }]);
      t.equal(worker.events, 20_000);
      t.equal(worker.waits, 0);
      worker.unref();
      producer.collection.close();
      t.equal(openDescriptors().length, before);
    });
  }

  await t.test('waits for its messages to be taken; what does not fit meanwhile is counted', async (t) => {
    using producer = new Producer();
    const capacity = Math.floor((256 * 1024) / RECORD);
    const numbers: number[] = [];
    let busy = true;
    const worker = await startWorker<Uint8Array>(producer, 'each', {
      maxMessages: 4,
      onMessage: (record) => {
        numbers.push(Buffer.from(record.buffer, record.byteOffset).readUInt32LE(0));
        // This thread is busy, once, until the worker waits and the ring is full.
        if (!busy) return;
        busy = false;
        while (worker.waits === 0) continue;
        t.equal(worker.events, 4);
        producer.produce(capacity);
        t.equal(producer.counters.no_space, 6n);
      },
    });
    producer.produce(10);
    await until(() => numbers.length === Number(producer.counters.submitted) && !busy);
    t.same(numbers, numbersTo(numbers.length));
    t.equal(BigInt(numbers.length), producer.counters.submitted);
    await worker.close();
    await worker.close();
    producer.produce(1);
    t.equal(
      producer.reader().drain(() => undefined),
      1,
      'the next reader begins where it ended',
    );
  });

  await t.test('ends with what its handler throws', async (t) => {
    const before = openDescriptors().length;
    const producer = new Producer();
    const numbers: bigint[] = [];
    const worker = await startWorker<bigint>(producer, 'throw', { onMessage: (n) => void numbers.push(n) });
    producer.produce(5);
    const message = 'Cannot read ring buffer events in a worker: three is too many';
    const expected = { code: 'RING_WORKER_FAILED', message, map: 'events', cause: { name: 'RangeError' } };
    await t.rejects(worker.ended, expected);
    await t.rejects(worker.close(), expected);
    t.same(numbers, [0n, 1n], 'what it posted before has come');
    t.equal(worker.closed, true);
    producer.collection.close();
    t.equal(openDescriptors().length, before);
  });

  await t.test('ends although its module does not', async (t) => {
    const before = openDescriptors().length;
    const producer = new Producer();
    const numbers: bigint[] = [];
    const lingering = await startWorker<bigint>(producer, 'linger', {
      onMessage: (n) => void numbers.push(n),
    });
    producer.produce(3);
    await until(() => lingering.events === 3);
    await lingering.close();
    t.same(numbers, numbersTo(3), 'with every message');
    const abort = new AbortController();
    const starting = startWorker(producer, 'never', { signal: abort.signal });
    setTimeout(() => {
      abort.abort();
    }, 50);
    t.equal((await starting).closed, true);
    const exiting = await startWorker(producer, 'exit', {});
    producer.produce(1);
    await t.rejects(exiting.ended, {
      code: 'RING_WORKER_FAILED',
      message: 'Cannot read ring buffer events in a worker: its thread ended with exit code 7',
    });
    await t.rejects(
      RingBufferWorker.start(producer.map, { module, data: { what: () => undefined } }),
      { code: 'RING_WORKER_FAILED', cause: { name: 'DataCloneError' } },
      'data that cannot be cloned',
    );
    producer.collection.close();
    t.equal(openDescriptors().length, before);
  });

  await t.test('messages that cannot be cloned take no room of others', async (t) => {
    using producer = new Producer();
    const said: string[] = [];
    await using worker = await startWorker<string>(producer, 'uncloneable', {
      maxMessages: 2,
      onMessage: (text) => void said.push(text),
    });
    producer.produce(5);
    await until(() => said.length === 5);
    t.same(
      said,
      numbersTo(5).map((n) => `${String(n)}: DataCloneError`),
    );
    // It counts after its handler has returned, which is after the message.
    await until(() => worker.events === 5);
  });

  await t.test('says why it cannot start', async (t) => {
    const before = openDescriptors().length;
    const producer = new Producer();
    const failing = (url: string): Promise<RingBufferWorker> =>
      RingBufferWorker.start(producer.map, { module: new URL(url) });
    const cannot = 'Cannot read ring buffer events in a worker: ';
    await t.rejects(startWorker(producer, 'nothing'), {
      code: 'RING_WORKER_FAILED',
      message: `${cannot}what its module ${module.href} returns has no method onRecord`,
    });
    await t.rejects(failing('data:text/javascript,export const handler = 1'), {
      message: `${cannot}its module data:text/javascript,export const handler = 1 has no default export that is a function`,
    });
    using hash = BpfMap.create(
      { type: MapType.Hash, keySize: 4, valueSize: 4, maxEntries: 1 },
      { name: 'ports' },
    );
    await t.rejects(RingBufferWorker.start(hash, { module }), {
      code: 'ARGUMENT_INVALID',
      message: 'Cannot read events from map ports: it is not a ring buffer',
    });
    hash.close();
    await t.rejects(RingBufferWorker.start(producer.map, { module, maxMessages: 0 }), {
      code: 'ARGUMENT_INVALID',
    });
    producer.collection.close();
    await t.rejects(RingBufferWorker.start(producer.map, { module }), { code: 'CLOSED' });
    t.equal(openDescriptors().length, before);
  });

  await t.test('keeps no process from ending that wants to', async (t) => {
    using producer = new Producer();
    for (const [way, code] of [
      ['exit', 3],
      ['unref', 0],
    ] as const) {
      const child = new TypescriptProcess('ring-worker-exit', [producer.map.info().id, way]);
      t.teardown(() => child.kill());
      t.equal(await child.line(), 'ready');
      t.equal(await child.ended(), code, way);
    }
  });
});
