import { ArgumentError, ClosedError } from '../errors.ts';
import { createCodec, type Btf, type BtfValue } from '../btf/index.ts';
import type { BpfMap } from '../maps/index.ts';
import { BackwardPerfRing } from './backward-perf-ring.ts';
import type { PerfBufferOptions, PerfSample } from './perf-buffer.ts';
import { decodeRecords, decodeValues, type PerfDecode } from './perf-decode.ts';
import { openPerfRings } from './perf-rings.ts';
import type { RecordDecoder } from './reader-options.ts';
import type { RecordCodec } from './record-size.ts';

/** How an {@link OverwritablePerfBuffer} is opened. */
export type OverwritablePerfBufferOptions = Pick<PerfBufferOptions, 'pagesPerCpu' | 'onLost'>;

/**
 * A flight recorder: the newest samples of `bpf_perf_event_output()` on each CPU, of which the kernel overwrites the oldest
 * (`write_backward`, Linux 4.7), so that programs never find it full and nobody has to read until something has happened.
 *
 * Reading pauses the output of all CPUs, goes over each from the newest sample to the oldest, and lets it go on. What programs
 * write meanwhile is refused (ENOSPC) and counted in {@link lost}. It does not own the map, and closes with it, or before.
 *
 * @example
 * using recorder = OverwritablePerfBuffer.typed(collection.map('events'), { btf, typeId, pagesPerCpu: 8 });
 * process.on('SIGUSR1', () => console.log(recorder.latest()));
 */
export class OverwritablePerfBuffer<Event> {
  readonly map: BpfMap;
  readonly #rings: readonly BackwardPerfRing[];
  readonly #decode: PerfDecode<Event>;
  readonly #onLost: PerfBufferOptions['onLost'];
  readonly #forgetMap: () => void;
  #lost = 0;
  #paused = false;
  #reading = false;
  #closed = false;

  private constructor(map: BpfMap, setup: OverwritablePerfBufferOptions & { decode: PerfDecode<Event> }) {
    this.map = map;
    this.#decode = setup.decode;
    this.#onLost = setup.onLost;
    this.#rings = openPerfRings(map, {
      pages: setup.pagesPerCpu ?? 64,
      open: (place) => BackwardPerfRing.open(map.kernel, place),
    });
    this.#forgetMap = map.fd.onClose(() => {
      this.close();
    });
  }

  /** Reads samples with a decoder of the caller's: as `PerfBuffer.open`. @throws ArgumentError, PermissionError, SyscallError */
  static open<Event>(
    map: BpfMap,
    options: OverwritablePerfBufferOptions & { readonly decode: RecordDecoder<Event> },
  ): OverwritablePerfBuffer<Event> {
    return new OverwritablePerfBuffer(map, { ...options, decode: decodeRecords(options.decode) });
  }

  /** Reads samples as copies of their bytes, with the padding that the kernel adds. @throws as {@link open} */
  static bytes(map: BpfMap, options: OverwritablePerfBufferOptions = {}): OverwritablePerfBuffer<Uint8Array> {
    return OverwritablePerfBuffer.open(map, { ...options, decode: (record) => record.bytes() });
  }

  /** Reads samples as objects, by their BTF type: as `PerfBuffer.typed`. @throws as {@link open}; EventSizeError, while reading, for one of another size */
  static typed(
    map: BpfMap,
    options: OverwritablePerfBufferOptions & { readonly btf: Btf; readonly typeId: number },
  ): OverwritablePerfBuffer<BtfValue> {
    const { btf, typeId, ...rest } = options;
    return OverwritablePerfBuffer.withCodec(map, { ...rest, codec: createCodec(btf, typeId) });
  }

  /** Reads samples by a codec: as {@link typed}, for whoever has compiled one. */
  static withCodec<Event>(
    map: BpfMap,
    options: OverwritablePerfBufferOptions & {
      readonly codec: RecordCodec<Event>;
    },
  ): OverwritablePerfBuffer<Event> {
    const { codec, ...rest } = options;
    return new OverwritablePerfBuffer(map, { ...rest, decode: decodeValues(map.name, codec) });
  }

  /** Samples that the kernel refused while the output was paused, as far as it has told: it does with the next one. */
  get lost(): number {
    return this.#lost;
  }

  /** Whether {@link pause} holds the output. */
  get paused(): boolean {
    return this.#paused;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Calls back for the samples that came since the last time and are still there, those of each CPU from the newest to the
   * oldest, and returns how many it was. With `limit` the newest of each CPU alone; the others count as read.
   *
   * @throws ClosedError; ArgumentError from within its own callback; what the decoder and `onSample` throw; SyscallError
   */
  read(onSample: (sample: PerfSample<Event>) => void, options: { limit?: number } = {}): number {
    this.#checkOpen();
    if (this.#reading) {
      const message = `Cannot read perf buffer ${this.map.name} from within its own callback`;
      throw new ArgumentError('onSample', message);
    }
    const { limit = Number.POSITIVE_INFINITY } = options;
    let count = 0;
    this.#reading = true;
    try {
      if (!this.#paused) this.#setPaused({ paused: true });
      for (const ring of this.#rings) count += this.#readRing(ring, { onSample, limit });
      return count;
    } finally {
      this.#reading = false;
      // A callback may have closed it.
      if (this.#closed) this.#release();
      else if (!this.#paused) this.#setPaused({ paused: false });
    }
  }

  /** What {@link read} gives, in a list. */
  latest(options: { limit?: number } = {}): PerfSample<Event>[] {
    const samples: PerfSample<Event>[] = [];
    this.read((sample) => samples.push(sample), options);
    return samples;
  }

  /** Keeps what is there from being overwritten, until {@link resume}. Idempotent. @throws ClosedError, SyscallError */
  pause(): void {
    this.#checkOpen();
    this.#setPaused({ paused: true });
    this.#paused = true;
  }

  /** Takes {@link pause} back. Idempotent. @throws ClosedError, SyscallError */
  resume(): void {
    this.#checkOpen();
    this.#setPaused({ paused: false });
    this.#paused = false;
  }

  /** Idempotent, and safe in callbacks; the map stays open. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forgetMap();
    if (!this.#reading) this.#release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #readRing(
    ring: BackwardPerfRing,
    { onSample, limit }: { onSample: (sample: PerfSample<Event>) => void; limit: number },
  ): number {
    if (this.#closed) return 0;
    const { cpu } = ring;
    let count = 0;
    ring.walk({
      sample: (view, start, length) => {
        if (count >= limit) return false;
        count++;
        onSample({ cpu, event: this.#decode(view, start, length) });
        return !this.#closed;
      },
      lost: (dropped) => {
        this.#lost += dropped;
        this.#onLost?.({ cpu, count: dropped });
      },
    });
    return count;
  }

  #setPaused(state: { paused: boolean }): void {
    for (const ring of this.#rings) ring.setPaused(state);
  }

  #release(): void {
    for (const ring of this.#rings) ring.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError(`the perf buffer ${this.map.name}`);
  }
}
