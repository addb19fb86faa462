import type { MapSpec, ObjectFile } from '../elf/index.ts';
import * as uapi from '../uapi/index.ts';
import { eventDirection, mapFamily, type EventDirection, type MapClass } from './map-family.ts';
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
  readonly events: readonly EventModel[];
  /** Structs, unions and enums that the above are made of. */
  readonly types: readonly NamedType[];
}

export interface MapModel {
  readonly name: string;
  /** `percpu_array`, as bpftool says. */
  readonly kind: string;
  readonly maxEntries: number;
  readonly className: MapClass;
  /** Undefined where there are none, or where they are not the caller's own bytes. */
  readonly key: TypedShape | undefined;
  /** Of one CPU where there is one for each. */
  readonly value: TypedShape | undefined;
  /** What a map of maps holds. */
  readonly inner: MapModel | undefined;
  readonly tags: readonly string[];
}

export interface EventModel {
  readonly map: string;
  readonly direction: EventDirection;
  readonly type: TypedShape;
}

export interface VariableModel {
  readonly name: string;
  readonly section: string;
  readonly readOnly: boolean;
  readonly type: TypedShape;
  readonly tags: readonly string[];
}

/** @throws BtfError for a key, value, event or variable of a type without values */
export function modelOf(object: ObjectFile): ObjectModel {
  const builder = object.btf && new ShapeBuilder(object.btf);
  const maps = [...object.maps.values()]
    .filter(({ definition }) => definition.kind !== 'data')
    .map((spec) => mapModel(spec, builder));
  const events = [...object.anchors.events].flatMap(([map, typeId]): EventModel[] => {
    const direction = eventDirection(object.maps.get(map)?.type ?? 0);
    return builder && direction ? [{ map, direction, type: builder.shape(typeId, `${map}_event`) }] : [];
  });
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
  const { className, types } = mapFamily(type);
  const has = (what: 'key' | 'value'): boolean => types.includes(what);
  return {
    name,
    kind: kindName(type),
    maxEntries,
    className,
    key: has('key') ? side(spec.keyTypeId, { size: spec.keySize, what: 'key' }) : undefined,
    value: has('value') ? side(spec.valueTypeId, { size: spec.valueSize, what: 'value' }) : undefined,
    inner: spec.inner && mapModel(spec.inner, builder),
    tags: builder?.tags.ofVariable(name) ?? [],
  };
}

const PREFIX = 'BPF_MAP_TYPE_';

function kindName(type: number): string {
  const found = Object.entries(uapi.enum_bpf_map_type()).find(
    ([name, value]) => value === type && !name.endsWith('_DEPRECATED'),
  );
  return found ? found[0].slice(PREFIX.length).toLowerCase() : `type_${String(type)}`;
}
