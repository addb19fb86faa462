import type { MapModel, ObjectModel, VariableModel } from './model.ts';
import type { ModuleForm } from './options.ts';
import { commentText, propertyName } from './names.ts';
import { code, tagText, type Imports } from './type-writer.ts';
import { typeText } from './type-text.ts';

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
  const events = model.events.map(({ map, type }) => {
    types.add('EventSource');
    const comment = `The ring buffer ${code(map)} carries ${code(type.typeName)}.`;
    return property(map, { type: `EventSource<${typeText(type.shape)}>`, comment });
  });
  return [
    interfaceText('Programs', { comment: 'The programs of the object.', members: programs }),
    interfaceText('Maps', { comment: 'The maps of the object.', members: maps }),
    interfaceText('Variables', { comment: 'The global variables of the object.', members: variables }),
    interfaceText('Events', { comment: 'The ring buffers whose events the object types.', members: events }),
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

function mapType({ entries }: MapModel, types: Set<string>): string {
  if (!entries) {
    types.add('BpfMap');
    return 'BpfMap';
  }
  types.add('TypedMap');
  const value = typeText(entries.value.shape);
  const perCpu = /^[\w$]+$/.test(value) ? `${value}[]` : `(${value})[]`;
  return `TypedMap<${typeText(entries.key.shape)}, ${entries.perCpu ? perCpu : value}>`;
}

function mapComment({ kind, maxEntries, entries, tags }: MapModel): string {
  const types = entries ? `: ${code(entries.key.typeName)} to ${code(entries.value.typeName)}` : '';
  const perCpu = entries?.perCpu === true ? ', one for each CPU' : '';
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
