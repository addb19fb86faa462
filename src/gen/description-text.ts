import type { ObjectFile } from '../elf/index.ts';
import { layoutType } from './layout.ts';
import type { MapModel, ObjectModel } from './model.ts';
import type { ModuleForm, ModuleOptions } from './options.ts';
import { literalKey, quote } from './names.ts';
import type { NamedType, RecordField } from './shape.ts';
import type { Imports, TypeWriter } from './type-writer.ts';

interface DescriptionContext {
  readonly form: ModuleForm;
  readonly imports: Imports;
  readonly types: TypeWriter;
  readonly options: ModuleOptions;
  readonly object: ObjectFile;
}

/** What the run time loads the object by. */
export function descriptionText(model: ObjectModel, context: DescriptionContext): string {
  const { form, imports, options } = context;
  if (form === 'declaration') return '';
  const typed = form === 'typescript';
  imports.values.add('loadGenerated');
  imports.types.add('ObjectDescription');
  const description =
    `const description${typed ? ': ObjectDescription' : ''} = {\n` +
    `  object: ${quote(options.objectName)},\n  regenerate: ${quote(options.regenerate)},\n` +
    `  programs: [${model.programs.map(({ name }) => quote(name)).join(', ')}],\n` +
    section('maps', mapEntries(model, context)) +
    section('variables', variableEntries(model, context)) +
    section(
      'events',
      model.events.map(({ map, type }) => `${literalKey(map)}: ${context.types.codec(type)}`),
    ) +
    `  layout: {\n${layoutText(model)}  }${typed ? ' as const' : ''},\n};\n`;
  return [context.types.sharedCodecs(), description, embedded(options)]
    .filter((part) => part !== '')
    .join('\n');
}

function mapEntries(model: ObjectModel, { types }: DescriptionContext): string[] {
  return model.maps.map((map) => `${literalKey(map.name)}: ${mapCodecs(map, types)}`);
}

function mapCodecs({ key, value, inner }: MapModel, types: TypeWriter): string {
  const parts = [
    ...(key ? [`key: ${types.codec(key)}`] : []),
    ...(value ? [`value: ${types.codec(value)}`] : []),
    ...(inner ? [`inner: ${mapCodecs(inner, types)}`] : []),
  ];
  return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`;
}

function variableEntries(model: ObjectModel, { types }: DescriptionContext): string[] {
  return model.variables.map(({ name, type }) => `${literalKey(name)}: ${types.codec(type)}`);
}

function section(name: string, entries: readonly string[], indent = '  '): string {
  if (entries.length === 0) return `${indent}${name}: {},\n`;
  return `${indent}${name}: {\n${entries.map((entry) => `${indent}  ${entry},\n`).join('')}${indent}},\n`;
}

function layoutText({ types, maps, variables, events }: ObjectModel): string {
  const mapTypes = maps.map((map) => `${literalKey(map.name)}: ${mapLayout(map)}`);
  return (
    section('types', types.map(typeLayout), '    ') +
    section('maps', mapTypes, '    ') +
    section(
      'variables',
      variables.map(({ name, type }) => `${literalKey(name)}: ${quote(layoutType(type.shape))}`),
      '    ',
    ) +
    section(
      'events',
      events.map(({ map, type }) => `${literalKey(map)}: ${quote(layoutType(type.shape))}`),
      '    ',
    )
  );
}

function mapLayout({ kind, key, value, inner }: MapModel): string {
  const sides = [key, value].map((side) => (side ? layoutType(side.shape) : ''));
  return `[${[...[...sides, kind].map(quote), ...(inner ? [mapLayout(inner)] : [])].join(', ')}]`;
}

function typeLayout(type: NamedType): string {
  const { name, typeName, size } = type;
  const head = `type: ${quote(typeName)}, size: ${String(size)}`;
  if (type.kind === 'enum') return `${name}: { ${head}, values: ${name} }`;
  const fields = type.fields.map((field) => `${literalKey(field.name)}: ${fieldLayout(field)}`);
  return `${name}: { ${head}, fields: { ${fields.join(', ')} } }`;
}

function fieldLayout({ shape, bitOffset }: RecordField): string {
  const place = [String(Math.floor(bitOffset / 8)), quote(layoutType(shape))];
  if (shape.kind === 'bits') place.push(String(bitOffset % 8));
  return `[${place.join(', ')}]`;
}

/** The functions that open and load the object. */
export function functionsText({ form, imports, options, object }: DescriptionContext): string {
  imports.types.add('ObjectFile');
  if (form === 'declaration') return DECLARATIONS;
  const typed = form === 'typescript';
  const { source } = options;
  const opener = source.kind === 'embedded' ? 'decodeObject' : 'openObjectFile';
  imports.values.add(opener);
  const from =
    source.kind === 'embedded'
      ? `OBJECT, ${quote(object.name)}`
      : `new URL(${quote(source.path)}, import.meta.url)`;
  const types = typed ? (text: string): string => text : (): string => '';
  return `${comments.openObject}
export function openObject()${types(': ObjectFile')} {
  return ${opener}(${from});
}

${comments.load}
export function load(options${types(': LoadOptions')} = {})${types(': Loaded')} {
  return loadGenerated${types('<Loaded>')}(description, { ...options, open: openObject });
}

const generated${types(': { readonly load: typeof load; readonly openObject: typeof openObject }')} = { load, openObject };
export default generated;
`;
}

const comments = {
  openObject: '/** The object as pure data, to look at or to change before `load({ object })`. */',
  load: `/**
 * Checks the object's layout against this module, sets variables, and loads it.
 *
 * @throws LayoutError where the object is not the one that this was generated from; what Collection.load() throws
 */`,
};

const DECLARATIONS = `${comments.openObject}
export declare function openObject(): ObjectFile;

${comments.load}
export declare function load(options?: LoadOptions): Loaded;

declare const generated: { readonly load: typeof load; readonly openObject: typeof openObject };
export default generated;
`;

const LINE = 100;

function embedded({ source, objectName }: ModuleOptions): string {
  if (source.kind !== 'embedded') return '';
  const text = Buffer.from(source.bytes).toString('base64');
  const lines = text.match(new RegExp(`.{1,${String(LINE)}}`, 'g')) ?? [];
  return `/** ${objectName.replaceAll('*/', '')} in base64. */\nconst OBJECT = \`\n${lines.join('\n')}\n\`;\n`;
}
