import { plus, spanOf } from './bits.ts';
import { quote } from './names.ts';
import { lengthText } from './read-text.ts';
import { bitsOf, type BitsShape, type EnumType, type RecordType, type Shape } from './shape.ts';

export interface WritePlace {
  readonly base: string;
  readonly bitOffset: number;
  /** The expression that is written. */
  readonly value: string;
  /** The expression for the type's name in errors. */
  readonly typeName: string;
  /** Gets what is called of the run time. */
  readonly uses: Set<string>;
  readonly depth?: number;
  /** It is where a flexible array grows, up to `end`. */
  readonly last?: boolean;
}

/** A statement, without semicolon, that checks a value and writes it. */
export function writeText(shape: Shape, place: WritePlace): string {
  const { base, bitOffset, value, typeName, uses } = place;
  const at = plus(base, bitOffset / 8);
  switch (shape.kind) {
    case 'integer':
      return setInteger(shape, { at, uses, value: checkInteger(shape, place) });
    case 'boolean': {
      uses.add('toFlag');
      const flag = `toFlag(${value}, ${typeName})`;
      return setInteger(
        { size: shape.size, signed: false },
        { at, uses, value: widen(flag, shape.size * 8) },
      );
    }
    case 'float':
      uses.add('toFloat');
      return `view.setFloat${String(shape.size * 8)}(${at}, toFloat(${value}, ${typeName}, ${String(shape.size)}), true)`;
    case 'enum': {
      const checked = checkEnumerator(shape.type, { ...place, bits: bitsOf(shape), signed: shape.signed });
      return setInteger({ size: shape.size, signed: false }, { at, uses, value: checked });
    }
    case 'text':
    case 'bytes': {
      const bytes = shape.flexible !== undefined ? 'toBytesUpTo' : 'toBytes';
      const convert = shape.kind === 'text' ? 'toText' : bytes;
      uses.add(convert).add('copyInto');
      return `copyInto(view, ${at}, ${convert}(${value}, ${lengthText(shape, place)}, ${typeName}))`;
    }
    case 'record': {
      const end = place.last === true && shape.type.flexible !== undefined ? ', end' : '';
      return `put${shape.type.name}(view, ${at}, ${value}, ${typeName}${end})`;
    }
    case 'array':
      return writeArray(shape, place);
    case 'bits':
      return writeBits(shape, place);
  }
}

function writeArray(shape: Extract<Shape, { kind: 'array' }>, place: WritePlace): string {
  const { base, bitOffset, value, typeName, uses, depth = 0 } = place;
  const { element } = shape;
  const write = shape.flexible !== undefined ? 'writeElementsUpTo' : 'writeElements';
  uses.add(write);
  const suffix = depth === 0 ? '' : String(depth + 1);
  const [item, index] = [`element${suffix}`, `index${suffix}`];
  const start = plus(base, bitOffset / 8);
  const inner = writeText(element.shape, {
    base: `${start} + ${index} * ${String(element.shape.size)}`,
    bitOffset: 0,
    value: item,
    typeName: quote(element.typeName),
    uses,
    depth: depth + 1,
  });
  const shapeText = `{ length: ${lengthText(shape, place)}, typeName: ${typeName} }`;
  return `${write}(${value}, ${shapeText}, (${item}, ${index}) => { ${inner}; })`;
}

function writeBits(shape: BitsShape, place: WritePlace): string {
  const { base, bitOffset, value, typeName, uses } = place;
  const { bits, signed } = shape;
  const { firstByte, byteCount, shift } = spanOf(bitOffset, bits);
  const checked = checkBits(shape, { ...place, value, typeName });
  const at = plus(base, firstByte);
  if (byteCount === 1) {
    const mask = (2 ** bits - 1) << shift;
    const moved = shift === 0 ? checked : `(${checked} << ${String(shift)})`;
    // What has been checked to be without sign has no bits outside of the field.
    const placed = signed || shape.of !== 'integer' ? `(${moved} & ${String(mask)})` : moved;
    return `view.setUint8(${at}, (view.getUint8(${at}) & ${String(0xff & ~mask)}) | ${placed})`;
  }
  uses.add('writeBits');
  const bitPlace = `bitOffset: ${String(shift)}, bitSize: ${String(bits)}`;
  return `writeBits(view, ${at}, { ${bitPlace}, value: ${checked} })`;
}

function checkBits(shape: BitsShape, place: WritePlace): string {
  const { value, typeName, uses } = place;
  const { bits, signed, of } = shape;
  if (of === 'integer') return checkInteger({ bits, signed }, place);
  if (of !== 'boolean') return checkEnumerator(of, { ...place, bits, signed });
  uses.add('toFlag');
  return widen(`toFlag(${value}, ${typeName})`, bits);
}

function checkInteger(
  integer: { size: number; signed: boolean } | { bits: number; signed: boolean },
  { value, typeName, uses }: WritePlace,
): string {
  const bits = 'bits' in integer ? integer.bits : integer.size * 8;
  const convert = `to${bits > 32 ? 'Big' : ''}${integer.signed ? 'Signed' : 'Unsigned'}`;
  uses.add(convert);
  return `${convert}(${value}, ${String(bits)}, ${typeName})`;
}

function checkEnumerator(
  type: EnumType,
  { value, typeName, uses, bits, signed }: WritePlace & { bits: number; signed: boolean },
): string {
  uses.add('toEnumerator');
  const place = `{ bits: ${String(bits)}, signed: ${String(signed)}, typeName: ${typeName} }`;
  const checked = `toEnumerator(${value}, ${type.name}, ${place})`;
  return bits > 32 ? `BigInt(${checked})` : `Number(${checked})`;
}

function setInteger(
  { size, signed }: { size: number; signed: boolean },
  { at, value, uses }: { at: string; value: string; uses: Set<string> },
): string {
  const sign = signed ? 'Int' : 'Uint';
  if (size === 1) return `view.set${sign}8(${at}, ${value})`;
  if (size === 8) return `view.setBig${sign}64(${at}, ${value}, true)`;
  if (size < 8) return `view.set${sign}${String(size * 8)}(${at}, ${value}, true)`;
  uses.add('write128');
  return `write128(view, ${at}, ${value})`;
}

function widen(number: string, bits: number): string {
  return bits > 32 ? `BigInt(${number})` : number;
}

/** The body of a function that writes a struct or union: what is not given stays as it is, which is zero. */
export function writeFields(
  { fields, name: record }: RecordType,
  { uses, annotate }: { uses: Set<string>; annotate: (type: string) => string },
): string {
  uses.add('toRecord').add('refuseUnknown');
  const end = `  refuseUnknown(given, fieldsOf${record}, typeName);\n`;
  const [first] = fields;
  if (!first) return `  const given = toRecord(value, typeName);\n${end}`;
  uses.add('within');
  const statements = fields.map(({ name, shape, typeName, bitOffset, last }, index) => {
    const place = { base: 'at', bitOffset, value: 'item', typeName: quote(typeName), uses, last };
    const own = name in Object.prototype;
    if (own) uses.add('ownField');
    return (
      (index === 0 ? '' : `    field = ${quote(name)};\n`) +
      `    item = ${own ? 'ownField(given, field)' : 'given[field]'};\n` +
      `    if (item !== undefined) ${writeText(shape, place)};\n`
    );
  });
  return (
    `  const given = toRecord(value, typeName);\n` +
    `  let field = ${quote(first.name)};\n  let item${annotate(': unknown')};\n` +
    `  try {\n${statements.join('')}  } catch (error) {\n    throw within(\`.\${field}\`, error);\n  }\n${end}`
  );
}
