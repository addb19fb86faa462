import { ArgumentError } from '../errors.ts';
import {
  createCodec,
  InPlaceReader,
  type Btf,
  type FieldTable,
  type InPlace,
  type ValueCodec,
} from '../btf/index.ts';

/** A codec of a struct or union: of `createCodec()`, or of a module that `ts-xdp gen` wrote. */
export interface StructCodec<Value> extends Pick<
  ValueCodec<Value>,
  'size' | 'typeName' | 'flexible' | 'read'
> {
  readonly fields?: FieldTable | undefined;
}

/** Turns a record whose fields are read where they lie into an event, at once: the record is gone when it returns. */
export type InPlaceDecoder<Fields, Event> = (fields: Fields) => Event;

/**
 * The codec of a type whose fields the caller knows as `Fields`, and the decoder by it: BTF says what they are, and nothing here
 * could say that it is the same.
 */
export function typedInPlace<Fields, Event>({
  btf,
  typeId,
  decode,
}: {
  readonly btf: Btf;
  readonly typeId: number;
  readonly decode: InPlaceDecoder<Fields, Event>;
}): { codec: StructCodec<Fields>; decode: InPlaceDecoder<InPlace<Fields>, Event> } {
  const codec = createCodec(btf, typeId) as StructCodec<unknown> as StructCodec<Fields>;
  return { codec, decode: decode as InPlaceDecoder<InPlace<Fields>, Event> };
}

/** @throws ArgumentError for a codec that does not know of fields */
export function inPlaceReader<Value>(codec: StructCodec<Value>): InPlaceReader<InPlace<Value>> {
  const { fields, typeName } = codec;
  if (fields) return new InPlaceReader<InPlace<Value>>(fields);
  const message = `Cannot read ${typeName} in place: its codec has no fields`;
  throw new ArgumentError('codec', message, {
    hint: 'structs and unions have some; a module that is older than this is to be generated again',
  });
}
