import { Cursor, alignUp } from '../binary/index.ts';
import { BoundsError } from '../errors.ts';
import { NLA_ALIGNTO, NLA_F_NESTED, NLA_HDRLEN, NLA_TYPE_MASK, nlattr } from '../uapi/index.ts';

/** One attribute to send: its bytes, or the attributes nested in it. */
export interface Attribute {
  readonly type: number;
  readonly value: Uint8Array | readonly Attribute[];
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** An attribute of four bytes in the byte order of the host. */
export function numberAttribute(type: number, value: number): Attribute {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value >>> 0, true);
  return { type, value: bytes };
}

/** A string with its NUL. */
export function stringAttribute(type: number, value: string): Attribute {
  return { type, value: encoder.encode(`${value}\0`) };
}

/** The wire form; every attribute is padded to four bytes. Containers get NLA_F_NESTED. */
export function encodeAttributes(attributes: readonly Attribute[]): Uint8Array {
  return concatenate(attributes.map(encodeAttribute));
}

export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

function encodeAttribute({ type, value }: Attribute): Uint8Array {
  const nested = !(value instanceof Uint8Array);
  const payload = nested ? encodeAttributes(value) : value;
  const length = NLA_HDRLEN + payload.length;
  // nla_len has 16 bits.
  if (length > 0xffff) throw new BoundsError(NLA_HDRLEN, payload.length, 0xffff - NLA_HDRLEN);
  const bytes = new Uint8Array(alignUp(length, NLA_ALIGNTO));
  bytes.set(nlattr.encode({ nla_len: length, nla_type: nested ? type | NLA_F_NESTED : type }));
  bytes.set(payload, NLA_HDRLEN);
  return bytes;
}

/**
 * Received attributes by type. Every read is checked: what is shorter than its type throws {@link BoundsError}.
 */
export class Attributes {
  readonly #values: ReadonlyMap<number, readonly Uint8Array[]>;

  private constructor(values: ReadonlyMap<number, readonly Uint8Array[]>) {
    this.#values = values;
  }

  /** Throws {@link BoundsError} where an attribute is shorter than its header or reaches past the end. */
  static parse(bytes: Uint8Array): Attributes {
    const values = new Map<number, Uint8Array[]>();
    let offset = 0;
    while (bytes.length - offset >= NLA_HDRLEN) {
      const { nla_len, nla_type } = nlattr.decode(bytes, offset);
      if (nla_len < NLA_HDRLEN || offset + nla_len > bytes.length) {
        throw new BoundsError(offset, Math.max(nla_len, NLA_HDRLEN), bytes.length);
      }
      const type = nla_type & NLA_TYPE_MASK;
      const value = bytes.subarray(offset + NLA_HDRLEN, offset + nla_len);
      const others = values.get(type);
      if (others === undefined) values.set(type, [value]);
      else others.push(value);
      offset += alignUp(nla_len, NLA_ALIGNTO);
    }
    return new Attributes(values);
  }

  /** The last one of a type, as the kernel's own parser takes it. */
  bytes(type: number): Uint8Array | undefined {
    return this.#values.get(type)?.at(-1);
  }

  u8(type: number): number | undefined {
    const value = this.bytes(type);
    return value === undefined ? undefined : new Cursor(value).u8(0);
  }

  u32(type: number): number | undefined {
    const value = this.bytes(type);
    return value === undefined ? undefined : new Cursor(value).u32(0);
  }

  i32(type: number): number | undefined {
    const value = this.bytes(type);
    return value === undefined ? undefined : new Cursor(value).i32(0);
  }

  string(type: number): string | undefined {
    const value = this.bytes(type);
    return value === undefined ? undefined : textOf(value);
  }

  /** Every string of a type that may come more than once. */
  strings(type: number): string[] {
    return (this.#values.get(type) ?? []).map(textOf);
  }

  nested(type: number): Attributes | undefined {
    const value = this.bytes(type);
    return value === undefined ? undefined : Attributes.parse(value);
  }
}

/** Strings end at their NUL, or, as some drivers send them, at the end. */
function textOf(value: Uint8Array): string {
  const end = value.indexOf(0);
  return decoder.decode(end < 0 ? value : value.subarray(0, end));
}
