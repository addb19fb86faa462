export { Cursor } from './cursor.ts';
export { array, be16, be32, bytes, chars, i16, i32, i64, i8, u16, u32, u64, u8 } from './field-types.ts';
export type { FieldType, ValueOf } from './field-types.ts';
export { alignUp, at, layout, struct } from './struct.ts';
export type { PlacedField, StructType, StructValue } from './struct.ts';
export { wordsOf } from './words.ts';
