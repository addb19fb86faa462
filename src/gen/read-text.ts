import { plus, readBits } from './bits.ts';
import { literalKey } from './names.ts';
import { bitsOf, type EnumType, type RecordField, type Shape } from './shape.ts';
import { isWide, LONGEST_TUPLE } from './type-text.ts';

export interface ReadPlace {
  readonly base: string;
  readonly bitOffset: number;
  /** Gets what is called of the run time. */
  readonly uses: Set<string>;
  readonly depth?: number;
  /** It is where a flexible array grows, up to `end`. */
  readonly last?: boolean;
}

/** An expression that reads the value at `base` + `offset` bytes of `view`. */
export function readText(shape: Shape, place: ReadPlace): string {
  const { base, bitOffset, uses } = place;
  const at = plus(base, bitOffset / 8);
  switch (shape.kind) {
    case 'integer':
      return readInteger(shape, { at, uses });
    case 'boolean':
      return readFlag(readInteger({ size: shape.size, signed: false }, { at, uses }), shape.size * 8);
    case 'float':
      return `view.getFloat${String(shape.size * 8)}(${at}, true)`;
    case 'enum':
      return `${enumReader(shape.type, bitsOf(shape))}(${readInteger(shape, { at, uses })})`;
    case 'text':
      uses.add('readText');
      return `readText(view, ${at}, ${lengthText(shape, place)})`;
    case 'bytes':
      uses.add('readBytes');
      return `readBytes(view, ${at}, ${lengthText(shape, place)})`;
    case 'record': {
      const end = place.last === true && shape.type.flexible !== undefined ? ', end' : '';
      return `get${shape.type.name}(view, ${at}${end})`;
    }
    case 'array':
      return readArray(shape, place);
    case 'bits': {
      const raw = readBits(base, { bitOffset, bits: shape.bits, signed: shape.signed });
      if (shape.of === 'integer') return raw;
      if (shape.of === 'boolean') return readFlag(raw, shape.bits);
      return `${enumReader(shape.of, shape.bits)}(${withoutParentheses(raw)})`;
    }
  }
}

function readArray(shape: Extract<Shape, { kind: 'array' }>, place: ReadPlace): string {
  const { base, bitOffset, uses, depth = 0 } = place;
  const { element, length } = shape;
  const { size } = element.shape;
  const grows = place.last === true && shape.flexible !== undefined;
  if (length <= LONGEST_TUPLE && !grows) {
    const items = Array.from({ length }, (_, index) =>
      readText(element.shape, { base, bitOffset: bitOffset + index * size * 8, uses, depth }),
    );
    return `[${items.join(', ')}]`;
  }
  uses.add('readElements');
  const index = `index${depth === 0 ? '' : String(depth + 1)}`;
  const start = plus(base, bitOffset / 8);
  const inner = { base: `${start} + ${index} * ${String(size)}`, bitOffset: 0, uses, depth: depth + 1 };
  return `readElements(${lengthText(shape, place)}, (${index}) => ${readText(element.shape, inner)})`;
}

/** An expression for the elements of an array: a constant, or as many as there are up to `end`. */
export function lengthText(
  shape: Extract<Shape, { kind: 'text' | 'bytes' | 'array' }>,
  { base, bitOffset, uses, last = false }: Omit<ReadPlace, 'depth'>,
): string {
  if (!last || shape.flexible === undefined)
    return String(shape.kind === 'array' ? shape.length : shape.size);
  uses.add('flexibleLength');
  const elementSize = shape.kind === 'array' ? shape.element.shape.size : 1;
  return `flexibleLength(${plus(base, bitOffset / 8)}, end, ${String(elementSize)})`;
}

/** The function that turns a number into the name of an enumerator. */
export function enumReader(type: EnumType, bits: number): string {
  const wide = bits > 32;
  return `name${type.name}${wide === isWide(type) ? '' : wide ? '_wide' : '_narrow'}`;
}

/** The body of a function that reads a struct or union. */
export function readFields(fields: readonly RecordField[], uses: Set<string>): string {
  const lines = fields.map(({ name, shape, bitOffset, last }) => {
    const value = readText(shape, { base: 'at', bitOffset, uses, last });
    return `    ${literalKey(name)}: ${withoutParentheses(value)},\n`;
  });
  return fields.length === 0 ? '  return {};\n' : `  return {\n${lines.join('')}  };\n`;
}

/** The entries of a table of fields that are read one by one: constant offsets, which structs within add to their own. */
export function fieldTable(
  fields: readonly RecordField[],
  { uses, annotate }: { uses: Set<string>; annotate: (type: string) => string },
): string {
  const lines = fields.map(({ name, shape, bitOffset, last }) => {
    const key = literalKey(name);
    if (shape.kind === 'record') {
      const closed = !last && shape.type.flexible !== undefined ? ', closed: true' : '';
      return `    ${key}: { offset: ${String(bitOffset / 8)}, of: ${shape.type.name}${closed} },\n`;
    }
    const value = withoutParentheses(readText(shape, { base: 'at', bitOffset, uses, last }));
    // Of what every object has a property of that name the compiler does not take the table's type.
    const typed = name in Object.prototype ? annotate : (): string => '';
    const parameters = [`view${typed(': DataView')}`, `at${typed(': number')}`, `end${typed(': number')}`];
    return `    ${key}: (${parameters.filter((text) => isUsed(text, value)).join(', ')}) => ${value},\n`;
  });
  return lines.join('');
}

function isUsed(parameter: string, body: string): boolean {
  return new RegExp(`\\b${parameter.replace(/:.*/, '')}\\b`).test(body);
}

/** Without parentheses around all of it. */
function withoutParentheses(expression: string): string {
  if (!expression.startsWith('(')) return expression;
  let depth = 0;
  for (let at = 0; at < expression.length - 1; at++) {
    if (expression[at] === '(') depth++;
    else if (expression[at] === ')') depth--;
    if (depth === 0) return expression;
  }
  return expression.slice(1, -1);
}

function readFlag(integer: string, bits: number): string {
  return `${integer} !== 0${bits > 32 ? 'n' : ''}`;
}

function readInteger(
  { size, signed }: { size: number; signed: boolean },
  { at, uses }: { at: string; uses: Set<string> },
): string {
  const sign = signed ? 'Int' : 'Uint';
  if (size === 1) return `view.get${sign}8(${at})`;
  if (size === 8) return `view.getBig${sign}64(${at}, true)`;
  if (size < 8) return `view.get${sign}${String(size * 8)}(${at}, true)`;
  const reader = signed ? 'readSigned128' : 'readUnsigned128';
  uses.add(reader);
  return `${reader}(view, ${at})`;
}
