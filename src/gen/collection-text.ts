import type { EventDirection } from './map-family.ts';
import type { MapModel, ObjectModel, VariableModel } from './model.ts';
import type { ModuleForm } from './options.ts';
import { commentText, propertyName } from './names.ts';
import type { TypedShape } from './shape.ts';
import { code, tagText, type Imports } from './type-writer.ts';
import { typeText } from './type-text.ts';

const EVENT_CLASSES: Readonly<Record<EventDirection, { className: string; what: string }>> = {
  ring: { className: 'EventSource', what: 'ring buffer' },
  perf: { className: 'PerfEventSource', what: 'perf buffer' },
  user_ring: { className: 'EventSink', what: 'user ring buffer' },
};

/** The interfaces of what `load()` returns, with the object's own names. */
export function collectionText(
  model: ObjectModel,
  { form, imports: { types } }: { form: ModuleForm; imports: Imports },
): string {
  if (form === 'javascript') return '';
  types.add('GeneratedCollection').add('GeneratedOptions');
  const programs = model.programs.map(({ name, section, autoload }) => {
    types.add('BpfProgram');
    const chosen = autoload ? '' : ' Loaded only when chosen by the option `programs`.';
    return property(name, { type: 'BpfProgram', comment: `Section ${code(section)}.${chosen}` });
  });
  const maps = model.maps.map((map) =>
    property(map.name, { type: mapType(map, types), comment: mapComment(map) }),
  );
  const variables = model.variables.map((variable) =>
    property(variable.name, { type: variableType(variable, types), comment: variableComment(variable) }),
  );
  const events = model.events.map(({ map, direction, type }) => {
    const { className, what } = EVENT_CLASSES[direction];
    types.add(className);
    const comment = `The ${what} ${code(map)} carries ${code(type.typeName)}.`;
    return property(map, { type: `${className}<${typeText(type.shape)}>`, comment });
  });
  return [
    interfaceText('Programs', { comment: 'The programs of the object.', members: programs }),
    interfaceText('Maps', { comment: 'The maps of the object.', members: maps }),
    interfaceText('Variables', { comment: 'The global variables of the object.', members: variables }),
    interfaceText('Events', {
      comment: 'The rings and perf buffers whose events the object types.',
      members: events,
    }),
    '/** The object in the kernel. */\n' +
      'export type Loaded = GeneratedCollection<Programs, Maps, Variables, Events>;\n',
    '/** What to load, and what variables start with. */\n' +
      'export type LoadOptions = GeneratedOptions<Programs, Variables>;\n',
  ].join('\n');
}

function interfaceText(
  name: string,
  { comment, members }: { comment: string; members: readonly string[] },
): string {
  // An empty interface would take anything.
  const body = members.length === 0 ? '  readonly [name: string]: never;\n' : members.join('');
  return `/** ${comment} */\nexport interface ${name} {\n${body}}\n`;
}

function property(name: string, { type, comment }: { type: string; comment: string }): string {
  return `  /** ${comment} */\n  readonly ${propertyName(name)}: ${type};\n`;
}

function mapType(map: MapModel, types: Set<string>): string {
  const { className, inner } = map;
  types.add(className);
  const parameters = typeParameters(map, types);
  if (inner && className === 'MapOfMaps') parameters.push(mapType(inner, types));
  return parameters.length === 0 ? className : `${className}<${parameters.join(', ')}>`;
}

/** What is read, and then what may be written in its place. */
function typeParameters({ className, key, value }: MapModel, types: Set<string>): string[] {
  const read = (side: TypedShape | undefined): string[] => (side ? [typeText(side.shape)] : []);
  const written = (side: TypedShape | undefined): string[] => read(side).map((text) => `Input<${text}>`);
  if (className === 'TypedMap') return [...read(key), ...read(value)];
  if (key ?? value) types.add('Input');
  if (className === 'ArrayMap') return [...read(value), ...written(value), ...read(key), ...written(key)];
  return [...read(key), ...read(value), ...written(key), ...written(value)];
}

function mapComment({ kind, maxEntries, className, key, value, tags }: MapModel): string {
  const sides = [key, value].flatMap((side) => (side ? [code(side.typeName)] : []));
  const types = sides.length === 0 ? '' : `: ${sides.join(' to ')}`;
  const perCpu = className === 'PerCpuMap' ? ', one for each CPU' : '';
  return `${commentText(kind)} of ${String(maxEntries)}${types}${perCpu}.${tagText(tags)}`;
}

function variableType({ type, readOnly }: VariableModel, types: Set<string>): string {
  const name = readOnly ? 'ReadOnlyVariable' : 'TypedVariable';
  types.add(name);
  return `${name}<${typeText(type.shape)}>`;
}

function variableComment({ section, readOnly, type, tags }: VariableModel): string {
  const fixed = readOnly ? ', set before loading by the option `variables`' : '';
  return `${code(type.typeName)} in ${code(section)}${fixed}.${tagText(tags)}`;
}
