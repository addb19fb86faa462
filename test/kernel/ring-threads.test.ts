/** Rings read by a thread that blocks, and in a thread of their own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import t from 'tap';
import { BpfMap, MapType, RingBufferWorker } from '../../src/index.ts';
import type { RingBufferWorkerOptions } from '../../src/index.ts';
import { noBpftool } from '../helpers/bpftool.ts';
import { compilerForRoot } from '../helpers/compile.ts';
import { CLOSED, NumberedEvents, RECORD, numbersTo } from '../helpers/numbered-events.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { thrown } from '../helpers/thrown.ts';
import { TypescriptProcess } from '../helpers/typescript-process.ts';
import { until } from '../helpers/until.ts';
import type { HandlerData, Sum } from '../fixtures/ring-handlers.ts';

const path = compilerForRoot(t, 'ring buffers').fixture('events');

t.test('a thread that blocks', async (t) => {
  const before = openDescriptors().length;
  const producer = new NumberedEvents(path);
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
  producer: NumberedEvents,
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
      end: (producer: NumberedEvents) => {
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
      const producer = new NumberedEvents(path);
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
    using producer = new NumberedEvents(path);
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
    const producer = new NumberedEvents(path);
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
    const producer = new NumberedEvents(path);
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
    using producer = new NumberedEvents(path);
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
    const producer = new NumberedEvents(path);
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
    using producer = new NumberedEvents(path);
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
