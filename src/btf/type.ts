/**
 * One decoded type. `kind` tells which; type ids lead back into the `Btf` it came from. Anonymous types, members
 * and parameters have the name `''`.
 */
export type BtfType =
  | BtfVoid
  | BtfInt
  | BtfPointer
  | BtfArray
  | BtfComposite
  | BtfEnum
  | BtfEnum64
  | BtfForward
  | BtfTypedef
  | BtfModifier
  | BtfFunction
  | BtfFunctionProto
  | BtfVariable
  | BtfDatasec
  | BtfFloat
  | BtfDeclTag
  | BtfTypeTag;

/** `void`, the type of id 0. */
export interface BtfVoid {
  readonly kind: 'void';
}

/** An integer, a character or a boolean. */
export interface BtfInt {
  readonly kind: 'int';
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Bits in use, less than `size * 8` only for bitfields in the style of before BTF's `kind_flag`. */
  readonly bits: number;
  /** First bit in use. */
  readonly offset: number;
  readonly signed: boolean;
  /** The encoding says character; clang never does, pahole for `char` neither. */
  readonly char: boolean;
  readonly bool: boolean;
}

/** `T *`. */
export interface BtfPointer {
  readonly kind: 'pointer';
  readonly typeId: number;
}

/** `T[N]`. */
export interface BtfArray {
  readonly kind: 'array';
  readonly elementTypeId: number;
  readonly indexTypeId: number;
  readonly length: number;
}

/** A field of a struct or union. */
export interface BtfMember {
  readonly name: string;
  readonly typeId: number;
  readonly bitOffset: number;
  /** Bits of a bitfield; 0 for a member that is none. */
  readonly bitSize: number;
}

/** A struct or union with its members. */
export interface BtfComposite {
  readonly kind: 'struct' | 'union';
  readonly name: string;
  readonly size: number;
  readonly members: readonly BtfMember[];
}

/** An enum whose values have 32 bits. */
export interface BtfEnum {
  readonly kind: 'enum';
  readonly name: string;
  readonly size: number;
  readonly signed: boolean;
  readonly values: readonly { readonly name: string; readonly value: number }[];
}

/** An enum whose values have 64 bits (Linux 6.0). */
export interface BtfEnum64 {
  readonly kind: 'enum64';
  readonly name: string;
  readonly size: number;
  readonly signed: boolean;
  readonly values: readonly { readonly name: string; readonly value: bigint }[];
}

/** A struct or union that is declared and not defined. */
export interface BtfForward {
  readonly kind: 'forward';
  readonly name: string;
  readonly of: 'struct' | 'union';
}

/** Another name for a type. */
export interface BtfTypedef {
  readonly kind: 'typedef';
  readonly name: string;
  readonly typeId: number;
}

/** `const`, `volatile` or `restrict` around another type. */
export interface BtfModifier {
  readonly kind: 'volatile' | 'const' | 'restrict';
  readonly typeId: number;
}

/** Who sees a function or variable. */
export type BtfLinkage = 'static' | 'global' | 'extern';

/** A function; its arguments are those of the prototype that it names. */
export interface BtfFunction {
  readonly kind: 'function';
  readonly name: string;
  /** The `function_proto`. */
  readonly typeId: number;
  readonly linkage: BtfLinkage;
}

/** What a function takes and returns. */
export interface BtfFunctionProto {
  readonly kind: 'function_proto';
  readonly returnTypeId: number;
  readonly parameters: readonly { readonly name: string; readonly typeId: number }[];
  /** The parameter list ends in `...`, which is not among `parameters`. */
  readonly variadic: boolean;
}

/** A global variable. */
export interface BtfVariable {
  readonly kind: 'variable';
  readonly name: string;
  readonly typeId: number;
  readonly linkage: BtfLinkage;
}

/** A section of variables, with their places in it. */
export interface BtfDatasec {
  readonly kind: 'datasec';
  /** The ELF section, `.data`, `license`, `.maps`. */
  readonly name: string;
  /** 0 as clang leaves it; libbpf fills it in before it loads the BTF. */
  readonly size: number;
  readonly variables: readonly { readonly typeId: number; readonly offset: number; readonly size: number }[];
}

/** `float`, `double`, or another of its size. */
export interface BtfFloat {
  readonly kind: 'float';
  readonly name: string;
  readonly size: number;
}

/** `__attribute__((btf_decl_tag("...")))` */
export interface BtfDeclTag {
  readonly kind: 'decl_tag';
  /** The tag's text. */
  readonly name: string;
  /** The text is an attribute of its own, not that of a `btf_decl_tag`: `address_space(1)`; since Linux 6.15. */
  readonly attribute: boolean;
  readonly typeId: number;
  /** Which member or parameter is tagged; -1 for the type itself. */
  readonly componentIndex: number;
}

/** `__attribute__((btf_type_tag("...")))`, a link in a chain of modifiers. */
export interface BtfTypeTag {
  readonly kind: 'type_tag';
  /** The tag's text. */
  readonly name: string;
  /** As of a `decl_tag`. */
  readonly attribute: boolean;
  readonly typeId: number;
}
