import type { RingBuffer } from '../../ringbuf/index.ts';
import type { EndOfStream } from './end-of-stream.ts';

/** A ring buffer and what becomes of its events. */
export interface HandledRing<Event> {
  readonly ring: RingBuffer<Event>;
  readonly handle: (event: Event) => void;
}

/** What the readers of several rings count together. */
export interface CountedEvents {
  readonly counter: { events: number };
  /** How many are handled at most. */
  readonly limit: number | undefined;
}

/** Handles events as they come, up to the limit, which ends the stream. */
export function listenTo<Event>(
  { ring, handle }: HandledRing<Event>,
  { counter, limit, end }: CountedEvents & { readonly end: EndOfStream },
): void {
  const fail = (error: unknown): void => {
    ring.stop();
    end.fail(error);
  };
  ring.listen(
    (event) => {
      if (limit !== undefined && counter.events >= limit) return;
      counter.events++;
      handle(event);
      if (counter.events === limit) end.finish();
    },
    { onError: fail },
  );
}

/** Stops listening, and handles what is there still. */
export function drainRest<Event>(
  rings: readonly HandledRing<Event>[],
  { counter, limit }: CountedEvents,
): void {
  for (const { ring, handle } of rings) {
    ring.stop();
    const left = limit === undefined ? Number.POSITIVE_INFINITY : limit - counter.events;
    if (left <= 0) continue;
    ring.drain(
      (event) => {
        counter.events++;
        handle(event);
      },
      { limit: left },
    );
  }
}
