/** Ring buffers that the kernel fills: programs are run on packets of the test's own, so there is no traffic. */
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { createCodec } from '../../src/btf/index.ts';
import { Collection, MapType, ObjectFile, RingBuffer, SyscallError } from '../../src/index.ts';
import type { RingBufferOptions } from '../../src/index.ts';
import { compilerForRoot } from '../helpers/compile.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { randomNumbers } from '../helpers/random-numbers.ts';
import { thrown } from '../helpers/thrown.ts';
import { TypescriptProcess } from '../helpers/typescript-process.ts';
import { until } from '../helpers/until.ts';

const path = compilerForRoot(t, 'ring buffers').fixture('events');

interface Event {
  number: bigint;
  check: number;
  size: number;
}

/** A loaded producer with a reader of its events by type. */
class Producer {
  readonly collection: Collection;
  readonly object = ObjectFile.open(path);
  readonly packet = new Uint8Array(64);

  constructor(settings: Record<string, unknown> = {}) {
    for (const [name, value] of Object.entries(settings)) this.object.variable(name).set(value);
    this.collection = Collection.load(this.object);
  }

  reader(options: RingBufferOptions = {}): RingBuffer<Event> {
    const { btf } = this.object;
    const typeId = btf?.find('event', 'struct');
    if (!btf || typeId === undefined) throw new Error('the object has no struct event');
    const ring = RingBuffer.typed(this.collection.map('events'), { ...options, btf, typeId });
    return ring as unknown as RingBuffer<Event>;
  }

  /** A signal, such as that a child was stopped, ends a test run early with EINTR: then the rest is run. */
  produce(repeat: number, program = 'produce'): void {
    const target = this.counters.seen + BigInt(repeat);
    for (let left = repeat; left > 0; left = Number(target - this.counters.seen)) {
      try {
        const { returnValue } = this.collection.program(program).testRun({ data: this.packet, repeat: left });
        if (returnValue !== 0) throw new Error(`${program} failed at line ${returnValue}`);
        return;
      } catch (error) {
        if (!(error instanceof SyscallError && error.errnoName === 'EINTR')) throw error;
      }
    }
  }

  get counters(): Record<'seen' | 'filtered' | 'no_space' | 'submitted', bigint> {
    return this.collection.map('stats').get(0) as ReturnType<() => Producer['counters']>;
  }

  [Symbol.dispose](): void {
    this.collection.close();
  }
}

const checkOf = (number: bigint): number => Math.imul(Number(number), 2654435761) >>> 0;

t.test('100,000 events come in order, each as it was written', (t) => {
  using producer = new Producer();
  using ring = producer.reader();
  let next = 0n;
  let wrong = 0;
  for (let round = 0; round < 20; round++) {
    producer.produce(5000);
    t.ok(ring.pending === 5000 * 24);
    const count = ring.drain(({ number, check, size }) => {
      if (number !== next || check !== checkOf(number) || size !== 16) wrong++;
      next++;
    });
    t.equal(count, 5000);
  }
  t.equal(wrong, 0);
  t.equal(next, 100_000n);
  t.match(producer.counters, { seen: 100_000n, submitted: 100_000n, no_space: 0n });
  t.end();
});

t.test('fields are read where they lie, by BTF, and each record has to have the size of its struct', (t) => {
  using producer = new Producer();
  const { btf } = producer.object;
  const map = producer.collection.map('events');
  const type = { btf: btf!, typeId: btf!.find('event', 'struct')! };
  const kept: Event[] = [];
  using ring = RingBuffer.inPlace(map, {
    ...type,
    decode: (event: Event) => {
      if (kept.length < 2) kept.push(event);
      return event.check === checkOf(event.number) && event.size === 16 ? event.number : -1n;
    },
  });
  let next = 0n;
  let wrong = 0;
  for (let round = 0; round < 5; round++) {
    producer.produce(5000);
    ring.drain((number) => {
      if (number !== next++) wrong++;
    });
  }
  t.same([next, wrong], [25_000n, 0], 'whatever lies across the end of the ring, too');
  t.equal(kept[0], kept[1], 'one object serves all records');
  t.equal(kept[0]?.number, 24_999n, 'and reads the last one');
  t.throws(() => Object.assign(kept[0]!, { check: 1 }), TypeError, 'it is for reading');
  t.throws(
    () => RingBuffer.inPlace(map, { btf: btf!, typeId: btf!.find('__u64', 'typedef')!, decode: Number }),
    { message: 'Cannot read __u64 in place: its codec has no fields', code: 'ARGUMENT_INVALID' },
  );
  const shorter = { ...createCodec(btf!, type.typeId), size: 12 };
  using mistaken = RingBuffer.inPlaceWithCodec(map, { codec: shorter, decode: () => 0 });
  producer.produce(1);
  t.throws(() => mistaken.drain(() => undefined), {
    message: 'Cannot read a record of events as struct event: the record has 16 bytes, the struct 12',
    code: 'EVENT_SIZE_MISMATCH',
  });
  t.end();
});

t.test('discarded events are not seen, and what does not fit is counted', (t) => {
  using producer = new Producer({ discard_every: 3 });
  using ring = producer.reader();
  const numbers: bigint[] = [];
  producer.produce(20_000);
  const { seen, filtered, no_space: lost, submitted } = producer.counters;
  t.equal(seen, 20_000n);
  t.equal(seen, filtered + lost + submitted);
  t.equal(lost, 20_000n - BigInt(Math.floor((256 * 1024) / 24)), 'the ring holds as many as go into it');
  ring.drain(({ number }) => numbers.push(number));
  t.equal(BigInt(numbers.length), submitted);
  t.ok(numbers.every((number) => number % 3n !== 0n));
  t.equal(ring.pending, 0);
  t.end();
});

t.test('records of every size, many times around the ring', (t) => {
  using producer = new Producer();
  const ring = RingBuffer.bytes(producer.collection.map('events'));
  const random = randomNumbers(20_250_101);
  const copy = producer.collection.program('copy_packet');
  let bytesThrough = 0;
  let wrong = 0;
  const waiting: Uint8Array[] = [];
  const drain = (): void => {
    ring.drain((record) => {
      const packet = waiting.shift();
      const whole = record.length & ~3;
      if (!packet || record.length !== packet.length) wrong++;
      else if (Buffer.compare(record.subarray(0, whole), packet.subarray(0, whole)) !== 0) wrong++;
    });
  };
  const noise = Uint8Array.from({ length: 8192 }, () => random(256));
  for (let run = 0; run < 4000; run++) {
    const start = random(4096);
    const packet = noise.slice(start, start + 14 + random(run % 2 === 0 ? 60 : 1900));
    bytesThrough += packet.length;
    waiting.push(packet);
    if (copy.testRun({ data: packet }).returnValue !== 0) t.fail('the program fails');
    if (random(50) === 0) drain();
  }
  drain();
  t.equal(waiting.length, 0);
  t.equal(wrong, 0);
  t.ok(bytesThrough > 2_000_000, `${bytesThrough} bytes went through a ring of ${256 * 1024}`);
  t.equal(producer.counters.no_space, 0n);
  ring.close();
  t.end();
});

t.test('records that wait for an earlier one come after it', (t) => {
  using producer = new Producer();
  using ring = producer.reader();
  producer.produce(1000, 'produce_two');
  const numbers: bigint[] = [];
  ring.drain(({ number }) => numbers.push(number));
  t.same(
    numbers,
    Array.from({ length: 2000 }, (_, index) => BigInt(index)),
  );
  t.end();
});

t.test('a record of another size than its type says so, and is passed over', async (t) => {
  using producer = new Producer();
  using ring = producer.reader();
  producer.produce(2);
  producer.produce(1, 'produce_short');
  producer.produce(2);
  const numbers: bigint[] = [];
  const error = thrown(() => ring.drain(({ number }) => numbers.push(number)));
  t.match(error, {
    code: 'EVENT_SIZE_MISMATCH',
    message: 'Cannot read a record of events as struct event: the record has 4 bytes, the struct 16',
    map: 'events',
    struct: 'event',
    structSize: 16,
    recordSize: 4,
  });
  t.same(numbers, [0n, 1n]);
  ring.drain(({ number }) => numbers.push(number));
  t.same(numbers, [0n, 1n, 2n, 3n]);

  producer.produce(3);
  producer.produce(1, 'produce_short');
  producer.produce(1);
  const iterated: bigint[] = [];
  const iterate = async (): Promise<void> => {
    for await (const { number } of ring) {
      iterated.push(number);
      if (number === 7n) return;
    }
  };
  await t.rejects(iterate(), { code: 'EVENT_SIZE_MISMATCH' });
  t.same(iterated, [4n, 5n, 6n], 'what came before the bad record was given out');
  await iterate();
  t.same(iterated, [4n, 5n, 6n, 7n]);
});

t.test('listening', async (t) => {
  await t.test('brings events as they come, in batches, until it is stopped', async (t) => {
    using producer = new Producer();
    using ring = producer.reader({ batchSize: 100 });
    const numbers: bigint[] = [];
    let turns = 0;
    const count = (): void => {
      turns++;
      if (numbers.length < 5000) setImmediate(count);
    };
    ring.listen(({ number }) => numbers.push(number));
    producer.produce(5000);
    count();
    await until(() => numbers.length >= 5000);
    t.ok(turns >= 40, `${turns} turns of the event loop in 50 batches`);
    ring.stop();
    producer.produce(10);
    await delay(20);
    t.equal(numbers.length, 5000, 'nothing comes after stop()');
    ring.stop();
    ring.listen(({ number }) => numbers.push(number));
    await until(() => numbers.length >= 5010);
    t.equal(numbers[5009], 5009n, 'and it can listen again');
  });

  await t.test('ends with its signal, and only its own', async (t) => {
    using producer = new Producer();
    using ring = producer.reader();
    const [first, second] = [new AbortController(), new AbortController()];
    const seen = { first: 0, second: 0 };
    ring.listen(() => seen.first++, { signal: first.signal });
    ring.stop();
    ring.listen(() => seen.second++, { signal: second.signal });
    first.abort();
    producer.produce(5);
    await delay(20);
    t.same(seen, { first: 0, second: 5 }, 'the signal of a listening that is over means nothing');
    second.abort();
    producer.produce(5);
    await delay(20);
    t.same(seen, { first: 0, second: 5 });
    ring.listen(() => t.fail('the signal was aborted before'), { signal: second.signal });
    t.equal(
      ring.drain(() => undefined),
      5,
    );
  });

  await t.test('is one at a time for a reader', async (t) => {
    using producer = new Producer();
    using ring = producer.reader();
    ring.listen(() => undefined);
    const message = 'Cannot read ring buffer events: this reader is being read already';
    t.equal(
      thrown(() => {
        ring.listen(() => undefined);
      }).message,
      message,
    );
    await t.rejects(ring.events().next(), { message });
    ring.stop();
  });

  await t.test('ends with what its callback throws, and can begin again', async (t) => {
    using producer = new Producer();
    using ring = producer.reader();
    const mine = new Error('mine');
    const numbers: bigint[] = [];
    const listen = (options: { onError?: (error: Error) => void }): void => {
      ring.listen(({ number }) => {
        numbers.push(number);
        if (number === 2n || number === 5n) throw mine;
      }, options);
    };
    const reported: unknown[] = [];
    listen({ onError: (error) => reported.push(error) });
    producer.produce(5);
    await until(() => reported.length > 0);
    await delay(10);
    t.same(reported, [mine]);
    t.same(numbers, [0n, 1n, 2n], 'the event that made it throw counts as read');

    const previous = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const uncaught: unknown[] = [];
    process.on('uncaughtException', (error) => uncaught.push(error));
    producer.produce(5);
    listen({});
    await until(() => uncaught.length > 0);
    process.removeAllListeners('uncaughtException');
    for (const listener of previous) process.on('uncaughtException', listener);
    t.same(uncaught, [mine]);
    t.same(numbers, [0n, 1n, 2n, 3n, 4n, 5n]);

    listen({});
    await until(() => numbers.length >= 10);
    t.equal(numbers.at(-1), 9n);
  });

  await t.test('survives being closed within its callback, and the map being closed', async (t) => {
    const before = openDescriptors().length;
    const producer = new Producer();
    const ring = producer.reader();
    let seen = 0;
    ring.listen(() => {
      seen++;
      producer.collection.close();
    });
    producer.produce(100);
    await until(() => seen > 0);
    await delay(10);
    t.equal(seen, 1);
    t.equal(ring.closed, true);
    t.equal(openDescriptors().length, before);
  });
});

t.test('iterating', async (t) => {
  await t.test('can be left and taken up again without losing an event', async (t) => {
    using producer = new Producer();
    using ring = producer.reader({ batchSize: 64 });
    producer.produce(1000);
    const numbers: bigint[] = [];
    for (let round = 0; round < 7; round++) {
      for await (const { number } of ring) {
        numbers.push(number);
        if (numbers.length % 50 === 0) break;
      }
    }
    ring.drain(({ number }) => numbers.push(number), { limit: 10 });
    t.equal(numbers.length, 360);
    const abort = new AbortController();
    for await (const { number } of ring.events({ signal: abort.signal })) {
      numbers.push(number);
      if (numbers.length === 370) break;
    }
    ring.listen(
      ({ number }) => {
        numbers.push(number);
        if (numbers.length === 1000) abort.abort();
      },
      { signal: abort.signal },
    );
    await until(() => numbers.length >= 1000);
    t.same(
      numbers,
      Array.from({ length: 1000 }, (_, index) => BigInt(index)),
    );
  });

  await t.test('gives what was left to a listener even when nothing else comes', async (t) => {
    using producer = new Producer();
    using ring = producer.reader();
    producer.produce(3);
    for await (const _event of ring) break;
    t.equal(ring.pending, 0);
    let seen = 0;
    ring.listen(() => seen++);
    for (let wait = 0; seen < 2 && wait < 200; wait++) await delay(1);
    t.equal(seen, 2);
    ring.stop();
  });

  await t.test('waits for events, and ends with the signal or the reader', async (t) => {
    using producer = new Producer();
    using ring = producer.reader();
    const abort = new AbortController();
    const numbers: bigint[] = [];
    const reading = (async () => {
      for await (const { number } of ring.events({ signal: abort.signal })) numbers.push(number);
    })();
    await delay(5);
    producer.produce(3);
    await until(() => numbers.length >= 3);
    await delay(5);
    ring.stop();
    producer.produce(1);
    await until(() => numbers.length >= 4);
    abort.abort();
    await reading;
    t.same(numbers, [0n, 1n, 2n, 3n]);

    const again = (async () => {
      for await (const { number } of ring) numbers.push(number);
    })();
    await delay(5);
    ring.close();
    await again;
    for await (const _event of ring) t.fail('a closed reader has no events');
    t.equal(numbers.length, 4);
  });

  await t.test('gives timers their turn although events never run out', async (t) => {
    using producer = new Producer();
    using ring = producer.reader({ batchSize: 10 });
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    let seen = 0;
    producer.produce(1000);
    for await (const _event of ring) {
      // More come before the last one is taken.
      if (++seen % 1000 === 0) producer.produce(1000);
      if (ticks >= 5 || seen > 10_000_000) break;
    }
    clearInterval(timer);
    t.ok(ticks >= 5, `${ticks} ticks in ${seen} events`);
  });
});

t.test('two readers of one map share its events; a reader does not own the map', (t) => {
  using producer = new Producer();
  const [one, other] = [producer.reader(), producer.reader()];
  producer.produce(10);
  t.equal(
    one.drain(() => undefined, { limit: 4 }),
    4,
  );
  one.close();
  one.close();
  t.equal(producer.collection.map('events').closed, false);
  t.equal(producer.collection.map('events').type, MapType.RingBuffer);
  // A reader keeps its own place: the one that comes later begins where the other has been.
  other.close();
  using later = producer.reader();
  const numbers: bigint[] = [];
  later.drain(({ number }) => numbers.push(number));
  t.same(numbers, [4n, 5n, 6n, 7n, 8n, 9n]);
  t.end();
});

t.test('a reader that is stopped until the ring overflows loses exactly what was counted', async (t) => {
  using producer = new Producer();
  const reader = new TypescriptProcess('ring-reader', [producer.collection.map('events').info().id]);
  t.teardown(() => reader.kill());
  t.equal(await reader.line(), 'ready');
  const ROUNDS = 200;
  for (let round = 0; round < ROUNDS; round++) {
    if (round === 60) reader.child.kill('SIGSTOP');
    if (round === 120) reader.child.kill('SIGCONT');
    producer.produce(5000);
    await delay(1);
  }
  reader.tell('end');
  const report = JSON.parse(await reader.line()) as Record<'read' | 'gaps' | 'corrupt' | 'last', number>;
  t.equal(await reader.ended(), 0);
  const { seen, no_space: lost, submitted } = producer.counters;
  t.comment({ ...report, lost });
  t.equal(seen, 1_000_000n);
  t.ok(lost > 0n);
  t.equal(seen, submitted + lost);
  t.equal(BigInt(report.read), submitted);
  t.match(report, { gaps: 0, corrupt: 0, last: report.read - 1 });
});
