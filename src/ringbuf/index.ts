export { PerfBuffer } from './perf-buffer.ts';
export type { PerfBufferOptions, PerfSample } from './perf-buffer.ts';
export { RingBufferRecord } from './record.ts';
export { RingBuffer } from './ring-buffer.ts';
export type { ListenOptions, RecordDecoder, RingBufferOptions } from './ring-buffer.ts';
export { UserRecord, UserRingBuffer } from './user-ring-buffer.ts';
