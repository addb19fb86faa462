export { RingBufferRecord } from './record.ts';
export { RingBuffer } from './ring-buffer.ts';
export type { ListenOptions, RecordDecoder, RingBufferOptions } from './ring-buffer.ts';
