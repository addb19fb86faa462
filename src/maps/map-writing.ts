import { MapBatchError, PermissionError } from '../errors.ts';
import { errno } from '../sys/index.ts';
import { BPF_ANY, BPF_F_LOCK } from '../uapi/index.ts';
import { batchCapacity, lacksBatches, MapBatch } from './map-batch.ts';
import type { MapCalls } from './map-calls.ts';

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
  let byBatches = (flags & ~BPF_F_LOCK) === BPF_ANY;
  let done = 0;
  for (const part of parts(entries, batch.capacity)) {
    part.forEach((entry, index) => {
      writer.key(batch.keys, index * keySize, entry);
      writer.value(batch.values, index * calls.valueSize, entry);
    });
    if (byBatches) {
      const { result, count } = batch.change('BPF_MAP_UPDATE_BATCH', { most: part.length, flags });
      if (result >= 0) {
        done += part.length;
        continue;
      }
      if (count > 0 || !lacksBatches(calls, result)) {
        throw failed(calls, 'BPF_MAP_UPDATE_BATCH', { done: done + count, result, doing: 'write' });
      }
      byBatches = false;
    }
    done += writeSingly(calls, batch, { count: part.length, flags, before: done });
  }
  return done;
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
  let byBatches = true;
  let removed = 0;
  for (const part of parts(keys, batch.capacity)) {
    let start = 0;
    while (byBatches && start < part.length) {
      const most = part.length - start;
      for (let index = 0; index < most; index++)
        write(batch.keys, index * keySize, part[start + index] as Key);
      const { result, count } = batch.change('BPF_MAP_DELETE_BATCH', { most });
      const handled = result >= 0 ? most : count;
      removed += handled;
      start += handled;
      if (result >= 0) break;
      if (result === -errno.ENOENT) start++;
      else if (count === 0 && lacksBatches(calls, result)) byBatches = false;
      else throw failed(calls, 'BPF_MAP_DELETE_BATCH', { done: removed, result, doing: 'delete' });
    }
    for (; !byBatches && start < part.length; start++) {
      write(calls.key, 0, part[start] as Key);
      if (calls.remove()) removed++;
    }
  }
  return removed;
}

function failed(
  calls: MapCalls,
  command: 'BPF_MAP_UPDATE_BATCH' | 'BPF_MAP_UPDATE_ELEM' | 'BPF_MAP_DELETE_BATCH',
  { done, result, doing }: { done: number; result: number; doing: 'write' | 'delete' },
): Error {
  const { name } = calls.facts;
  const cause = calls.error(command, { doing: doing === 'write' ? 'write to' : 'delete from', result });
  // Nothing of a map that may not be written is: that is no matter of one entry.
  if (cause instanceof PermissionError && done === 0) return cause;
  const why = cause.message.slice(cause.message.indexOf(': ') + 2);
  const what = doing === 'write' ? 'written' : 'deleted';
  const message = `Cannot ${doing} entry ${done + 1} of those given for map ${name}: ${why}; the ${done} before it are ${what}`;
  return new MapBatchError(name, done, message, { cause });
}

function copy(from: DataView, { index, size, to }: { index: number; size: number; to: DataView }): void {
  const source = new Uint8Array(from.buffer, from.byteOffset + index * size, size);
  new Uint8Array(to.buffer, to.byteOffset, size).set(source);
}

function* parts<Item>(items: Iterable<Item>, size: number): Generator<Item[]> {
  let part: Item[] = [];
  for (const item of items) {
    part.push(item);
    if (part.length < size) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}
