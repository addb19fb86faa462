import { MapIterationError } from '../errors.ts';
import { errno } from '../sys/index.ts';
import { batchCapacity, lacksBatches, MapBatch } from './map-batch.ts';
import type { MapCalls } from './map-calls.ts';
import { MapType, resumesByPlace } from './map-type.ts';

/** Entries that lie one after the other, valid until the next ones are asked for. */
export interface ReadBatch {
  readonly keys: DataView;
  readonly values: DataView;
  readonly count: number;
}

type ReadCommand = 'BPF_MAP_LOOKUP_BATCH' | 'BPF_MAP_LOOKUP_AND_DELETE_BATCH';

/** How often the kernel may find a key gone that it has just seen (MAP_LOOKUP_RETRIES in kernel/bpf/syscall.c). */
const MOST_INTERRUPTIONS = 16;

/**
 * Reads a whole map by batches, once through. Returns false, before the first batch, where the kernel has none for it.
 *
 * Hashes go on at a bucket, arrays at an index. Other maps go on from the last key of a batch
 * (generic_map_lookup_batch() in kernel/bpf/syscall.c), and a trie starts over where that is gone: of those the next
 * batch is read before one is given out, so that whoever gets its keys may delete them.
 *
 * @throws MapIterationError, of a map that goes on from keys, after twice as many entries as it can hold
 */
export function* readBatches(
  calls: MapCalls,
  { command, capacity = batchCapacity(calls) }: { command: ReadCommand; capacity?: number },
): Generator<ReadBatch, boolean> {
  const { name, type, maxEntries } = calls.facts;
  // Before 6.15 the kernel ends a batch at an empty slot with EINTR (generic_map_lookup_batch() in kernel/bpf/syscall.c).
  if (type === MapType.ArrayOfMaps) return false;
  const ahead = !resumesByPlace(type);
  const batches = stepBatches(calls, { command, capacity, keepLast: ahead });
  let step = batches.next();
  for (let total = 0; step.done !== true;) {
    total += step.value.count;
    if (ahead && total > maxEntries * 2) throw restless(name);
    const following = ahead ? batches.next() : undefined;
    yield step.value;
    step = following ?? batches.next();
  }
  return step.value;
}

/**
 * The batches, each valid until the next one is asked for; with `keepLast` until the one after that.
 *
 * The kernel copies whole buckets of a hash, and says ENOSPC for one with more entries than there is room for: the room
 * is doubled then (__htab_map_lookup_and_delete_batch() in kernel/bpf/hashtab.c).
 */
function* stepBatches(
  calls: MapCalls,
  { command, capacity, keepLast }: { command: ReadCommand; capacity: number; keepLast: boolean },
): Generator<ReadBatch, boolean> {
  let batch = new MapBatch(calls, capacity);
  let spare: MapBatch | undefined;
  let interruptions = 0;
  for (let first = true; ;) {
    const { result, count } = batch.read(command, { first });
    if (result === -errno.ENOSPC) {
      const larger = new MapBatch(calls, batch.capacity * 2);
      larger.continueFrom(batch);
      batch = larger;
      // The kernel has written which bucket it is, whose number was not known before the first call.
      first = false;
      continue;
    }
    const interrupted = result === -errno.EINTR && (count > 0 || interruptions++ < MOST_INTERRUPTIONS);
    if (result < 0 && result !== -errno.ENOENT && !interrupted) {
      if (first && lacksBatches(calls, result)) return false;
      throw calls.error(command, { doing: 'read', result });
    }
    if (count > 0) {
      first = false;
      yield { keys: batch.keys, values: batch.values, count };
    }
    if (result === -errno.ENOENT) return true;
    if (!keepLast || count === 0) continue;
    const last = batch;
    batch = spare ?? new MapBatch(calls, last.capacity);
    batch.continueFrom(last);
    spare = last;
  }
}

/**
 * The keys one by one, a system call each, as copies. The key that follows is known before one is given out, so that this
 * one may be deleted.
 *
 * Where the key it stands at is gone, the kernel starts over (BPF_MAP_GET_NEXT_KEY), so that keys come again.
 *
 * @throws MapIterationError after twice as many keys as the map can hold
 */
export function* stepKeys(calls: MapCalls): Generator<Uint8Array, void> {
  const { name, maxEntries } = calls.facts;
  // Storage of cgroups says 0, has as many as there are cgroups, and never starts over.
  const limit = maxEntries === 0 ? Number.POSITIVE_INFINITY : maxEntries * 2 + 1;
  let more = calls.next({ first: true });
  for (let count = 0; more; count++) {
    if (count === limit) throw restless(name);
    const key = bytesOf(calls.key).slice();
    more = calls.next({ first: false });
    const following = more ? bytesOf(calls.key).slice() : undefined;
    yield key;
    // Whoever got the key may have made other calls about this map.
    if (following) bytesOf(calls.key).set(following);
  }
}

function restless(map: string): MapIterationError {
  return new MapIterationError(
    map,
    `Cannot read map ${map} to its end: its keys change faster than they are read, and the kernel starts over each time`,
  );
}

export function bytesOf(view: DataView): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
}
