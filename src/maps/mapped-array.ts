import { ArgumentError, BoundsError, ClosedError } from '../errors.ts';
import { alignUp } from '../binary/index.ts';
import type { BtfValue } from '../btf/index.ts';
import type { MemoryMapping } from '../sys/index.ts';
import { BPF_F_MMAPABLE } from '../uapi/index.ts';
import { requireType } from './family.ts';
import type { BpfMap } from './map.ts';
import { fittedCodec, type DefaultInput, type ElementCodec } from './map-codec.ts';
import { MapType } from './map-type.ts';

/** How an array is mapped into memory. */
export interface MappedArrayOptions<Value, ValueInput = DefaultInput<Value>> {
  /** A frozen map, and one that was opened for reading, can be mapped only without. @default true */
  readonly writable?: boolean;
  /** @default what BTF says of the map */
  readonly value?: ElementCodec<Value, ValueInput>;
}

/** The upper half of 2^53. */
const HIGHEST = 0x20_0000;

/**
 * An array with `BPF_F_MMAPABLE` (Linux 5.5), read and written in the memory that programs use: no system call, and no
 * copy but that of the value.
 *
 * Nothing keeps a program from writing at the same time. An integer of up to 64 bits is read and written as a whole; of a
 * struct half may be old.
 *
 * It does not own the map, and closes with it, or before. While it is open and writable the map cannot be frozen.
 *
 * @example
 * using counters = new MappedArray(collection.map('counters'));
 * counters.count(3); // a 64-bit counter as a number
 */
export class MappedArray<Value = BtfValue, ValueInput = DefaultInput<Value>> {
  readonly map: BpfMap;
  readonly length: number;
  readonly #value: ElementCodec<Value, ValueInput>;
  readonly #memory: MemoryMapping;
  readonly #view: DataView;
  readonly #words: BigUint64Array;
  readonly #doubles: Float64Array;
  readonly #double = new Float64Array(1);
  readonly #halves = new Uint32Array(this.#double.buffer);
  /** Bytes from one element to the next: array_map_alloc() in kernel/bpf/arraymap.c rounds their size up to 8. */
  readonly #stride: number;
  readonly #writable: boolean;
  readonly #forgetMap: () => void;
  #closed = false;

  /** @throws ArgumentError for a map that is no such array; PermissionError (EPERM) for a frozen one that is to be written */
  constructor(map: BpfMap, options: MappedArrayOptions<Value, ValueInput> = {}) {
    requireType(map, { types: [MapType.Array], as: 'an array in memory' });
    if ((map.flags & BPF_F_MMAPABLE) === 0) {
      const message = `Cannot map ${map.name} into memory: it was created without BPF_F_MMAPABLE`;
      throw new ArgumentError('map', message);
    }
    const { kernel, fd, maxEntries, valueSize } = map;
    const { writable = true, value } = options;
    this.map = map;
    this.length = maxEntries;
    this.#value = fittedCodec(value ?? (map.valueCodec as ElementCodec<Value, ValueInput>), valueSize);
    this.#stride = alignUp(valueSize, 8);
    this.#writable = writable;
    const length = alignUp(this.#stride * maxEntries, kernel.pageSize);
    this.#memory = kernel.mmap({ fd: fd.value, length, offset: 0, writable });
    this.#view = this.#memory.dataView;
    this.#words = new BigUint64Array(this.#memory.buffer);
    this.#doubles = new Float64Array(this.#memory.buffer);
    this.#forgetMap = fd.onClose(() => {
      this.close();
    });
  }

  /** @throws BoundsError past the end, ClosedError */
  get(index: number): Value {
    return this.#value.read(this.#view, this.#place(index));
  }

  /** @throws ValueError where it does not fit, BoundsError past the end, ArgumentError where it is not writable, ClosedError */
  set(index: number, value: ValueInput): void {
    if (!this.#writable) {
      throw new ArgumentError(
        'index',
        `Cannot write to map ${this.map.name}: it is mapped for reading alone`,
      );
    }
    this.#value.write(this.#view, this.#place(index), value);
  }

  /**
   * The 64-bit counter that an element begins with, or that lies `offset` bytes into it, as a number: exact up to 2^53.
   *
   * @throws BoundsError where no counter lies there, ClosedError
   */
  count(index: number, offset = 0): number {
    const at = this.#place(index) + offset;
    if ((at & 7) !== 0 || !(offset >= 0) || offset + 8 > this.#stride)
      throw new BoundsError(offset, 8, this.map.valueSize);
    // One load of 64 bits: two of 32 could see a carry half done. As a double it costs no bigint, and is taken apart below.
    this.#double[0] = this.#doubles[at / 8] as number;
    const [low, high] = [this.#halves[0] as number, this.#halves[1] as number];
    // Bits of what is no number need not survive as a double; such counters are beyond 2^53 in any case.
    return high < HIGHEST ? high * 2 ** 32 + low : Number(this.#words[at / 8]);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Idempotent; the map stays open. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forgetMap();
    this.#memory.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  *[Symbol.iterator](): Generator<[index: number, value: Value], undefined> {
    for (let index = 0; index < this.length; index++) yield [index, this.get(index)];
  }

  #place(index: number): number {
    if (this.#closed) throw new ClosedError(`the mapping of ${this.map.name}`);
    if (index >>> 0 !== index || index >= this.length) throw new BoundsError(index, 1, this.length);
    return index * this.#stride;
  }
}
