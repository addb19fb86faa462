import type { MapSpec, ObjectFile } from '../elf/index.ts';
import * as uapi from '../uapi/index.ts';
import { ShapeBuilder } from './shape-builder.ts';
import type { NamedType, TypedShape } from './shape.ts';

/** What a module is generated from, and what the object is compared with when the module loads it. */
export interface ObjectModel {
  readonly programs: readonly {
    readonly name: string;
    readonly section: string;
    readonly autoload: boolean;
  }[];
  readonly maps: readonly MapModel[];
  readonly variables: readonly VariableModel[];
  readonly events: readonly { readonly map: string; readonly type: TypedShape }[];
  /** Structs, unions and enums that the above are made of. */
  readonly types: readonly NamedType[];
}

export interface MapModel {
  readonly name: string;
  /** `percpu_array`, as bpftool says. */
  readonly kind: string;
  readonly maxEntries: number;
  /** Keys and values, for a map of a kind that has entries to be read and written. */
  readonly entries:
    { readonly key: TypedShape; readonly value: TypedShape; readonly perCpu: boolean } | undefined;
  readonly tags: readonly string[];
}

export interface VariableModel {
  readonly name: string;
  readonly section: string;
  readonly readOnly: boolean;
  readonly type: TypedShape;
  readonly tags: readonly string[];
}

const PER_CPU: readonly number[] = [
  uapi.BPF_MAP_TYPE_PERCPU_HASH,
  uapi.BPF_MAP_TYPE_PERCPU_ARRAY,
  uapi.BPF_MAP_TYPE_LRU_PERCPU_HASH,
  uapi.BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE,
];
/** Kinds whose values are the caller's own bytes: not descriptors, not the kernel's. */
const WITH_ENTRIES: readonly number[] = [
  ...PER_CPU,
  uapi.BPF_MAP_TYPE_HASH,
  uapi.BPF_MAP_TYPE_ARRAY,
  uapi.BPF_MAP_TYPE_LRU_HASH,
  uapi.BPF_MAP_TYPE_LPM_TRIE,
  uapi.BPF_MAP_TYPE_CGROUP_STORAGE,
  uapi.BPF_MAP_TYPE_SK_STORAGE,
  uapi.BPF_MAP_TYPE_INODE_STORAGE,
  uapi.BPF_MAP_TYPE_TASK_STORAGE,
  uapi.BPF_MAP_TYPE_CGRP_STORAGE,
];

/** @throws BtfError for a key, value, event or variable of a type without values */
export function modelOf(object: ObjectFile): ObjectModel {
  const builder = object.btf && new ShapeBuilder(object.btf);
  const maps = [...object.maps.values()]
    .filter(({ definition }) => definition.kind !== 'data')
    .map((spec) => mapModel(spec, builder));
  const events = [...object.anchors.events]
    .filter(([map]) => object.maps.get(map)?.type === uapi.BPF_MAP_TYPE_RINGBUF)
    .flatMap(([map, typeId]) => (builder ? [{ map, type: builder.shape(typeId, `${map}_event`) }] : []));
  const variables = [...object.variables.values()].flatMap((spec): VariableModel[] => {
    if (!builder) return [];
    const tags = builder.tags.ofVariable(spec.name);
    const { name, section } = spec;
    const readOnly = object.maps.get(spec.map)?.freeze ?? false;
    return [{ name, section, readOnly, type: builder.shape(spec.typeId, name), tags }];
  });
  const programs = [...object.programs.values()].map(({ name, section, autoload }) => ({
    name,
    section,
    autoload,
  }));
  return { programs, maps, events, variables, types: builder?.types ?? [] };
}

function mapModel(spec: MapSpec, builder: ShapeBuilder | undefined): MapModel {
  const { name, maxEntries, type } = spec;
  const untyped = (size: number): TypedShape => ({
    shape: { kind: 'bytes', size },
    typeName: `__u8[${String(size)}]`,
  });
  const side = (typeId: number, { size, what }: { size: number; what: string }): TypedShape =>
    builder && typeId !== 0 ? builder.shape(typeId, `${name}_${what}`) : untyped(size);
  const entries = WITH_ENTRIES.includes(type)
    ? {
        key: side(spec.keyTypeId, { size: spec.keySize, what: 'key' }),
        value: side(spec.valueTypeId, { size: spec.valueSize, what: 'value' }),
        perCpu: PER_CPU.includes(type),
      }
    : undefined;
  return { name, kind: kindName(type), maxEntries, entries, tags: builder?.tags.ofVariable(name) ?? [] };
}

const PREFIX = 'BPF_MAP_TYPE_';

function kindName(type: number): string {
  const found = Object.entries(uapi).find(
    ([name, value]) => value === type && name.startsWith(PREFIX) && !name.endsWith('_DEPRECATED'),
  );
  return found ? found[0].slice(PREFIX.length).toLowerCase() : `type_${String(type)}`;
}
