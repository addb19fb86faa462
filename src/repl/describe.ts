import type { MapSpec, ProgramSpec } from '../elf/index.ts';
import { ObjectFile, VariableSpec } from '../elf/index.ts';
import { formatType, type Json } from '../btf/index.ts';
import { XdpAttachment } from '../link/index.ts';
import { Collection, Variable } from '../loader/index.ts';
import { BpfMap, MapType, mapTypeName } from '../maps/index.ts';
import { BpfProgram, programTypeName } from '../programs/index.ts';
import { RingBuffer } from '../ringbuf/index.ts';

/** A thing of this library in one line, and as JSON. */
export interface Description {
  readonly text: string;
  readonly json: Json;
}

/**
 * Describes maps, programs, variables, attachments and what holds them; undefined for any other value. Specs are plain
 * objects, which are known by the object that they belong to.
 */
export function describe(value: object, object: ObjectFile | undefined): Description | undefined {
  if (value instanceof BpfMap) return describeMap(value);
  if (value instanceof BpfProgram) return describeProgram(value);
  if (value instanceof Variable) return describeVariable(value);
  if (value instanceof VariableSpec) return describeVariable(value, 'not loaded');
  if (value instanceof XdpAttachment) return describeAttachment(value);
  if (value instanceof Collection) return describeHolder('collection', value.object, value);
  if (value instanceof ObjectFile) return describeHolder('object', value, value);
  if (value instanceof RingBuffer) {
    const { closed, pending } = value as RingBuffer<unknown>;
    return line(`ring buffer reader, ${closed ? 'closed' : `${String(pending)} bytes pending`}`, {
      pending,
      closed,
    });
  }
  return object && describeSpec(value, object);
}

function describeMap(map: BpfMap): Description {
  const { name, maxEntries, closed } = map;
  const type = mapTypeName(map.type);
  const ring = map.type === MapType.RingBuffer;
  const { key, value } = map.typeNames;
  const shape = ring ? `${String(maxEntries)} bytes` : `${key} → ${value}, ${entries(maxEntries)}`;
  return line(`map ${name} ${type}${ring ? ', ' : ' '}${shape}${closed ? ' (closed)' : ''}`, {
    map: name,
    type,
    ...(!ring && { key, value }),
    max_entries: maxEntries,
  });
}

function describeProgram(program: BpfProgram): Description {
  const { name, closed } = program;
  const type = programTypeName(program.type);
  const id = closed ? null : program.id;
  return line(`program ${name} ${type}, ${id === null ? 'closed' : `id ${String(id)}`}`, {
    program: name,
    type,
    id,
  });
}

function describeVariable(variable: Variable | VariableSpec, state?: string): Description {
  const { name, section, typeName } = variable;
  const text = `variable ${name}: ${typeName} in ${section}${state === undefined ? '' : ` (${state})`}`;
  return line(text, { variable: name, type: typeName, section });
}

function describeAttachment(attachment: XdpAttachment): Description {
  const { kind, target, ifindex, mode, via, id, closed } = attachment;
  const held = id === undefined ? via : `${via} ${String(id)}`;
  const text = `${kind} attachment on ${target} (${mode} mode, by ${held})${closed ? ' (closed)' : ''}`;
  return line(text, { kind, target, ifindex, mode, via, link_id: id ?? null, closed });
}

function describeHolder(
  kind: string,
  object: ObjectFile,
  { programs, maps, variables }: Pick<ObjectFile | Collection, 'programs' | 'maps' | 'variables'>,
): Description {
  const names = { programs: [...programs.keys()], maps: [...maps.keys()], variables: [...variables.keys()] };
  const counts = Object.entries(names).map(([what, list]) => `${String(list.length)} ${what}`);
  return line(`${kind} ${object.name}: ${counts.join(', ')}`, { [kind]: object.name, ...names });
}

function describeSpec(value: object, object: ObjectFile): Description | undefined {
  const { name } = value as { name?: unknown };
  if (typeof name !== 'string') return undefined;
  const map = object.maps.get(name);
  if (value === map) return describeMapSpec(map, object);
  const program = object.programs.get(name);
  return value === program ? describeProgramSpec(program) : undefined;
}

function describeMapSpec(map: MapSpec, { btf }: ObjectFile): Description {
  const { name, maxEntries } = map;
  const type = mapTypeName(map.type);
  const ring = map.type === MapType.RingBuffer;
  const named = (id: number, size: number): string =>
    btf && id !== 0 ? formatType(btf, id) : `__u8[${String(size)}]`;
  const [key, value] = [named(map.keyTypeId, map.keySize), named(map.valueTypeId, map.valueSize)];
  const shape = ring ? `, ${String(maxEntries)} bytes` : ` ${key} → ${value}, ${entries(maxEntries)}`;
  return line(`map ${name} ${type}${shape} (not loaded)`, {
    map: name,
    type,
    ...(!ring && { key, value }),
    max_entries: maxEntries,
  });
}

function describeProgramSpec({ name, type, section, instructions }: ProgramSpec): Description {
  const typeName = programTypeName(type);
  const count = instructions.length / 8;
  return line(`program ${name} ${typeName}, section ${section}, ${String(count)} instructions (not loaded)`, {
    program: name,
    type: typeName,
    section,
    instructions: count,
  });
}

function entries(count: number): string {
  return count === 1 ? '1 entry' : `${String(count)} entries`;
}

function line(text: string, json: Json): Description {
  return { text, json };
}
