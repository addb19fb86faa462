import { fileURLToPath } from 'node:url';
import { ObjectFile } from '../elf/index.ts';
import { checkLayout, modelOf, type LayoutDescription } from '../gen/index.ts';
import { Collection, type LoadOptions } from '../loader/index.ts';
import { MapType, type BpfMap } from '../maps/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import type { Input } from '../btf/index.ts';
import type { Codec } from './codec.ts';
import { EventSource } from './event-source.ts';
import { GeneratedCollection } from './generated-collection.ts';
import { EventSink } from './event-sink.ts';
import { PerfEventSource } from './perf-event-source.ts';
import { typedMap, type AnyCodec, type MapCodecs } from './typed-maps.ts';
import { TypedVariable, type ReadOnlyVariable } from './typed-variable.ts';

/** What a generated module says of its object. */
export interface ObjectDescription {
  /** The object's file, for messages. */
  readonly object: string;
  /** The command that generates the module again. */
  readonly regenerate: string;
  readonly programs: readonly string[];
  readonly maps: Readonly<Record<string, MapCodecs | undefined>>;
  readonly variables: Readonly<Record<string, AnyCodec>>;
  readonly events: Readonly<Record<string, AnyCodec>>;
  readonly layout: LayoutDescription;
}

/** The value of a variable. */
type ValueOf<Variable> = Variable extends ReadOnlyVariable<infer Value> ? Value : never;

/** What the `load()` of a generated module takes. */
export interface GeneratedOptions<Programs, Variables> extends Omit<LoadOptions, 'programs'> {
  /** Names of the programs to load. @default those whose section does not begin with `?` */
  readonly programs?: readonly (keyof Programs & string)[];
  /** What variables start with; the only way to set those of `.rodata`. */
  readonly variables?: { readonly [Name in keyof Variables]?: Input<ValueOf<Variables[Name]>> | undefined };
  /** The object, where it is not the one that the module finds by itself. */
  readonly object?: ObjectFile;
  /** Changes the object before it is loaded: sizes of maps, attach targets. */
  readonly prepare?: (object: ObjectFile) => void;
}

/** {@link GeneratedOptions} of any object, and how the module finds its own. */
export interface OpenOptions extends LoadOptions {
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly object?: ObjectFile;
  readonly prepare?: (object: ObjectFile) => void;
  readonly open: () => ObjectFile;
}

/**
 * Loads the object of a generated module.
 *
 * @throws LayoutError, NotFoundError where the object is not what the description says; what Collection.load() throws
 */
// The interfaces of the module say what it is; nothing here could.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
export function loadGenerated<Loaded>(description: ObjectDescription, options: OpenOptions): Loaded {
  const { open, object = open(), variables = {}, prepare, ...rest } = options;
  checkObject(object, description);
  for (const [name, value] of Object.entries(variables)) {
    if (value !== undefined) object.variable(name).set(value);
  }
  prepare?.(object);
  const collection = Collection.load(object, rest);
  return collectionOf(collection, description) as Loaded;
}

function checkObject(object: ObjectFile, description: ObjectDescription): void {
  for (const name of description.programs) object.program(name);
  for (const name of Object.keys(description.maps)) object.map(name);
  for (const name of Object.keys(description.variables)) object.variable(name);
  checkLayout(description.layout, modelOf(object), {
    object: description.object,
    hint: `generate the module again: ${description.regenerate}`,
  });
}

type AnyCollection = GeneratedCollection<
  Record<string, BpfProgram>,
  Record<string, unknown>,
  Record<string, TypedVariable<unknown>>,
  Record<string, EventSource<unknown> | PerfEventSource<unknown> | EventSink<unknown>>
>;

function collectionOf(collection: Collection, description: ObjectDescription): AnyCollection {
  return new GeneratedCollection(collection, {
    programs: lazily(description.programs, (name) => collection.program(name)),
    maps: lazily(Object.keys(description.maps), (name) =>
      typedMap(collection.map(name), description.maps[name] ?? {}),
    ),
    variables: lazily(
      Object.keys(description.variables),
      (name) => new TypedVariable(collection.variable(name), description.variables[name] as Codec<unknown>),
    ),
    events: lazily(Object.keys(description.events), (name) =>
      eventsOf(collection.map(name), description.events[name] as Codec<unknown>),
    ),
  });
}

function eventsOf(
  map: BpfMap,
  codec: Codec<unknown>,
): EventSource<unknown> | PerfEventSource<unknown> | EventSink<unknown> {
  if (map.type === MapType.PerfEventArray) return new PerfEventSource(map, codec);
  if (map.type === MapType.UserRingBuffer) return new EventSink(map, codec);
  return new EventSource(map, codec);
}

/** An object whose properties are made when they are first read: a program that was left out is missed only then. */
function lazily<Value>(names: readonly string[], make: (name: string) => Value): Record<string, Value> {
  const made = new Map<string, Value>();
  const object: Record<string, Value> = {};
  for (const name of names) {
    const get = (): Value => {
      const value = made.has(name) ? (made.get(name) as Value) : make(name);
      made.set(name, value);
      return value;
    };
    Object.defineProperty(object, name, { get, enumerable: true });
  }
  return object;
}

/** The object that lies where a generated module expects it. @throws FileError, ElfError */
export function openObjectFile(url: URL): ObjectFile {
  return ObjectFile.open(fileURLToPath(url));
}

/** The object that a generated module carries. @throws ElfError */
export function decodeObject(base64: string, name: string): ObjectFile {
  return ObjectFile.parse(Buffer.from(base64, 'base64'), { name });
}
