import type { InPlace } from '../btf/index.ts';
import type { BpfMap } from '../maps/index.ts';
import {
  PerfBuffer,
  type InPlaceDecoder,
  type ListenOptions,
  type PerfBufferOptions,
  type PerfSample,
} from '../ringbuf/index.ts';
import type { Codec } from './codec.ts';

/**
 * The events of a perf buffer, each with the CPU that it came from, read by compiled readers. Its rings are opened when they
 * are first asked for, and from then on the kernel writes to them; the reader closes with the collection.
 *
 * @example
 * const { reader } = loaded.events.samples; // events are kept from here on
 * for await (const { cpu, event } of loaded.events.samples) console.log(cpu, event.pid);
 */
export class PerfEventSource<Event> implements AsyncIterable<PerfSample<Event>> {
  readonly map: BpfMap;
  readonly #codec: Codec<Event>;
  #reader: PerfBuffer<Event> | undefined;

  constructor(map: BpfMap, codec: Codec<Event>) {
    this.map = map;
    this.#codec = codec;
  }

  /** The reader that iterating and listening use. @throws SyscallError where the rings cannot be opened */
  get reader(): PerfBuffer<Event> {
    this.#reader ??= this.open();
    return this.#reader;
  }

  /** A reader of its own, to be closed by the caller; it takes the place of any other. */
  open(options: PerfBufferOptions = {}): PerfBuffer<Event> {
    return PerfBuffer.withCodec(this.map, { ...options, codec: this.#codec });
  }

  /** A reader of its own whose `decode` reads single fields where they lie; to be closed by the caller. */
  openInPlace<Result>(
    options: PerfBufferOptions & { readonly decode: InPlaceDecoder<InPlace<Event>, Result> },
  ): PerfBuffer<Result> {
    return PerfBuffer.inPlaceWithCodec(this.map, { ...options, codec: this.#codec });
  }

  /** As {@link PerfBuffer.listen}. */
  listen(onSample: (sample: PerfSample<Event>) => void, options: ListenOptions = {}): void {
    this.reader.listen(onSample, options);
  }

  /** As {@link PerfBuffer.drain}. */
  drain(onSample: (sample: PerfSample<Event>) => void, options: { readonly limit?: number } = {}): number {
    return this.reader.drain(onSample, options);
  }

  [Symbol.asyncIterator](): AsyncIterator<PerfSample<Event>, undefined> {
    return this.reader.samples();
  }
}
