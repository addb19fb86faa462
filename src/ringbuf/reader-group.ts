import type { Readable } from 'node:stream';
import { ArgumentError, ClosedError } from '../errors.ts';
import { BlockingWait, checkInteger, openReadinessSet, type Fd } from '../sys/index.ts';
import { checkBatchSize } from './batch-size.ts';
import { LoopReading } from './loop-reading.ts';
import { join, leave } from './membership.ts';
import type { ListenOptions, RingBufferOptions } from './reader-options.ts';
import {
  toNodeStream,
  toWebStream,
  type EventStreamOptions,
  type NodeEventStreamOptions,
} from './streams.ts';

/** What a {@link ReaderGroup} needs of its members: a `RingBuffer` has it, and a `PerfBuffer`. */
export interface GroupedReader<Item> {
  readonly closed: boolean;
  /** It is being listened to, or an iteration waits, or a group reads it. */
  readonly reading: boolean;
  /** Bytes that wait. */
  readonly pending: number;
  /** Readable when there is something. */
  readonly fd: Fd;
  drain(onItem: (item: Item) => void, options?: { limit?: number }): number;
  /** What it returns takes the action back. */
  onClose(action: () => void): () => void;
}

/** The members of a {@link ReaderGroup}, by the names that its events come with. */
export type GroupedReaders = Readonly<Record<string, GroupedReader<unknown>>>;

type ItemOf<Reader> = Reader extends GroupedReader<infer Item> ? Item : never;

/** A callback for each member of a {@link ReaderGroup}: the counterpart of libbpf's `sample_cb`. */
export type GroupHandlers<Readers extends GroupedReaders> = {
  readonly [Name in keyof Readers]: (event: ItemOf<Readers[Name]>) => void;
};

/** An event of a {@link ReaderGroup}: `source` tells of which member, and so of which type it is. */
export type GroupEvent<Readers extends GroupedReaders> = {
  readonly [Name in keyof Readers & string]: {
    readonly source: Name;
    readonly event: ItemOf<Readers[Name]>;
  };
}[keyof Readers & string];

interface Member {
  readonly name: string;
  readonly reader: GroupedReader<unknown>;
  readonly forget: () => void;
}

/**
 * Several ring buffers and perf buffers behind one epoll set, as libbpf's `ring_buffer__add()` and `ring_buffer__poll()`: read
 * by a callback for each, by an iteration over the events of all, or by {@link poll} in a thread that may block.
 *
 * The order is that of each member; between members there is none, and none is kept waiting by another that never runs dry.
 * The members remain the caller's: one that closes leaves the group, and the group closes with its last one. While it
 * listens or iterates they cannot be listened to by themselves.
 *
 * @example
 * using group = ReaderGroup.of({
 *   execs: collection.events('execs'),
 *   packets: PerfBuffer.typed(collection.map('packets'), { btf, typeId }),
 * });
 * for await (const { source, event } of group) {
 *   if (source === 'execs') console.log(event);
 *   else console.log(event.cpu, event.event);
 * }
 */
export class ReaderGroup<const Readers extends GroupedReaders> implements AsyncIterable<GroupEvent<Readers>> {
  readonly #reading: LoopReading<GroupEvent<Readers>>;
  #members: readonly Member[];
  /** Made when it is first waited for, and anew when a member has left. */
  #set: Fd | undefined;
  #blocking: BlockingWait | undefined;
  #closed = false;
  #draining = false;
  #discarded = 0;
  /** The member to begin with next. */
  #turn = 0;
  /** What an iteration has read and not given out, the last one first. */
  #backlog: GroupEvent<Readers>[] = [];
  readonly #description: string;

  private constructor(readers: Readers, batchSize: number) {
    const entries = Object.entries(readers);
    this.#description = `group of ${entries.map(([name]) => name).join(', ')}`;
    this.#members = entries.map(([name, reader]) => {
      if (!join(reader, () => this.#reading.active))
        throw new ArgumentError('readers', `Cannot group reader ${name}: it is in a group already`);
      const forget = reader.onClose(() => {
        this.#leave(name);
      });
      return { name, reader, forget };
    });
    this.#reading = new LoopReading<GroupEvent<Readers>>({
      description: this.#description,
      batchSize,
      isClosed: () => this.#closed,
      checkFree: () => {
        const read = this.#members.find(({ reader }) => reader.reading);
        if (read && !this.#reading.active) {
          const message = `Cannot read ${this.#description}: ${read.name} is being read already`;
          throw new ArgumentError('readers', message);
        }
      },
      readiness: () => this.#readiness(),
      drain: (onEvent, options) =>
        this.#drain((source, event) => {
          onEvent({ source, event } as GroupEvent<Readers>);
        }, options),
      giveBack: (events) => {
        if (this.#closed) this.#discarded += events.length;
        // One by one: a call takes no more arguments than the stack has room for.
        else for (const event of events.toReversed()) this.#backlog.push(event);
      },
    });
  }

  /**
   * Groups readers that are open.
   *
   * @throws ArgumentError where there is none, or one is in a group already; ClosedError
   */
  static of<const Readers extends GroupedReaders>(
    readers: Readers,
    options: RingBufferOptions = {},
  ): ReaderGroup<Readers> {
    const batchSize = checkBatchSize(options.batchSize);
    const members = Object.values(readers);
    if (members.length === 0) throw new ArgumentError('readers', 'Cannot make a group of no readers');
    const closed = Object.keys(readers).find((name) => readers[name]?.closed);
    if (closed !== undefined) throw new ClosedError(`the reader ${closed}`);
    return new ReaderGroup(readers, batchSize);
  }

  /** The names of the members that are open. */
  get sources(): (keyof Readers & string)[] {
    return this.#members.map(({ name }) => name);
  }

  /** Bytes that wait in the members' rings, headers included. */
  get pending(): number {
    let pending = 0;
    for (const { reader } of this.#members) pending += reader.pending;
    return pending;
  }

  /** Events that an iteration or a stream had read, that nobody got, and that went with the group when it closed. */
  get discarded(): number {
    return this.#discarded;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The epoll set, for a set of the caller's: libbpf's `ring_buffer__epoll_fd()`. Another one once a member has left. @throws ClosedError, SyscallError */
  get fd(): Fd {
    this.#checkOpen();
    return this.#readiness();
  }

  /**
   * Handles what is there now, at most `limit` events of all members together, and returns how many it was.
   *
   * @throws ClosedError; ArgumentError when called from within its own callback; what the members' `drain` and the handlers
   * throw
   */
  drain(handlers: GroupHandlers<Readers>, options: { limit?: number } = {}): number {
    this.#checkOpen();
    const byName = handlers as unknown as Readonly<Record<string, (event: unknown) => void>>;
    return this.#drain((source, event) => byName[source]?.(event), options);
  }

  /**
   * Calls back for each event, from now on, until the signal aborts or the group closes. Keeps the process alive.
   *
   * @throws ClosedError; ArgumentError where it, or a member, is being read already
   */
  listen(handlers: GroupHandlers<Readers>, options: ListenOptions = {}): void {
    this.#reading.listen((limit) => this.drain(handlers, limit), options);
  }

  /**
   * Handles what is there; where nothing is, blocks this thread until something comes, and handles that. Returns how many
   * events it was: 0 after the timeout, or earlier where a signal came, or where what a member tells of was read before.
   *
   * @param options.timeout Milliseconds; -1 waits for ever. @default -1
   * @param options.limit As of {@link drain}.
   * @throws as {@link drain}; SyscallError
   */
  poll(handlers: GroupHandlers<Readers>, options: { timeout?: number; limit?: number } = {}): number {
    const { timeout = -1 } = options;
    checkInteger('timeout', timeout, { minimum: -1, maximum: 0x7fff_ffff });
    this.#checkOpen();
    // Before draining, since adding to a set uses up what perf_poll() of kernel/events/core.c tells only once.
    this.#blocking ??= BlockingWait.open(this.#descriptors(), `the ${this.#description}`);
    const there = this.drain(handlers, options);
    if (there > 0 || this.#closed) return there;
    // An `onLost` callback may have closed a member, and with it what was waited for.
    this.#blocking ??= BlockingWait.open(this.#descriptors(), `the ${this.#description}`);
    return this.#blocking.wait(timeout) ? this.drain(handlers, options) : 0;
  }

  [Symbol.asyncIterator](): AsyncIterator<GroupEvent<Readers>, undefined> {
    return this.events();
  }

  /**
   * The events of all members as an async iterator, read in batches and only as fast as they are taken. It ends when the signal
   * aborts, or the group stops or closes. Events that were read by then and not taken come first when it is read again.
   *
   * @throws ClosedError; ArgumentError where it, or a member, is being read already; what {@link drain} throws
   */
  events(options: { signal?: AbortSignal } = {}): AsyncGenerator<GroupEvent<Readers>, undefined> {
    return this.#reading.items(options.signal);
  }

  /** The events as a stream of the web: as {@link RingBuffer.toWebStream}. @throws ClosedError */
  toWebStream(options: EventStreamOptions = {}): ReadableStream<GroupEvent<Readers>> {
    return toWebStream(this.#reading.streamed(), options);
  }

  /** The events as a `Readable` in object mode: as {@link RingBuffer.toNodeStream}. @throws ClosedError */
  toNodeStream(options: NodeEventStreamOptions = {}): Readable {
    return toNodeStream(this.#reading.streamed(), options);
  }

  /** Ends {@link listen} and iterations; the group can be read again. */
  stop(): void {
    this.#reading.stop();
  }

  /** Idempotent, and safe in callbacks. The members stay open. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reading.stop();
    for (const { reader, forget } of this.#members) {
      forget();
      leave(reader);
    }
    this.#members = [];
    this.#discarded += this.#backlog.length;
    this.#backlog = [];
    this.#closeSets();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #drain(
    visit: (source: string, event: unknown) => void,
    { limit = Number.POSITIVE_INFINITY }: { limit?: number },
  ): number {
    if (this.#draining) {
      const message = `Cannot drain ${this.#description} from within its own callback`;
      throw new ArgumentError('handlers', message);
    }
    let count = 0;
    this.#draining = true;
    try {
      for (; this.#backlog.length > 0 && count < limit && !this.#closed; count++) {
        const { source, event } = this.#backlog.pop() as GroupEvent<Readers>;
        visit(source, event);
      }
      // A callback may close members, and so change who they are.
      const members = this.#members;
      for (let step = 0; step < members.length && count < limit && !this.#closed; step++) {
        const member = members[this.#turn++ % members.length];
        if (member === undefined || member.reader.closed) continue;
        const { name, reader } = member;
        count += reader.drain(
          (event) => {
            visit(name, event);
          },
          { limit: limit - count },
        );
      }
      return count;
    } finally {
      this.#draining = false;
    }
  }

  #readiness(): Fd {
    this.#set ??= openReadinessSet(this.#descriptors(), `the ${this.#description}`);
    return this.#set;
  }

  #descriptors(): Fd[] {
    return this.#members.map(({ reader }) => reader.fd);
  }

  /** The map of a ring that nobody reads would stay in the set, and always be ready. */
  #leave(name: string): void {
    const left = this.#members.find((member) => member.name === name);
    if (!left) return;
    left.forget();
    leave(left.reader);
    this.#members = this.#members.filter((member) => member !== left);
    if (this.#members.length === 0) {
      this.close();
      return;
    }
    const [set, blocking] = [this.#set, this.#blocking];
    this.#set = undefined;
    this.#blocking = undefined;
    this.#reading.watchAnew();
    set?.close();
    blocking?.close();
  }

  #closeSets(): void {
    this.#set?.close();
    this.#blocking?.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError(`the ${this.#description}`);
  }
}
