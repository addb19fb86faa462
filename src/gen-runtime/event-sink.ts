import type { Input } from '../btf/index.ts';
import type { BpfMap } from '../maps/index.ts';
import { UserRingBuffer } from '../ringbuf/index.ts';
import type { Codec } from './codec.ts';

/**
 * The events that programs read from a user ring buffer (Linux 6.1), written by compiled writers. The ring is mapped when the
 * first one is sent; the producer closes with the collection.
 *
 * @example
 * if (!loaded.events.commands.send({ action: 1 })) console.error('there is no room');
 */
export class EventSink<Event> {
  readonly map: BpfMap;
  readonly #codec: Codec<Event>;
  #bytes: Uint8Array;
  #view: DataView;
  #producer: UserRingBuffer | undefined;

  constructor(map: BpfMap, codec: Codec<Event>) {
    this.map = map;
    this.#codec = codec;
    this.#bytes = new Uint8Array(codec.size);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** The producer that sending uses. @throws SyscallError where the ring cannot be mapped */
  get producer(): UserRingBuffer {
    this.#producer ??= new UserRingBuffer(this.map);
    return this.#producer;
  }

  /**
   * Sends one event; false where there is no room now. With the elements of a flexible array its record is as long as they need.
   *
   * @throws ValueError where it does not fit the type, ArgumentError where it never fits the ring, ClosedError
   */
  send(event: Input<Event>): boolean {
    const codec = this.#codec;
    if (codec.flexible !== undefined) return this.#sendFlexible(event, codec.lengthOf(event));
    codec.write(this.#view, 0, event);
    return this.producer.write(this.#bytes);
  }

  #sendFlexible(event: Input<Event>, length: number): boolean {
    if (length > this.#bytes.length) {
      this.#bytes = new Uint8Array(length);
      this.#view = new DataView(this.#bytes.buffer);
    }
    this.#codec.write(this.#view, 0, event, length);
    return this.producer.write(this.#bytes.subarray(0, length));
  }
}
