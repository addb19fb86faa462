import { ArgumentError, type UnsupportedFeatureError } from '../errors.ts';
import { unsupportedFeature } from '../features/index.ts';
import { BPF_ANY, BPF_EXIST, BPF_F_LOCK, BPF_NOEXIST } from '../uapi/index.ts';
import { errno } from '../sys/index.ts';
import type { MapCalls } from './map-calls.ts';
import { fittedCodec, type ElementCodec } from './map-codec.ts';
import { bytesOf, readBatches, stepKeys } from './map-reading.ts';
import { hasTake, mapTypeName } from './map-type.ts';
import { removeEntries, writeEntries } from './map-writing.ts';

/** Which entries `set` may write: any, only new ones, only existing ones. */
export type UpdateMode = 'any' | 'new' | 'existing';
const UPDATE_FLAGS: Record<UpdateMode, number> = { any: BPF_ANY, new: BPF_NOEXIST, existing: BPF_EXIST };

/** How an entry is read. */
export interface ReadEntryOptions {
  /**
   * Reads the value as a whole while its `bpf_spin_lock` is held; the value must have one. Linux 5.1.
   * @default false
   */
  readonly lock?: boolean;
}

/** How an entry is written. */
export interface WriteEntryOptions {
  /** @default 'any' */
  readonly mode?: UpdateMode;
  /**
   * Writes the value as a whole while its `bpf_spin_lock` is held; the value must have one. Linux 5.1.
   * @default false
   */
  readonly lock?: boolean;
}

/** What reads and writes the keys and values of a map. */
export interface EntryCodecs<Key, Value, KeyInput = unknown, ValueInput = unknown> {
  readonly key: ElementCodec<Key, KeyInput>;
  readonly value: ElementCodec<Value, ValueInput>;
}

/**
 * What all maps have in common that keep values under keys. `KeyInput` and `ValueInput` are what may be given where
 * `Key` and `Value` come out.
 *
 * Entries come and go while a map is read, by programs and by others. Hashes are read by batches of whole buckets (Linux
 * 5.6): an entry that stays is seen exactly once, one that comes or goes is seen or not. Other maps go on from the last
 * key, with or without batches; the keys that were given out may be deleted, but where somebody deletes the one that the
 * kernel stands at, it starts over: keys may come twice then, and {@link MapIterationError} ends what would never end.
 */
export abstract class KeyedMap<Key, Value, KeyInput = Key, ValueInput = Value> {
  /** For handles of this library on the same map. */
  readonly calls: MapCalls;
  /** How keys and values are turned into bytes and back. */
  readonly codecs: EntryCodecs<Key, Value, KeyInput, ValueInput>;

  constructor(calls: MapCalls, codecs: EntryCodecs<Key, Value, KeyInput, ValueInput>) {
    this.calls = calls;
    this.codecs = {
      key: fittedCodec(codecs.key, calls.facts.keySize),
      value: fittedCodec(codecs.value, calls.valueSize),
    };
  }

  /** The value under a key; undefined where there is none. @throws ValueError for a key that does not fit */
  get(key: KeyInput, options: ReadEntryOptions = {}): Value | undefined {
    const { calls, codecs } = this;
    codecs.key.write(calls.key, 0, key);
    const found = calls.lookup(options.lock === true ? BPF_F_LOCK : 0);
    return found ? codecs.value.read(calls.value, 0) : undefined;
  }

  /** Whether there is an entry under a key. */
  has(key: KeyInput): boolean {
    this.codecs.key.write(this.calls.key, 0, key);
    return this.calls.lookup();
  }

  /**
   * Writes one entry.
   *
   * @throws ValueError where key or value do not fit; SyscallError with E2BIG where the map is full, EEXIST for
   * mode `new`, ENOENT for mode `existing`
   */
  set(key: KeyInput, value: ValueInput, options: WriteEntryOptions = {}): void {
    const { calls, codecs } = this;
    const flags = updateFlags(this.calls, options);
    codecs.key.write(calls.key, 0, key);
    codecs.value.write(calls.value, 0, value);
    const result = calls.update(flags);
    if (result < 0) throw calls.error('BPF_MAP_UPDATE_ELEM', { doing: 'write to', result });
  }

  /** Removes one entry; false where there was none. */
  delete(key: KeyInput): boolean {
    this.codecs.key.write(this.calls.key, 0, key);
    return this.calls.remove();
  }

  /**
   * Removes one entry and gives its value, in one step that nobody comes between; undefined where there was none.
   * Hashes of all kinds, Linux 5.14.
   *
   * @throws ArgumentError for a map whose type has no such step, UnsupportedFeatureError
   */
  take(key: KeyInput, options: ReadEntryOptions = {}): Value | undefined {
    const { calls, codecs } = this;
    requireTake(calls, 'BPF_MAP_LOOKUP_AND_DELETE_ELEM');
    codecs.key.write(calls.key, 0, key);
    try {
      return calls.take(options.lock === true ? BPF_F_LOCK : 0)
        ? codecs.value.read(calls.value, 0)
        : undefined;
    } catch (error) {
      throw withoutTake(calls, error) ?? error;
    }
  }

  /** The values under several keys, in their order, one system call each; undefined where there is none. */
  getMany(keys: Iterable<KeyInput>, options: ReadEntryOptions = {}): (Value | undefined)[] {
    return Array.from(keys, (key) => this.get(key, options));
  }

  /**
   * Writes several entries, by batches where the kernel has them for the map and no mode but `any` is asked for,
   * otherwise one by one. Returns how many.
   *
   * @throws MapBatchError where the kernel refuses one, with the number of those before it, which are written; ValueError
   * where one does not fit: those of the batches before it are written
   */
  setMany(
    entries: Iterable<readonly [key: KeyInput, value: ValueInput]>,
    options: WriteEntryOptions = {},
  ): number {
    const { key, value } = this.codecs;
    const writer = {
      key: (view: DataView, offset: number, entry: readonly [KeyInput, ValueInput]): void => {
        key.write(view, offset, entry[0]);
      },
      value: (view: DataView, offset: number, entry: readonly [KeyInput, ValueInput]): void => {
        value.write(view, offset, entry[1]);
      },
    };
    return writeEntries(this.calls, entries, { writer, flags: updateFlags(this.calls, options) });
  }

  /**
   * Removes the entries under several keys, by batches where the kernel has them for the map. Returns how many there
   * were; keys without an entry are passed over.
   */
  deleteMany(keys: Iterable<KeyInput>): number {
    const { key } = this.codecs;
    return removeEntries(this.calls, keys, (view, offset, one) => {
      key.write(view, offset, one);
    });
  }

  /**
   * Removes all entries, or at most `limit`, and gives them: each in one step that nobody comes between. What others add
   * meanwhile is taken or stays. Hashes of all kinds, Linux 5.6; with a `limit` 5.14.
   *
   * @throws ArgumentError for a map whose type has no such step, UnsupportedFeatureError
   */
  takeMany(options: { readonly limit?: number } = {}): [key: Key, value: Value][] {
    requireTake(this.calls, 'BPF_MAP_LOOKUP_AND_DELETE_BATCH');
    if (options.limit !== undefined) return this.#takeSingly(options.limit);
    const taken: [Key, Value][] = [];
    const { key, value } = this.codecs;
    const [keySize, valueSize] = [this.calls.facts.keySize, this.calls.valueSize];
    const batches = readBatches(this.calls, { command: 'BPF_MAP_LOOKUP_AND_DELETE_BATCH' });
    let step = batches.next();
    for (; step.done !== true; step = batches.next()) {
      const { keys, values, count } = step.value;
      for (let index = 0; index < count; index++)
        taken.push([key.read(keys, index * keySize), value.read(values, index * valueSize)]);
    }
    if (!step.value) throw unsupported(this.calls, { feature: 'taking by batches', minKernel: '5.6' });
    return taken;
  }

  /**
   * Removes all entries that are there now, as {@link takeMany} does, and gives how many. Hashes of all kinds, Linux 5.6.
   *
   * @throws ArgumentError for a map whose type has no such step, UnsupportedFeatureError
   */
  clear(): number {
    requireTake(this.calls, 'BPF_MAP_LOOKUP_AND_DELETE_BATCH');
    let cleared = 0;
    const batches = readBatches(this.calls, { command: 'BPF_MAP_LOOKUP_AND_DELETE_BATCH' });
    let step = batches.next();
    for (; step.done !== true; step = batches.next()) cleared += step.value.count;
    if (!step.value) throw unsupported(this.calls, { feature: 'taking by batches', minKernel: '5.6' });
    return cleared;
  }

  /** The keys; see {@link KeyedMap} for entries that come and go meanwhile. */
  *keys(): Generator<Key, undefined> {
    const { key } = this.codecs;
    const { keySize } = this.calls.facts;
    const batches = readBatches(this.calls, { command: 'BPF_MAP_LOOKUP_BATCH' });
    let step = batches.next();
    for (; step.done !== true; step = batches.next()) {
      const { keys, count } = step.value;
      for (let index = 0; index < count; index++) yield key.read(keys, index * keySize);
    }
    if (step.value) return;
    for (const bytes of stepKeys(this.calls)) yield key.read(viewOf(bytes), 0);
  }

  /** The key that the kernel has after another, or first of all; undefined where there is none. Their order means nothing. */
  keyAfter(key: KeyInput | undefined): Key | undefined {
    const { calls, codecs } = this;
    if (key !== undefined) codecs.key.write(calls.key, 0, key);
    return calls.next({ first: key === undefined }) ? codecs.key.read(calls.key, 0) : undefined;
  }

  /** The values; see {@link KeyedMap}. */
  *values(): Generator<Value, undefined> {
    for (const [, value] of this.entries()) yield value;
  }

  /** Keys and values; see {@link KeyedMap} for entries that come and go meanwhile. */
  *entries(): Generator<[key: Key, value: Value], undefined> {
    const batches = readBatches(this.calls, { command: 'BPF_MAP_LOOKUP_BATCH' });
    let step = batches.next();
    const { key, value } = this.codecs;
    const [keySize, valueSize] = [this.calls.facts.keySize, this.calls.valueSize];
    // Not by a generator for each batch: one within another costs twice for every entry.
    for (; step.done !== true; step = batches.next()) {
      const { keys, values, count } = step.value;
      for (let index = 0; index < count; index++)
        yield [key.read(keys, index * keySize), value.read(values, index * valueSize)];
    }
    if (!step.value) yield* this.#stepEntries();
  }

  [Symbol.iterator](): Generator<[key: Key, value: Value], undefined> {
    return this.entries();
  }

  /** The keys as bytes, with the same guarantees as {@link keys}. */
  *keyBytes(): Generator<Uint8Array, undefined> {
    const { keySize } = this.calls.facts;
    const batches = readBatches(this.calls, { command: 'BPF_MAP_LOOKUP_BATCH' });
    let step = batches.next();
    for (; step.done !== true; step = batches.next()) {
      const { keys, count } = step.value;
      const bytes = bytesOf(keys);
      for (let index = 0; index < count; index++) yield bytes.slice(index * keySize, (index + 1) * keySize);
    }
    if (!step.value) yield* stepKeys(this.calls);
  }

  /**
   * The value under a key, both as bytes in the map's layout; undefined where there is none.
   *
   * @throws ArgumentError where the key does not have as many bytes as the kernel will read
   */
  getBytes(key: Uint8Array): Uint8Array | undefined {
    this.#place('key', key);
    return this.calls.lookup() ? bytesOf(this.calls.value).slice() : undefined;
  }

  /**
   * Writes one entry from bytes that are already in the map's layout.
   *
   * @throws ArgumentError where they are not as many as the kernel will read
   */
  setBytes(key: Uint8Array, value: Uint8Array, options: WriteEntryOptions = {}): void {
    this.#place('key', key);
    this.#place('value', value);
    const result = this.calls.update(updateFlags(this.calls, options));
    if (result < 0) throw this.calls.error('BPF_MAP_UPDATE_ELEM', { doing: 'write to', result });
  }

  /** Removes one entry by the bytes of its key. @throws ArgumentError as {@link getBytes} */
  deleteBytes(key: Uint8Array): boolean {
    this.#place('key', key);
    return this.calls.remove();
  }

  /** The kernel reads as many bytes as the map's keys and values have. */
  #place(part: 'key' | 'value', bytes: Uint8Array): void {
    const view = this.calls[part];
    if (!(bytes instanceof Uint8Array) || bytes.length !== view.byteLength) {
      const { name } = this.calls.facts;
      throw new ArgumentError(
        part,
        `Cannot write to map ${name}: its ${part} must be ${view.byteLength} bytes`,
      );
    }
    bytesOf(view).set(bytes);
  }

  *#stepEntries(): Generator<[Key, Value], undefined> {
    const { calls, codecs } = this;
    for (const bytes of stepKeys(calls)) {
      bytesOf(calls.key).set(bytes);
      if (calls.lookup()) yield [codecs.key.read(viewOf(bytes), 0), codecs.value.read(calls.value, 0)];
    }
  }

  #takeSingly(limit: number): [Key, Value][] {
    const { calls, codecs } = this;
    const taken: [Key, Value][] = [];
    try {
      while (taken.length < limit && calls.next({ first: true })) {
        if (calls.take()) taken.push([codecs.key.read(calls.key, 0), codecs.value.read(calls.value, 0)]);
      }
    } catch (error) {
      throw withoutTake(calls, error) ?? error;
    }
    return taken;
  }
}

function updateFlags(calls: MapCalls, { mode = 'any', lock = false }: WriteEntryOptions): number {
  if (!Object.hasOwn(UPDATE_FLAGS, mode)) {
    const message = `Cannot write to map ${calls.facts.name}: there is no mode ${mode}`;
    throw new ArgumentError('mode', message, { hint: 'the modes are any, new and existing' });
  }
  return UPDATE_FLAGS[mode] | (lock ? BPF_F_LOCK : 0);
}

function requireTake(calls: MapCalls, command: string): void {
  const { name, type } = calls.facts;
  if (hasTake(type)) return;
  throw new ArgumentError(
    'map',
    `Cannot take from map ${name}: maps of type ${mapTypeName(type)} have no ${command}`,
  );
}

/** Before 5.14 the kernel has the step for queues and stacks alone, and answers ENOTSUPP or EINVAL. */
function withoutTake(calls: MapCalls, error: unknown): Error | undefined {
  const { errno: number } = error as { errno?: number };
  if (number !== errno.ENOTSUPP && number !== errno.EINVAL) return undefined;
  return unsupported(calls, { feature: 'taking from hashes', minKernel: '5.14' });
}

function unsupported(
  calls: MapCalls,
  { feature, minKernel }: { feature: string; minKernel: string },
): UnsupportedFeatureError {
  return unsupportedFeature({ name: feature, minKernel }, { doing: `take from map ${calls.facts.name}` });
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
