import { NotFoundError } from '../errors.ts';
import { formatType, sizeOf, type Btf } from '../btf/index.ts';
import type { ObjectFile } from '../elf/index.ts';

/** The struct that the events of a ring buffer are of. */
export interface EventType {
  readonly name: string;
  readonly typeId: number;
}

/**
 * Which struct each ring buffer carries: as the caller says, or as the object says with TS_XDP_EVENT.
 *
 * @throws NotFoundError (MAP_NOT_FOUND, TYPE_NOT_FOUND)
 */
export function findEventTypes(
  object: ObjectFile,
  { rings, given }: { rings: readonly string[]; given: readonly { name: string; value: string }[] },
): Map<string, EventType> {
  const types = new Map<string, EventType>();
  const { btf } = object;
  for (const [map, typeId] of object.anchors.events) {
    if (btf && rings.includes(map)) types.set(map, { name: btf.nameOf(typeId), typeId });
  }
  for (const { name: map, value } of given) {
    if (!rings.includes(map)) {
      throw new NotFoundError(
        'MAP_NOT_FOUND',
        map,
        `Cannot type the events of ${map}: the object has no such ring buffer`,
        {
          available: rings,
          hint: rings.length > 0 ? `its ring buffers are ${rings.join(', ')}` : 'it has none at all',
        },
      );
    }
    const name = value.replace(/^struct /, '');
    const typeId = btf?.find(name, 'struct') ?? btf?.find(name, 'typedef');
    if (!btf || typeId === undefined) throw unknownType(name, btf);
    types.set(map, { name, typeId });
  }
  return types;
}

/** Structs whose size is that of a record: what a hex dump may mean. */
export function structsOfSize(btf: Btf | undefined, size: number): string[] {
  if (!btf) return [];
  return [...btf.ids()].flatMap((id) => {
    const type = btf.type(id);
    return type.kind === 'struct' && type.name !== '' && sizeOf(btf, id) === size ? [type.name] : [];
  });
}

/** A u64 field `timestamp` is taken for bpf_ktime_get_ns(), as the contract of docs/events.md says. */
export function hasTimestamp(object: ObjectFile, { typeId }: EventType): boolean {
  const type = object.btf?.type(typeId);
  if (!object.btf || type?.kind !== 'struct') return false;
  const field = type.members.find((member) => member.name === 'timestamp');
  return (
    field !== undefined &&
    /^(__u64|u64|uint64_t|unsigned long long|unsigned long)$/.test(formatType(object.btf, field.typeId))
  );
}

function unknownType(name: string, btf: Btf | undefined): NotFoundError {
  return new NotFoundError(
    'TYPE_NOT_FOUND',
    name,
    `Cannot find struct ${name}: the object's BTF has none of that name`,
    {
      hint: btf
        ? 'clang leaves out of BTF what no variable or function refers to: anchor it with TS_XDP_EVENT (docs/events.md)'
        : 'the object has no BTF: compile it with -g',
    },
  );
}
