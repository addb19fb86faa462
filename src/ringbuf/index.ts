export { OverwritablePerfBuffer } from './overwritable-perf-buffer.ts';
export type { OverwritablePerfBufferOptions } from './overwritable-perf-buffer.ts';
export type { PerfWakeup } from './perf-ring.ts';
export { PerfBuffer } from './perf-buffer.ts';
export type { PerfBufferOptions, PerfSample } from './perf-buffer.ts';
export type { InPlaceDecoder, StructCodec } from './in-place-reader.ts';
export type { RecordCodec } from './record-size.ts';
export { RingBufferRecord } from './record.ts';
export { RingBuffer } from './ring-buffer.ts';
export { ReaderGroup } from './reader-group.ts';
export type { GroupedReader, GroupedReaders, GroupEvent, GroupHandlers } from './reader-group.ts';
export type { ListenOptions, RecordDecoder, RingBufferOptions } from './reader-options.ts';
export { RingBufferWorker } from './ring-buffer-worker.ts';
export type { RingBufferWorkerOptions, RingWorkerMaps } from './ring-buffer-worker.ts';
export type { EventStreamOptions, NodeEventStreamOptions } from './streams.ts';
export type {
  MakeRingWorkerHandler,
  RecordSource,
  RingWorkerContext,
  RingWorkerHandler,
} from './worker-loop.ts';
export { UserRecord } from './user-record.ts';
export { UserRingBuffer } from './user-ring-buffer.ts';
