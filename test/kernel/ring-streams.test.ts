/** Rings behind streams of the web and of Node, and a perf buffer behind both. */
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import t from 'tap';
import { Collection, ObjectFile, PerfBuffer, RingBuffer } from '../../src/index.ts';
import { compilerForRoot } from '../helpers/compile.ts';
import { CLOSED, NumberedEvents, RECORD, numbersTo } from '../helpers/numbered-events.ts';
import { runOften } from '../helpers/test-runs.ts';
import { thrown } from '../helpers/thrown.ts';
import { until } from '../helpers/until.ts';

const compiler = compilerForRoot(t, 'ring buffers');
const path = compiler.fixture('events');

const nextTick = promisify(process.nextTick);

t.test('a stream of the web', async (t) => {
  await t.test('reads nothing ahead of its consumer', async (t) => {
    using producer = new NumberedEvents(path);
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
    using producer = new NumberedEvents(path);
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
    using producer = new NumberedEvents(path);
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
    using producer = new NumberedEvents(path);
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
    using producer = new NumberedEvents(path);
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
    using producer = new NumberedEvents(path);
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
      using producer = new NumberedEvents(path);
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
    using producer = new NumberedEvents(path);
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
    using producer = new NumberedEvents(path);
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
    using producer = new NumberedEvents(path);
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
