import { EventSizeError } from '../errors.ts';
import type { ValueCodec } from '../btf/index.ts';
import { RingBufferRecord } from './record.ts';
import type { RecordDecoder } from './reader-options.ts';

/** Makes an event of a sample's bytes. */
export type PerfDecode<Event> = (view: DataView, start: number, length: number) => Event;

/** By a decoder of the caller's: one record for each memory that samples lie in. */
export function decodeRecords<Event>(decode: RecordDecoder<Event>): PerfDecode<Event> {
  const records = new WeakMap<DataView, RingBufferRecord>();
  return (view, start, length) => {
    let record = records.get(view);
    if (record === undefined) {
      record = new RingBufferRecord(view);
      records.set(view, record);
    }
    record.moveTo(start, length);
    return decode(record);
  };
}

/** By a codec, for samples of the map of that name. */
export function decodeValues<Event>(
  map: string,
  codec: Pick<ValueCodec<Event>, 'size' | 'typeName' | 'read'>,
): PerfDecode<Event> {
  const name = codec.typeName.replace(/^struct /, '');
  return (view, start, length) => {
    // Length and data together are padded to 8 bytes (perf_prepare_sample() in kernel/events/core.c).
    if (length < codec.size || length - codec.size >= 8)
      throw new EventSizeError(map, name, codec.size, length);
    return codec.read(view, start);
  };
}
