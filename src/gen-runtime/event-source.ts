import type { InPlace } from '../btf/index.ts';
import type { BpfMap } from '../maps/index.ts';
import {
  RingBuffer,
  type InPlaceDecoder,
  type ListenOptions,
  type RingBufferOptions,
} from '../ringbuf/index.ts';
import type { Codec } from './codec.ts';

/**
 * The events of a ring buffer, read by compiled readers. The ring is mapped when they are first asked for; the reader
 * closes with the collection.
 *
 * @example
 * for await (const event of loaded.events.connections) console.log(event.pid);
 */
export class EventSource<Event> implements AsyncIterable<Event> {
  readonly map: BpfMap;
  readonly #codec: Codec<Event>;
  #reader: RingBuffer<Event> | undefined;

  constructor(map: BpfMap, codec: Codec<Event>) {
    this.map = map;
    this.#codec = codec;
  }

  /** The reader that iterating and listening use. @throws SyscallError where the ring cannot be mapped */
  get reader(): RingBuffer<Event> {
    this.#reader ??= this.open();
    return this.#reader;
  }

  /** A reader of its own, to be closed by the caller. All readers of a ring share its position. */
  open(options: RingBufferOptions = {}): RingBuffer<Event> {
    return RingBuffer.withCodec(this.map, { ...options, codec: this.#codec });
  }

  /**
   * A reader of its own whose `decode` reads single fields where they lie, without an object for each event, as
   * {@link RingBuffer.inPlace} does; to be closed by the caller.
   *
   * @example
   * using sizes = loaded.events.packets.openInPlace({ decode: (event) => event.length });
   */
  openInPlace<Result>(
    options: RingBufferOptions & { readonly decode: InPlaceDecoder<InPlace<Event>, Result> },
  ): RingBuffer<Result> {
    return RingBuffer.inPlaceWithCodec(this.map, { ...options, codec: this.#codec });
  }

  /** As {@link RingBuffer.listen}. */
  listen(onEvent: (event: Event) => void, options: ListenOptions = {}): void {
    this.reader.listen(onEvent, options);
  }

  /** As {@link RingBuffer.drain}. */
  drain(onEvent: (event: Event) => void, options: { readonly limit?: number } = {}): number {
    return this.reader.drain(onEvent, options);
  }

  [Symbol.asyncIterator](): AsyncIterator<Event, undefined> {
    return this.reader.events();
  }
}
