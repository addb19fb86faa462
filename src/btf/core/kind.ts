/** What a relocation asks for: the number in `enum bpf_core_relo_kind` is the position, the word libbpf's. */
export const coreKindNames = [
  'byte_off',
  'byte_sz',
  'field_exists',
  'signed',
  'lshift_u64',
  'rshift_u64',
  'local_type_id',
  'target_type_id',
  'type_exists',
  'type_size',
  'enumval_exists',
  'enumval_value',
  'type_matches',
] as const;

/** What a CO-RE relocation asks for (`enum bpf_core_relo_kind`). */
export type CoreKind = (typeof coreKindNames)[number];

/** What a relocation is about, which decides how its access string reads. */
export type CoreFamily = 'field' | 'type' | 'enumerator';

const families: Readonly<Record<CoreKind, CoreFamily>> = {
  byte_off: 'field',
  byte_sz: 'field',
  field_exists: 'field',
  signed: 'field',
  lshift_u64: 'field',
  rshift_u64: 'field',
  local_type_id: 'type',
  target_type_id: 'type',
  type_exists: 'type',
  type_size: 'type',
  type_matches: 'type',
  enumval_exists: 'enumerator',
  enumval_value: 'enumerator',
};

export function familyOf(kind: CoreKind): CoreFamily {
  return families[kind];
}
