import type { InPlace } from '../btf/index.ts';
import { inPlaceReader, type InPlaceDecoder, type StructCodec } from './in-place-reader.ts';
import { wrongSize, type RecordCodec } from './record-size.ts';
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
export function decodeValues<Event>(map: string, codec: RecordCodec<Event>): PerfDecode<Event> {
  const check = sizeCheck(map, codec);
  if (codec.flexible !== undefined)
    return (view, start, length) => {
      check(length);
      return codec.read(view, start, start + length);
    };
  return (view, start, length) => {
    check(length);
    return codec.read(view, start);
  };
}

/** By the fields that a decoder of the caller's asks for. */
export function decodeInPlace<Value, Event>(
  map: string,
  codec: StructCodec<Value>,
  decode: InPlaceDecoder<InPlace<Value>, Event>,
): PerfDecode<Event> {
  const reader = inPlaceReader(codec);
  const check = sizeCheck(map, codec);
  return (view, start, length) => {
    check(length);
    reader.moveTo(view, start, start + length);
    return decode(reader.fields);
  };
}

function sizeCheck(map: string, codec: Omit<RecordCodec<unknown>, 'read'>): (length: number) => void {
  const { size, flexible } = codec;
  if (flexible !== undefined)
    return (length) => {
      if (length < flexible.smallest) throw wrongSize(map, codec, length);
    };
  return (length) => {
    // Length and data together are padded to 8 bytes (perf_prepare_sample() in kernel/events/core.c).
    if (length < size || length - size >= 8) throw wrongSize(map, codec, length);
  };
}
