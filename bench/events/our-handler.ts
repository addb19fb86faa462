/**
 * Our side in a worker. After each run, whose answer it posts, it waits for the next, with its whole thread, so that what spins
 * takes no CPU from the others.
 */
import type { RingWorkerContext, RingWorkerHandler } from '../../src/index.ts';
import { Tally, type EventsAnswer, type Wanted } from './tally.ts';

/** Of the words that reader and handler share: the number of the run, its events, and whether latencies are wanted. */
export const RUN = 0;
export const EVENTS = 1;
export const LATENCY = 2;

export default function makeHandler({
  data: words,
  post,
}: RingWorkerContext<Int32Array, EventsAnswer>): RingWorkerHandler {
  let run = 0;
  const nextTally = (): Tally => {
    Atomics.wait(words, RUN, run);
    run = Atomics.load(words, RUN);
    const what: Wanted = Atomics.load(words, LATENCY) === 1 ? 'latency' : 'rate';
    return new Tally(Atomics.load(words, EVENTS), what);
  };
  let tally: Tally | undefined;
  return {
    onRecord(record) {
      tally ??= nextTally();
      tally.add(record);
    },
    onBatch() {
      if (tally?.events !== tally?.wanted || tally === undefined) return;
      post(tally.answer());
      tally = nextTally();
    },
  };
}
