import { Btf } from '../btf/index.ts';
import type { BtfType } from '../btf/index.ts';
import { Feature, isSupported } from '../features/index.ts';
import type { Kernel } from '../sys/index.ts';
import {
  BTF_KIND_CONST,
  BTF_KIND_ENUM,
  BTF_KIND_FUNC,
  BTF_KIND_INT,
  BTF_KIND_STRUCT,
  BTF_KIND_TYPEDEF,
  BTF_KIND_UNION,
  btf_enum,
  btf_header,
  btf_member,
  btf_type,
  btf_var_secinfo,
} from '../uapi/index.ts';
import { appendTypes } from './append-types.ts';

/** What a kernel takes in BTF beyond the kinds of Linux 4.18. */
export interface BtfSupport {
  readonly functions: boolean;
  readonly globalFunctions: boolean;
  readonly dataSections: boolean;
  readonly questionMarks: boolean;
  readonly floats: boolean;
  readonly declTags: boolean;
  readonly typeTags: boolean;
  readonly enums64: boolean;
}

/** Asks the kernel. @throws PermissionError */
export function btfSupport(kernel: Kernel): BtfSupport {
  const has = (feature: Feature): boolean => isSupported(feature, { kernel });
  return {
    functions: has(Feature.BtfFunctions),
    globalFunctions: has(Feature.BtfGlobalFunctions),
    dataSections: has(Feature.BtfDataSections),
    questionMarks: has(Feature.BtfQuestionMarkSections),
    floats: has(Feature.BtfFloat),
    declTags: has(Feature.BtfDeclTag),
    typeTags: has(Feature.BtfTypeTag),
    enums64: has(Feature.BtfEnum64),
  };
}

/**
 * A copy of an object's BTF in which every type that the kernel does not know stands as one that it knows, of the same
 * id and the same size, as libbpf's bpf_object__sanitize_btf() has it. Undefined where nothing is to be replaced.
 *
 * Only what the kernel shows to people loses by it: programs and maps are typed by ids and sizes, and this library
 * reads values by the object's own BTF.
 */
export function sanitizeBtf(bytes: Uint8Array, support: BtfSupport): Uint8Array | undefined {
  const copy = bytes.slice();
  const btf = Btf.parse(copy);
  const sanitizer = new Sanitizer(btf, copy, support);
  for (const id of btf.ids()) sanitizer.visit(id);
  if (!sanitizer.changed) return undefined;
  return sanitizer.needsPlaceholder ? appendTypes(copy, [PLACEHOLDER]) : copy;
}

const WORD = 4;
/** BTF_INT_ENC(0, 0, 8): unsigned, 8 bits. */
const BYTE = 8;

class Sanitizer {
  changed = false;
  needsPlaceholder = false;
  readonly #btf: Btf;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #support: BtfSupport;
  /** Where the strings start in the bytes. */
  readonly #strings: number;
  /** The id that a type added at the end gets. */
  readonly #placeholder: number;

  constructor(btf: Btf, bytes: Uint8Array, support: BtfSupport) {
    this.#btf = btf;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#support = support;
    const { hdr_len, str_off } = btf_header.read(this.#view, 0);
    this.#strings = hdr_len + str_off;
    this.#placeholder = btf.typeCount;
  }

  visit(id: number): void {
    const support = this.#support;
    const kind = this.#btf.kindOf(id);
    if (kind === 'variable' && !support.dataSections) this.#replaceByByte(id);
    else if (kind === 'decl_tag' && !support.declTags) this.#replaceByByte(id);
    else if (kind === 'datasec' && !support.dataSections) this.#replaceDatasec(id);
    else if (kind === 'datasec' && !support.questionMarks) this.#renameDatasec(id);
    else if (kind === 'function_proto' && !support.functions) this.#replacePrototype(id);
    else if (kind === 'function' && !support.functions) this.#setInfo(id, { kind: BTF_KIND_TYPEDEF });
    else if (kind === 'function' && !support.globalFunctions) this.#makeStatic(id);
    else if (kind === 'float' && !support.floats) this.#replaceFloat(id);
    else if (kind === 'type_tag' && !support.typeTags) this.#replaceTypeTag(id);
    else if (kind === 'enum64' && !support.enums64) this.#replaceEnum64(id);
    else if (kind === 'enum' && !support.enums64) this.#dropSign(id);
  }

  /** One byte is the safest: the kernel refuses a DATASEC whose variables' types are larger than their place. */
  #replaceByByte(id: number): void {
    this.#setInfo(id, { kind: BTF_KIND_INT, size: 1 });
    this.#view.setUint32(this.#record(id) + btf_type.size, BYTE, true);
  }

  /** A member is as large as a place in the section; it gets the variable's name. */
  #replaceDatasec(id: number): void {
    const count = this.#count(id);
    const first = this.#record(id) + btf_type.size;
    this.#makeIdentifier(id, /[.?]/g);
    for (let index = 0; index < count; index++) {
      const at = first + index * btf_var_secinfo.size;
      const { type, offset } = btf_var_secinfo.read(this.#view, at);
      const { name_off } = btf_type.read(this.#view, this.#record(type));
      btf_member.write(this.#view, at, { name_off, type, offset: offset * 8 });
    }
    this.#setInfo(id, { kind: BTF_KIND_STRUCT, count });
  }

  #renameDatasec(id: number): void {
    if (this.#btf.nameOf(id).startsWith('?')) this.#makeIdentifier(id, /\?/g);
  }

  /** Parameters are as large as the values of an enum. */
  #replacePrototype(id: number): void {
    const count = this.#count(id);
    this.#setInfo(id, { kind: BTF_KIND_ENUM, count, size: WORD });
    for (let index = 0; index < count; index++) {
      const at = this.#record(id) + btf_type.size + index * btf_enum.size;
      btf_enum.update(this.#view, at, { val: index });
    }
  }

  /** Before 5.6 the linkage of a function, which is in the place of a count, must be 0. */
  #makeStatic(id: number): void {
    if (this.#count(id) !== 0) this.#setInfo(id, { kind: BTF_KIND_FUNC });
  }

  /** `float` and `double` are no names of structs, so it is anonymous. */
  #replaceFloat(id: number): void {
    btf_type.update(this.#view, this.#record(id), { name_off: 0 });
    this.#setInfo(id, { kind: BTF_KIND_STRUCT });
  }

  #replaceTypeTag(id: number): void {
    btf_type.update(this.#view, this.#record(id), { name_off: 0 });
    this.#setInfo(id, { kind: BTF_KIND_CONST });
  }

  /** A union of the same size, whose members have the names of the values. */
  #replaceEnum64(id: number): void {
    const count = this.#count(id);
    for (let index = 0; index < count; index++) {
      const at = this.#record(id) + btf_type.size + index * btf_member.size;
      btf_member.update(this.#view, at, { type: this.#placeholder, offset: 0 });
    }
    this.#setInfo(id, { kind: BTF_KIND_UNION, count });
    this.needsPlaceholder = true;
  }

  /** The kernel knows signed enums since it knows 64-bit ones. */
  #dropSign(id: number): void {
    const { info } = btf_type.read(this.#view, this.#record(id));
    const count = this.#count(id);
    if (info !== ((BTF_KIND_ENUM << 24) | count)) this.#setInfo(id, { kind: BTF_KIND_ENUM, count });
  }

  #record(id: number): number {
    return this.#btf.byteOffsetOf(id);
  }

  #count(id: number): number {
    return btf_type.read(this.#view, this.#record(id)).info & 0xffff;
  }

  #setInfo(id: number, { kind, count = 0, size }: { kind: number; count?: number; size?: number }): void {
    const info = (kind << 24) | count;
    btf_type.update(this.#view, this.#record(id), { info, ...(size !== undefined && { size }) });
    this.changed = true;
  }

  #makeIdentifier(id: number, refused: RegExp): void {
    const name = this.#btf.nameOf(id);
    const { name_off } = btf_type.read(this.#view, this.#record(id));
    this.#bytes.set(new TextEncoder().encode(name.replace(refused, '_')), this.#strings + name_off);
    this.changed = true;
  }
}

/** An int of one byte, whose id follows that of the last type. */
const PLACEHOLDER: BtfType = {
  kind: 'int',
  name: 'enum64_placeholder',
  size: 1,
  bits: 8,
  offset: 0,
  signed: false,
  char: false,
  bool: false,
};
