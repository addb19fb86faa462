export { Btf } from './btf.ts';
export type { BtfOptions } from './btf.ts';
export { BtfBuilder } from './builder.ts';
export type { AppendedBtf, BtfBuilderOptions } from './builder.ts';
export { BtfExt } from './btf-ext.ts';
export type { BtfExtSection, CoreRelocation, FunctionInfo, LineInfo } from './btf-ext.ts';
export { copyInto, readBytes, readText, toBytes, toText, writeElements } from './array-codec.ts';
export { createCodec } from './codec.ts';
export type { Codec } from './codec.ts';
export * from './compiled-access.ts';
export {
  CoreResolver,
  coreKindNames,
  DecodedTypes,
  essentialName,
  patchInstruction,
  POISONED_HELPER,
  typesAreCompatible,
} from './core/index.ts';
export type { AccessChange, CoreKind, CoreResolution, CoreTargets } from './core/index.ts';
export { dedup } from './dedup/index.ts';
export type { DedupResult } from './dedup/index.ts';
export { dumpC } from './dump-c/index.ts';
export type { DumpOptions } from './dump-c/index.ts';
export { rawText, rawType } from './dump-raw/index.ts';
export type { RawElement, RawField, RawType } from './dump-raw/index.ts';
export { fieldsOf } from './fields.ts';
export { flexibleLength, lastFields } from './flexible.ts';
export type { FlexibleArray, FlexibleEnd } from './flexible.ts';
export { toBytesUpTo, writeElementsUpTo } from './flexible-codec.ts';
export { formatType } from './format-type.ts';
export { InPlaceReader } from './in-place.ts';
export type { FieldReader, FieldsWithin, FieldTable, InPlace } from './in-place.ts';
export type { BtfKind } from './kind.ts';
export type { Input } from './input.ts';
export { parseValue } from './parse-value.ts';
export { toFlag, toFloat } from './scalar-codec.ts';
export { refuseUnknown, toRecord } from './struct-codec.ts';
export { relocateBtf } from './relocate.ts';
export { alignmentOf, resolveType, sizeOf } from './resolve.ts';
export type * from './type.ts';
export { toJson } from './value.ts';
export type { BtfValue, Json } from './value.ts';
export { wholeValue } from './whole-value.ts';
export type { ValueCodec } from './whole-value.ts';
