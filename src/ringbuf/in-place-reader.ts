import { ArgumentError } from '../errors.ts';
import { InPlaceReader, type FieldTable, type InPlace, type ValueCodec } from '../btf/index.ts';

/** A codec of a struct or union: of `createCodec()`, or of a module that `ts-xdp gen` wrote. */
export interface StructCodec<Value> extends Pick<ValueCodec<Value>, 'size' | 'typeName' | 'read'> {
  readonly fields?: FieldTable | undefined;
}

/** Turns a record whose fields are read where they lie into an event, at once: the record is gone when it returns. */
export type InPlaceDecoder<Fields, Event> = (fields: Fields) => Event;

/** @throws ArgumentError for a codec that does not know of fields */
export function inPlaceReader<Value>(codec: StructCodec<Value>): InPlaceReader<InPlace<Value>> {
  const { fields, typeName } = codec;
  if (fields) return new InPlaceReader<InPlace<Value>>(fields);
  const message = `Cannot read ${typeName} in place: its codec has no fields`;
  throw new ArgumentError('codec', message, {
    hint: 'structs and unions have some; a module that is older than this is to be generated again',
  });
}
