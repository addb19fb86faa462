import { alignUp } from '../binary/index.ts';
import { Feature, isSupported } from '../features/index.ts';
import { bpfCommands, errno } from '../sys/index.ts';
import { bpf_attr_batch } from '../uapi/index.ts';
import type { MapCalls } from './map-calls.ts';

const { in_batch, out_batch, keys, values, count, map_fd, elem_flags } = bpf_attr_batch.offsets;

export type BatchCommand =
  | 'BPF_MAP_LOOKUP_BATCH'
  | 'BPF_MAP_LOOKUP_AND_DELETE_BATCH'
  | 'BPF_MAP_UPDATE_BATCH'
  | 'BPF_MAP_DELETE_BATCH';

/** What a batch command came to; `count` entries were handled in any case. */
export interface BatchOutcome {
  readonly result: number;
  readonly count: number;
}

/** Bytes of keys and values of one batch, about; entries of one batch at most. */
const TARGET_SIZE = 1 << 18;
const MOST_ENTRIES = 4096;

/** How many entries of a map make a batch. */
export function batchCapacity({ facts: { keySize, maxEntries }, valueSize }: MapCalls): number {
  const fitting = Math.floor(TARGET_SIZE / Math.max(1, keySize + valueSize));
  return Math.max(1, Math.min(fitting, MOST_ENTRIES, maxEntries));
}

/**
 * Keys and values of several entries, for the batch commands of bpf(2) (Linux 5.6), in one block of memory with the
 * attribute. Keys lie close together, and so do values, which are those of all CPUs where the map has one for each.
 */
export class MapBatch {
  readonly capacity: number;
  readonly keys: DataView;
  readonly values: DataView;
  readonly #calls: MapCalls;
  readonly #attribute: Uint8Array;
  readonly #view: DataView;
  readonly #position: bigint;

  constructor(calls: MapCalls, capacity: number) {
    const { keySize, kernel } = calls.facts;
    this.#calls = calls;
    this.capacity = capacity;
    // The place to go on from is a bucket's number for hashes and a key for others (kernel/bpf/hashtab.c, syscall.c).
    const positionAt = alignUp(bpf_attr_batch.size, 8);
    const keysAt = alignUp(positionAt + Math.max(keySize, 8), 8);
    const valuesAt = alignUp(keysAt + keySize * capacity, 8);
    const buffer = new ArrayBuffer(valuesAt + calls.valueSize * capacity);
    const base = kernel.addressOf(new Uint8Array(buffer));
    this.#attribute = new Uint8Array(buffer, 0, bpf_attr_batch.size);
    this.#view = new DataView(buffer, 0, bpf_attr_batch.size);
    this.keys = new DataView(buffer, keysAt, keySize * capacity);
    this.values = new DataView(buffer, valuesAt, calls.valueSize * capacity);
    this.#position = base + BigInt(positionAt);
    this.#view.setBigUint64(out_batch, this.#position, true);
    this.#view.setBigUint64(keys, base + BigInt(keysAt), true);
    this.#view.setBigUint64(values, base + BigInt(valuesAt), true);
  }

  /** Goes on where the last reading batch of `other` ended. */
  continueFrom(other: MapBatch): void {
    const [from, to] = [other.#positionBytes, this.#positionBytes];
    to.set(from);
  }

  /** Reads entries on from the last ones, or from the start. */
  read(
    command: 'BPF_MAP_LOOKUP_BATCH' | 'BPF_MAP_LOOKUP_AND_DELETE_BATCH',
    { first, most = this.capacity }: { first: boolean; most?: number },
  ): BatchOutcome {
    this.#view.setBigUint64(in_batch, first ? 0n : this.#position, true);
    this.#view.setBigUint64(elem_flags, 0n, true);
    return this.#call(command, most);
  }

  /** Writes or removes the first `most` entries. */
  change(
    command: 'BPF_MAP_UPDATE_BATCH' | 'BPF_MAP_DELETE_BATCH',
    { most, flags = 0 }: { most: number; flags?: number },
  ): BatchOutcome {
    this.#view.setBigUint64(in_batch, 0n, true);
    this.#view.setBigUint64(elem_flags, BigInt(flags), true);
    const outcome = this.#call(command, most);
    // A call that is refused before its first entry leaves the count as it was.
    const { result } = outcome;
    return result < 0 && outcome.count === most ? { result, count: 0 } : outcome;
  }

  get #positionBytes(): Uint8Array {
    const { keySize } = this.#calls.facts;
    return new Uint8Array(this.#view.buffer, alignUp(bpf_attr_batch.size, 8), Math.max(keySize, 8));
  }

  #call(command: BatchCommand, most: number): BatchOutcome {
    const view = this.#view;
    const { fd, facts } = this.#calls;
    view.setUint32(map_fd, fd.value, true);
    view.setUint32(count, most, true);
    const result = facts.kernel.bpf(bpfCommands[command], this.#attribute);
    return { result, count: view.getUint32(count, true) };
  }
}

/**
 * Whether a batch was refused because the kernel has none for maps of this type (bpf_map_do_batch() answers ENOTSUPP),
 * or none at all (EINVAL before 5.6).
 */
export function lacksBatches({ facts: { kernel } }: MapCalls, result: number): boolean {
  if (result === -errno.ENOTSUPP) return true;
  return result === -errno.EINVAL && !isSupported(Feature.BatchOperations, { kernel });
}
