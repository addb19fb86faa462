import type { RingBufferRecord } from './record.ts';

/** Turns a record into an event, at once: the record is gone when it returns. */
export type RecordDecoder<Event> = (record: RingBufferRecord) => Event;

/** Options of every reader of a ring buffer. */
export interface RingBufferOptions {
  /**
   * Records handled before the event loop gets its turn. Larger is faster, smaller lets timers and other events
   * run sooner.
   * @default 1024
   */
  readonly batchSize?: number;
}

/** Options of `listen`. */
export interface ListenOptions {
  /** Ends the listening when aborted. */
  readonly signal?: AbortSignal;
  /**
   * Gets what ends the listening: an error of the descriptor, of the decoder, of the callback.
   * @default an uncaught exception
   */
  readonly onError?: (error: Error) => void;
}
