import { Readable } from 'node:stream';
import type { ReadableStreamDefaultController } from 'node:stream/web';
import { ArgumentError } from '../errors.ts';

/** Options of a stream of events. */
export interface EventStreamOptions {
  /** Ends the stream with an error, the signal's reason, when aborted. */
  readonly signal?: AbortSignal;
}

/** Options of a stream of Node's. */
export interface NodeEventStreamOptions extends EventStreamOptions {
  /**
   * Events that are read ahead of the consumer.
   * @default 16
   */
  readonly highWaterMark?: number;
}

/** What a stream is made over. */
export interface StreamedReader<Event> {
  /** For messages: `ring buffer events`. */
  readonly description: string;
  /** Ends when the signal aborts or the reader closes. */
  iterate(options: { signal: AbortSignal }): AsyncGenerator<Event, undefined>;
  /** Takes events back that were read and that no consumer got, in their order. */
  giveBack(events: Event[]): void;
}

/**
 * A web stream that reads an event when one is asked for, and none ahead: the ring is its queue.
 */
export function toWebStream<Event>(
  reader: StreamedReader<Event>,
  { signal }: EventStreamOptions,
): ReadableStream<Event> {
  const own = new AbortController();
  const events = reader.iterate({ signal: own.signal });
  let over = false;
  let abort: () => void = () => undefined;
  const end = (): void => {
    over = true;
    signal?.removeEventListener('abort', abort);
    own.abort();
  };
  return new ReadableStream<Event>(
    {
      start(controller: ReadableStreamDefaultController<Event>) {
        abort = () => {
          end();
          // So that a reader that counts what it discards gets to know of the rest.
          events.return(undefined).catch((error: unknown) => {
            controller.error(error);
          });
          controller.error(signal?.reason);
        };
        if (signal?.aborted === true) abort();
        else signal?.addEventListener('abort', abort, { once: true });
      },
      async pull(controller: ReadableStreamDefaultController<Event>) {
        const next = await events.next().catch((error: unknown) => {
          end();
          throw error;
        });
        if (over) {
          if (next.done !== true) reader.giveBack([next.value]);
        } else if (next.done === true) {
          end();
          controller.close();
        } else {
          controller.enqueue(next.value);
        }
      },
      async cancel() {
        end();
        await events.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

/** A stream of Node's in object mode. What it read ahead goes back to the reader when it is destroyed. */
export function toNodeStream<Event>(
  reader: StreamedReader<Event>,
  { signal, highWaterMark = 16 }: NodeEventStreamOptions,
): Readable {
  const own = new AbortController();
  const events = reader.iterate({ signal: own.signal });
  /** The last ones that were pushed, among them all that wait in the stream. */
  const pushed: Event[] = [];
  /** What a read that was under way has brought after the end. */
  const late: Event[] = [];
  let advancing: Promise<void> | undefined;
  const advance = async (stream: Readable): Promise<void> => {
    const next = await events.next();
    if (next.done === true) {
      if (!own.signal.aborted) stream.push(null);
      return;
    }
    if (own.signal.aborted) {
      late.push(next.value);
      return;
    }
    // In a stream of Node's it would mean the end.
    if (next.value === null)
      throw new ArgumentError('decode', `Cannot stream ${reader.description}: an event is null`);
    const behind = pushed.length - stream.readableLength;
    if (behind > 16 + highWaterMark) pushed.splice(0, behind);
    pushed.push(next.value);
    stream.push(next.value);
  };
  return new Readable({
    objectMode: true,
    highWaterMark,
    ...(signal && { signal }),
    read() {
      advancing = advance(this).catch((error: unknown) => {
        this.destroy(error as Error);
      });
    },
    destroy(error, done) {
      own.abort();
      const waiting = this.readableLength === 0 ? [] : pushed.slice(-this.readableLength);
      const end = async (): Promise<void> => {
        await advancing;
        const left = [...waiting, ...late];
        if (left.length > 0) reader.giveBack(left);
        await events.return(undefined);
      };
      end().then(() => {
        done(error);
      }, done);
    },
  });
}
