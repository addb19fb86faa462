// generated from Linux 7.2.13 by scripts/generate-uapi.ts; do not edit

import { at, i32, layout, u16, u32, u8 } from '../binary/index.ts';
import type { StructValue } from '../binary/index.ts';

// enum btf_max
export const BTF_MAX_KIND = 0x7f;
export const BTF_MAX_TYPE = 0xfffff;
export const BTF_MAX_NAME_OFFSET = 0xffffff;
export const BTF_MAX_VLEN = 0xffffff;

// enum
export const BTF_KIND_UNKN = 0;
export const BTF_KIND_INT = 1;
export const BTF_KIND_PTR = 2;
export const BTF_KIND_ARRAY = 3;
export const BTF_KIND_STRUCT = 4;
export const BTF_KIND_UNION = 5;
export const BTF_KIND_ENUM = 6;
export const BTF_KIND_FWD = 7;
export const BTF_KIND_TYPEDEF = 8;
export const BTF_KIND_VOLATILE = 9;
export const BTF_KIND_CONST = 10;
export const BTF_KIND_RESTRICT = 11;
export const BTF_KIND_FUNC = 12;
export const BTF_KIND_FUNC_PROTO = 13;
export const BTF_KIND_VAR = 14;
export const BTF_KIND_DATASEC = 15;
export const BTF_KIND_FLOAT = 16;
export const BTF_KIND_DECL_TAG = 17;
export const BTF_KIND_TYPE_TAG = 18;
export const BTF_KIND_ENUM64 = 19;
export const NR_BTF_KINDS = 20;
export const BTF_KIND_MAX = 19;
export const BTF_VAR_STATIC = 0;
export const BTF_VAR_GLOBAL_ALLOCATED = 1;
export const BTF_VAR_GLOBAL_EXTERN = 2;

// enum btf_func_linkage
export const BTF_FUNC_STATIC = 0;
export const BTF_FUNC_GLOBAL = 1;
export const BTF_FUNC_EXTERN = 2;

// macros
export const BTF_MAGIC = 0xeb9f;
export const BTF_VERSION = 1;
export const BTF_INT_SIGNED = 1;
export const BTF_INT_CHAR = 2;
export const BTF_INT_BOOL = 4;

export const btf_header = layout('btf_header', 32, {
  magic: at(0, u16),
  version: at(2, u8),
  flags: at(3, u8),
  hdr_len: at(4, u32),
  type_off: at(8, u32),
  type_len: at(12, u32),
  str_off: at(16, u32),
  str_len: at(20, u32),
  layout_off: at(24, u32),
  layout_len: at(28, u32),
});
export type btf_header = StructValue<typeof btf_header>;

export const btf_type = layout('btf_type', 12, {
  name_off: at(0, u32),
  info: at(4, u32),
  size: at(8, u32),
  type: at(8, u32),
});
export type btf_type = StructValue<typeof btf_type>;

export const btf_enum = layout('btf_enum', 8, {
  name_off: at(0, u32),
  val: at(4, i32),
});
export type btf_enum = StructValue<typeof btf_enum>;

export const btf_array = layout('btf_array', 12, {
  type: at(0, u32),
  index_type: at(4, u32),
  nelems: at(8, u32),
});
export type btf_array = StructValue<typeof btf_array>;

export const btf_member = layout('btf_member', 12, {
  name_off: at(0, u32),
  type: at(4, u32),
  offset: at(8, u32),
});
export type btf_member = StructValue<typeof btf_member>;

export const btf_param = layout('btf_param', 8, {
  name_off: at(0, u32),
  type: at(4, u32),
});
export type btf_param = StructValue<typeof btf_param>;

export const btf_var = layout('btf_var', 4, {
  linkage: at(0, u32),
});
export type btf_var = StructValue<typeof btf_var>;

export const btf_var_secinfo = layout('btf_var_secinfo', 12, {
  type: at(0, u32),
  offset: at(4, u32),
  size: at(8, u32),
});
export type btf_var_secinfo = StructValue<typeof btf_var_secinfo>;

export const btf_decl_tag = layout('btf_decl_tag', 4, {
  component_idx: at(0, i32),
});
export type btf_decl_tag = StructValue<typeof btf_decl_tag>;

export const btf_enum64 = layout('btf_enum64', 12, {
  name_off: at(0, u32),
  val_lo32: at(4, u32),
  val_hi32: at(8, u32),
});
export type btf_enum64 = StructValue<typeof btf_enum64>;
