import { MapBatchError, PermissionError } from '../errors.ts';
import { errno } from '../sys/index.ts';
import { BPF_ANY, BPF_F_LOCK } from '../uapi/index.ts';
import { batchCapacity, lacksBatches, MapBatch } from './map-batch.ts';
import type { MapCalls } from './map-calls.ts';
import { bytesOf } from './map-reading.ts';

/** Puts keys and values where they are wanted. */
export interface EntryWriter<Entry> {
  key(view: DataView, offset: number, entry: Entry): void;
  value(view: DataView, offset: number, entry: Entry): void;
}

/**
 * Writes entries by batches, and one by one where the kernel has no batches for the map, or for the flags
 * (generic_map_update_batch() in kernel/bpf/syscall.c takes BPF_F_LOCK alone). Returns how many.
 *
 * @throws MapBatchError where one is refused
 */
export function writeEntries<Entry>(
  calls: MapCalls,
  entries: Iterable<Entry>,
  { writer, flags }: { writer: EntryWriter<Entry>; flags: number },
): number {
  const batch = new MapBatch(calls, batchCapacity(calls));
  const { keySize } = calls.facts;
  const progress = { byBatches: (flags & ~BPF_F_LOCK) === BPF_ANY, done: 0 };
  let count = 0;
  // Straight into the batch's memory: a list of each part would be most of what is allocated.
  for (const entry of entries) {
    writer.key(batch.keys, count * keySize, entry);
    writer.value(batch.values, count * calls.valueSize, entry);
    if (++count < batch.capacity) continue;
    writeBatch(calls, batch, { count, flags, progress });
    count = 0;
  }
  if (count > 0) writeBatch(calls, batch, { count, flags, progress });
  return progress.done;
}

/** How far a call has come that takes many entries. */
interface Progress {
  /** The kernel has batches, as far as is known. */
  byBatches: boolean;
  /** Entries that are written or removed. */
  done: number;
}

/** Writes the first `count` entries of a batch. */
function writeBatch(
  calls: MapCalls,
  batch: MapBatch,
  { count: most, flags, progress }: { count: number; flags: number; progress: Progress },
): void {
  const { done } = progress;
  if (progress.byBatches) {
    const { result, count } = batch.change('BPF_MAP_UPDATE_BATCH', { most, flags });
    if (result >= 0) {
      progress.done += most;
      return;
    }
    if (count > 0 || !lacksBatches(calls, result))
      throw failed(calls, 'BPF_MAP_UPDATE_BATCH', { done: done + count, result, doing: 'write' });
    progress.byBatches = false;
  }
  progress.done += writeSingly(calls, batch, { count: most, flags, before: done });
}

function writeSingly(
  calls: MapCalls,
  batch: MapBatch,
  { count, flags, before }: { count: number; flags: number; before: number },
): number {
  for (let index = 0; index < count; index++) {
    copy(batch.keys, { index, size: calls.facts.keySize, to: calls.key });
    copy(batch.values, { index, size: calls.valueSize, to: calls.value });
    const result = calls.update(flags);
    if (result < 0)
      throw failed(calls, 'BPF_MAP_UPDATE_ELEM', { done: before + index, result, doing: 'write' });
  }
  return count;
}

/**
 * Removes entries by batches, and one by one where the kernel has none for the map. Returns how many there were: a
 * batch ends at a key that is not there, so the rest of it follows in another.
 *
 * @throws MapBatchError where one is refused
 */
export function removeEntries<Key>(
  calls: MapCalls,
  keys: Iterable<Key>,
  write: (view: DataView, offset: number, key: Key) => void,
): number {
  const batch = new MapBatch(calls, batchCapacity(calls));
  const { keySize } = calls.facts;
  const progress = { byBatches: true, done: 0 };
  let count = 0;
  for (const key of keys) {
    write(batch.keys, count * keySize, key);
    if (++count < batch.capacity) continue;
    removeBatch(calls, batch, { count, progress });
    count = 0;
  }
  if (count > 0) removeBatch(calls, batch, { count, progress });
  return progress.done;
}

/** Removes the entries of the first `count` keys of a batch. */
function removeBatch(
  calls: MapCalls,
  batch: MapBatch,
  { count: all, progress }: { count: number; progress: Progress },
): void {
  const { keySize } = calls.facts;
  let left = all;
  while (progress.byBatches && left > 0) {
    const { result, count } = batch.change('BPF_MAP_DELETE_BATCH', { most: left });
    const handled = result >= 0 ? left : count;
    progress.done += handled;
    if (result >= 0) return;
    const absent = result === -errno.ENOENT;
    if (!absent && (count > 0 || !lacksBatches(calls, result)))
      throw failed(calls, 'BPF_MAP_DELETE_BATCH', { done: progress.done, result, doing: 'delete' });
    if (!absent) progress.byBatches = false;
    const past = handled + (absent ? 1 : 0);
    bytesOf(batch.keys).copyWithin(0, past * keySize, left * keySize);
    left -= past;
  }
  for (let index = 0; index < left; index++) {
    copy(batch.keys, { index, size: keySize, to: calls.key });
    if (calls.remove()) progress.done++;
  }
}

function failed(
  calls: MapCalls,
  command: 'BPF_MAP_UPDATE_BATCH' | 'BPF_MAP_UPDATE_ELEM' | 'BPF_MAP_DELETE_BATCH',
  { done, result, doing }: { done: number; result: number; doing: 'write' | 'delete' },
): Error {
  const { name } = calls.facts;
  const cause = calls.error(command, { doing: doing === 'write' ? 'write to' : 'delete from', result });
  // Nothing of a map that may not be written is: that is no matter of one entry.
  if ((cause instanceof PermissionError || result === -errno.EPERM) && done === 0) return cause;
  const why = cause.message.slice(cause.message.indexOf(': ') + 2);
  const what = doing === 'write' ? 'written' : 'deleted';
  const message = `Cannot ${doing} entry ${done + 1} of those given for map ${name}: ${why}; the ${done} before it are ${what}`;
  return new MapBatchError(name, done, message, { cause });
}

function copy(from: DataView, { index, size, to }: { index: number; size: number; to: DataView }): void {
  const source = new Uint8Array(from.buffer, from.byteOffset + index * size, size);
  new Uint8Array(to.buffer, to.byteOffset, size).set(source);
}
