/**
 * Our side of the benchmarks of events that come by themselves.
 *
 * Usage: our-reader.js MAP_ID loop|block|spin: on the event loop, or in a worker that blocks or spins. It speaks the protocol
 * of libbpf-poll.c.
 */
import { createInterface } from 'node:readline';
import { BpfMap, RingBuffer, RingBufferWorker } from '../../src/index.ts';
import { EVENTS, LATENCY, RUN } from './our-handler.ts';
import { Tally, type EventsAnswer, type Wanted } from './tally.ts';

interface Reader {
  /** Starts a run; resolves with its answer. */
  start(wanted: number, what: Wanted): Promise<EventsAnswer>;
  close(): Promise<void>;
}

function onLoop(map: BpfMap): Reader {
  let tally: Tally | undefined;
  const ring = RingBuffer.open(map, { decode: (record) => tally?.add(record) });
  return {
    start(wanted, what) {
      const current = new Tally(wanted, what);
      tally = current;
      return new Promise((resolve) => {
        ring.stop();
        ring.listen(() => {
          if (current.events === wanted) resolve(current.answer());
        });
      });
    },
    close() {
      ring.close();
      return Promise.resolve();
    },
  };
}

async function inWorker(map: BpfMap, whenEmpty: 'block' | 'spin'): Promise<Reader> {
  const words = new Int32Array(new SharedArrayBuffer(12));
  let tell: (answer: EventsAnswer) => void = () => undefined;
  const worker = await RingBufferWorker.start<EventsAnswer>(map, {
    module: new URL('./our-handler.js', import.meta.url),
    data: words,
    whenEmpty,
    onMessage: (answer) => {
      tell(answer);
    },
  });
  const begin = (wanted: number, what: Wanted): void => {
    Atomics.store(words, EVENTS, wanted);
    Atomics.store(words, LATENCY, what === 'latency' ? 1 : 0);
    Atomics.add(words, RUN, 1);
    Atomics.notify(words, RUN);
  };
  return {
    start(wanted, what) {
      const answer = new Promise<EventsAnswer>((resolve) => (tell = resolve));
      begin(wanted, what);
      return Promise.race([answer, worker.ended.then(() => answer)]);
    },
    async close() {
      const closed = worker.close();
      begin(0, 'rate');
      await closed;
    },
  };
}

const [id, how] = process.argv.slice(2);
if (id === undefined || (how !== 'loop' && how !== 'block' && how !== 'spin'))
  throw new Error('Usage: our-reader.js MAP_ID loop|block|spin');
const map = BpfMap.fromId(Number(id));
let reader: Reader | undefined;
for await (const line of createInterface({ input: process.stdin })) {
  const [wanted, what] = line.split(' ') as [string, Wanted];
  reader ??= how === 'loop' ? onLoop(map) : await inWorker(map, how);
  const answer = reader.start(Number(wanted), what);
  process.stdout.write('{}\n');
  process.stdout.write(`${JSON.stringify(await answer)}\n`);
}
await reader?.close();
map.close();
