/** A producer on another CPU that never stops: the event loop goes on with everything else. */
import t from 'tap';
import { Collection, ObjectFile, RingBuffer } from '../../src/index.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { TypescriptProcess } from '../helpers/typescript-process.ts';
import { until } from '../helpers/until.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() : 'ring buffers need root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

/** node-tap watches every promise, which makes an iteration many times as slow as it is by itself. */
const EVENTS = { listen: 500_000, 'for await': 100_000 };

t.test('a timer of 10 ms goes on firing while events are read without end', async (t) => {
  const compiler = new Compiler();
  t.teardown(() => {
    compiler.close();
  });
  const path = compiler.fixture('events');
  for (const mode of ['listen', 'for await'] as const) {
    await t.test(mode, async (t) => {
      using collection = Collection.load(ObjectFile.open(path));
      const producer = new TypescriptProcess('producer', [collection.program('produce').id]);
      t.teardown(() => producer.kill());
      const ring = RingBuffer.open(collection.map('events'), { decode: (record) => record.u32(0) });
      t.equal(await producer.line(), 'ready');
      let events = 0;
      let firings = 0;
      let most = 0;
      let last = 0;
      const timer = setInterval(() => {
        firings++;
        most = Math.max(most, events - last);
        last = events;
      }, 10);
      if (mode === 'listen') {
        ring.listen(() => events++);
        await until(() => events >= EVENTS[mode]);
      } else {
        for await (const _number of ring) if (++events >= EVENTS[mode]) break;
      }
      clearInterval(timer);
      ring.close();
      await producer.kill();
      t.comment({ events, firings, most });
      // However fast the machine is, a batch of 1024 is far below the timer's 10 ms.
      t.ok(firings >= 5, 'it fired');
      t.ok(most < EVENTS[mode] / 4, 'and no great part of the events was read before it could again');
    });
  }
});
