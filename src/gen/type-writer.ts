import type { ModuleForm } from './options.ts';
import { commentText, literalKey, propertyName, quote, TypeNames } from './names.ts';
import { enumReader, fieldTable, readFields, readText } from './read-text.ts';
import type { FlexibleEnd } from '../btf/index.ts';
import {
  flexibleEnd,
  type EnumType,
  type NamedType,
  type RecordField,
  type RecordType,
  type TypedShape,
} from './shape.ts';
import { isWide, typeText } from './type-text.ts';
import { writeFields, writeText } from './write-text.ts';

/** The names that a module imports. */
export interface Imports {
  readonly values: Set<string>;
  readonly types: Set<string>;
}

/** Writes the declarations of structs, unions and enums, and their readers and writers. */
export class TypeWriter {
  readonly #form: ModuleForm;
  readonly #imports: Imports;
  /** Names of codecs by what they are made by. */
  readonly #codecs = new Map<string, string>();
  readonly #codecNames = new TypeNames();

  constructor(form: ModuleForm, imports: Imports) {
    this.#form = form;
    this.#imports = imports;
  }

  write(type: NamedType): string {
    return type.kind === 'record' ? this.#record(type) : this.#enum(type);
  }

  /** The name of a codec for keys, values, events or variables; {@link sharedCodecs} declares those that are no struct. */
  codec({ shape, typeName }: TypedShape): string {
    if (shape.kind === 'record' && typeName === shape.type.typeName) return shape.type.name;
    const text = this.#codecText({ shape, typeName });
    const known = this.#codecs.get(text);
    if (known !== undefined) return known;
    const name = this.#codecNames.choose(typeName, 'codec');
    const made = `${name.charAt(0).toLowerCase()}${name.slice(1)}Codec`;
    this.#codecs.set(text, made);
    return made;
  }

  sharedCodecs(): string {
    return [...this.#codecs].map(([text, name]) => `const ${name} = ${text};\n`).join('\n');
  }

  #codecText({ shape, typeName }: TypedShape): string {
    const { values } = this.#imports;
    values.add('codec');
    const flexible = flexibleEnd(shape);
    const head = `codec(${quote(typeName)}, {\n  size: ${String(shape.size)},\n${flexibleText(flexible)}`;
    if (shape.kind === 'record') {
      const { name } = shape.type;
      return `${head}  read: get${name},\n  write: put${name},\n  fields: ${name}.fields,\n})`;
    }
    const end = { last: true, bitOffset: 0, base: 'at', uses: values };
    const read = readText(shape, end);
    const place = { ...end, value: 'value', typeName: 'typeName' };
    const write = `    ${writeText(shape, place)};\n`;
    const reader =
      this.#typed([...READ, ...endOf(flexible)], read) + `)${this.#annotate(`: ${typeText(shape)}`)}`;
    return (
      `${head}  read: (${reader} => ${read},\n` +
      `  write: (${parameters([...WRITTEN, ...endOf(flexible)], write)}) => {\n${write}  },\n})`
    );
  }

  #record(type: RecordType): string {
    const { name, typeName, size, flexible, fields } = type;
    const comment = `/** ${code(typeName)}, ${String(size)} bytes.${tagText(type.tags)} */\n`;
    const members = fields.map(
      (field) =>
        `  /** ${fieldComment(field)} */\n  ${propertyName(field.name)}: ${typeText(field.shape)};\n`,
    );
    const declaration = `${comment}export interface ${name} {\n${members.join('')}}\n`;
    this.#imports.types.add('Codec');
    if (this.#form === 'declaration') return `${declaration}export declare const ${name}: Codec<${name}>;\n`;
    const { values } = this.#imports;
    values.add('codec');
    const annotate = this.#annotate;
    const read = readFields(fields, values);
    const write = writeFields(type, { uses: values, annotate });
    const names = fields.map((field) => quote(field.name)).join(', ');
    const table = fieldTable(fields, { uses: values, annotate });
    const readers = `{\n  size: ${String(size)},\n${flexibleText(flexible)}  read: get${name},\n  write: put${name},\n  fields: {\n${table}  },\n}`;
    return (
      (this.#form === 'typescript' ? declaration : comment) +
      `export const ${name}${annotate(`: Codec<${name}>`)} = codec(${quote(typeName)}, ${readers});\n\n` +
      `const fieldsOf${name}${annotate(': ReadonlySet<string>')} = new Set([${names}]);\n\n` +
      `function get${name}(${this.#typed([...READ, ...endOf(flexible)], read)})${annotate(`: ${name}`)} {\n${read}}\n\n` +
      `function put${name}(${this.#typed([...WRITTEN, ...endOf(flexible)], write)})` +
      `${annotate(': void')} {\n${write}}\n`
    );
  }

  #enum(type: EnumType): string {
    const { name, typeName, size, values } = type;
    const wide = isWide(type);
    const literal = (value: number | bigint): string => (wide ? `${String(value)}n` : String(value));
    const comment = `/** ${code(typeName)}, ${String(size)} bytes.${tagText(type.tags)} */\n`;
    const alias =
      `/** An enumerator of ${code(typeName)}, or the number where none has it. */\n` +
      `export type ${name} = keyof typeof ${name} | ${wide ? 'bigint' : 'number'};\n`;
    if (this.#form === 'declaration') {
      const members = values.map(
        (item) => `  readonly ${propertyName(item.name)}: ${literal(item.value)};\n`,
      );
      return `${comment}export declare const ${name}: {\n${members.join('')}};\n${alias}`;
    }
    const members = values.map((item) => `  ${literalKey(item.name)}: ${literal(item.value)},\n`);
    const table = `${comment}export const ${name} = {\n${members.join('')}}${this.#annotate(' as const')};\n`;
    return table + this.#annotate(alias);
  }

  /** Functions that `text` calls to turn numbers into names. */
  enumReaders(types: readonly NamedType[], text: string): string[] {
    return types
      .filter((type) => type.kind === 'enum')
      .flatMap((type) => [32, 64].map((bits) => ({ type, bits })))
      .filter(({ type, bits }) => text.includes(`${enumReader(type, bits)}(`))
      .map(({ type, bits }) => this.#enumReader(type, bits > 32));
  }

  /** A switch over the values, the first enumerator of each. */
  #enumReader(type: EnumType, wide: boolean): string {
    const number = wide ? 'bigint' : 'number';
    const names = new Map<number | bigint, string>();
    for (const { name, value } of type.values) {
      const stored = wide ? BigInt(value) : Number(value);
      if (!names.has(stored)) names.set(stored, name);
    }
    const cases = [...names].map(
      ([value, name]) => `    case ${String(value)}${wide ? 'n' : ''}:\n      return ${quote(name)};\n`,
    );
    const result = wide === isWide(type) ? type.name : `keyof typeof ${type.name} | ${number}`;
    const reader = enumReader(type, wide ? 64 : 32);
    return (
      `function ${reader}(value${this.#annotate(`: ${number}`)})${this.#annotate(`: ${result}`)} {\n` +
      `  switch (value) {\n${cases.join('')}    default:\n      return value;\n  }\n}\n`
    );
  }

  readonly #annotate = (text: string): string => (this.#form === 'typescript' ? text : '');

  #typed(names: readonly (keyof typeof PARAMETERS)[], body: string): string {
    return names.map((name) => used(name, body) + this.#annotate(PARAMETERS[name])).join(', ');
  }
}

const PARAMETERS = {
  view: ': DataView',
  at: ': number',
  value: ': unknown',
  typeName: ': string',
  end: '?: number',
} as const;
const READ = ['view', 'at'] as const;
const WRITTEN = ['view', 'at', 'value', 'typeName'] as const;

/** The parameter that says where a flexible array ends. */
function endOf(flexible: FlexibleEnd | undefined): readonly 'end'[] {
  return flexible === undefined ? [] : ['end'];
}

function flexibleText(flexible: FlexibleEnd | undefined): string {
  if (flexible === undefined) return '';
  const arrays = flexible.arrays.map(({ path, offset, elementSize, of }) => {
    const place = `offset: ${String(offset)}, elementSize: ${String(elementSize)}, of: ${quote(of)}`;
    return `{ path: [${path.map(quote).join(', ')}], ${place} }`;
  });
  return `  flexible: { smallest: ${String(flexible.smallest)}, arrays: [${arrays.join(', ')}] },\n`;
}

function parameters(names: readonly string[], body: string): string {
  return names.map((name) => used(name, body)).join(', ');
}

/** A struct without fields reads nothing: what is not used says so by its name. */
function used(name: string, body: string): string {
  return new RegExp(`\\b${name}\\b`).test(body) ? name : `_${name}`;
}

function fieldComment({ typeName, bitOffset, shape, tags }: RecordField): string {
  const place = shape.kind === 'bits' ? `bit ${String(bitOffset)}` : `byte ${String(bitOffset / 8)}`;
  return `${code(typeName)} at ${place}.${tagText(tags)}`;
}

/** A C type in a comment. */
export function code(text: string): string {
  return `\`${commentText(text)}\``;
}

/** Decl tags behind the rest of a comment. */
export function tagText(tags: readonly string[]): string {
  return tags.map((tag) => ` ${commentText(tag)}.`).join('');
}
