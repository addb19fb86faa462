import type { FlexibleEnd } from '../btf/index.ts';

/** What a value of a C type is made of, as the codecs of `createCodec()` see it. */
export type Shape =
  | { readonly kind: 'integer'; readonly size: number; readonly signed: boolean; readonly pointer: boolean }
  | { readonly kind: 'boolean'; readonly size: number }
  | { readonly kind: 'float'; readonly size: number }
  | { readonly kind: 'enum'; readonly size: number; readonly signed: boolean; readonly type: EnumType }
  | { readonly kind: 'text' | 'bytes'; readonly size: number; readonly flexible?: FlexibleEnd | undefined }
  | {
      readonly kind: 'array';
      readonly size: number;
      readonly length: number;
      readonly element: TypedShape;
      readonly flexible?: FlexibleEnd | undefined;
    }
  | { readonly kind: 'record'; readonly size: number; readonly type: RecordType }
  | BitsShape;

/** A bitfield: an integer, a boolean or an enum in some bits. */
export interface BitsShape {
  readonly kind: 'bits';
  /** Of the type that it is declared with. */
  readonly size: number;
  readonly bits: number;
  readonly signed: boolean;
  readonly of: 'integer' | 'boolean' | EnumType;
}

export interface TypedShape {
  readonly shape: Shape;
  /** As C spells it, typedefs and qualifiers included: what errors name. */
  readonly typeName: string;
}

/** A struct or union. */
export interface RecordType {
  readonly kind: 'record';
  /** In the generated module. */
  readonly name: string;
  /** `struct simple_event` */
  readonly typeName: string;
  readonly size: number;
  /** Where it ends in a flexible array. */
  readonly flexible: FlexibleEnd | undefined;
  /** In C's order, those of anonymous members in their place. */
  readonly fields: readonly RecordField[];
  readonly tags: readonly string[];
}

export interface RecordField extends TypedShape {
  readonly name: string;
  /** It is where a flexible array in it grows. */
  readonly last: boolean;
  readonly bitOffset: number;
  readonly tags: readonly string[];
}

export interface EnumType {
  readonly kind: 'enum';
  readonly name: string;
  readonly typeName: string;
  readonly size: number;
  readonly values: readonly { readonly name: string; readonly value: number | bigint }[];
  readonly tags: readonly string[];
}

export type NamedType = RecordType | EnumType;

/** Of a type that ends in a flexible array. */
export function flexibleEnd(shape: Shape): FlexibleEnd | undefined {
  if (shape.kind === 'record') return shape.type.flexible;
  return 'flexible' in shape ? shape.flexible : undefined;
}

/** Bits of an integer that a value is stored in: above 32 it is a bigint. */
export function bitsOf(shape: Extract<Shape, { kind: 'integer' | 'enum' | 'bits' | 'boolean' }>): number {
  return shape.kind === 'bits' ? shape.bits : shape.size * 8;
}
