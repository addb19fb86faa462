import { instructionForms, type Form } from './syntax.ts';

/** What stands at one place of a text: an operand, or a number that must be this one. */
export type Place =
  | { readonly operand: string; readonly literal?: undefined }
  | { readonly literal: bigint; readonly operand?: undefined };

export interface CompiledForm extends Form {
  /** The text with `%r`, `%w` and `%n` for 64-bit registers, 32-bit registers and numbers. */
  readonly shape: string;
  /** One for each of these. */
  readonly places: readonly Place[];
}

interface FormTables {
  readonly byOpcode: ReadonlyMap<number, readonly CompiledForm[]>;
  readonly byShape: ReadonlyMap<string, readonly CompiledForm[]>;
}

export interface Token {
  /** As in a shape. */
  readonly shape: string;
  readonly value?: bigint;
}

const TOKEN =
  /\s*(?:\{(?<operand>[+\w]+)\}|(?<register>[rw]\d{1,2})\b|(?<number>[+-]?\s*(?:0x[\da-f]+|\d+))\b|(?<other>s?(?:<<|>>)=|s[/%]=|s[<>]=?|[a-z_]\w*|[-+*/|&%^=!<>]=|[-<>=&*()[\],:]))/iy;

/** Cuts a text into its parts; undefined where something is none. */
export function tokenize(text: string): (Token & { readonly operand?: string })[] | undefined {
  const tokens: (Token & { readonly operand?: string })[] = [];
  const pattern = new RegExp(TOKEN);
  for (const end = text.trimEnd().length; pattern.lastIndex < end;) {
    const groups = pattern.exec(text)?.groups;
    if (groups === undefined) return undefined;
    const { operand, register, number, other = '' } = groups;
    if (operand !== undefined) tokens.push({ shape: operandShape(operand), operand });
    else if (register !== undefined)
      tokens.push({ shape: `%${register.charAt(0)}`, value: BigInt(register.slice(1)) });
    else if (number !== undefined) tokens.push({ shape: '%n', value: integerOf(number) });
    else tokens.push({ shape: other });
  }
  return tokens;
}

export function shapeOf(tokens: readonly Token[]): string {
  return tokens.map(({ shape }) => shape).join(' ');
}

function operandShape(operand: string): string {
  if (operand === 'd' || operand === 's') return '%r';
  return operand === 'D' || operand === 'S' ? '%w' : '%n';
}

function integerOf(text: string): bigint {
  const digits = text.replace(/^[+-]?\s*/, '');
  return text.startsWith('-') ? -BigInt(digits) : BigInt(digits);
}

let tables: FormTables | undefined;

/** All forms, by what they print and by what they are printed as. */
export function formTables(): FormTables {
  if (tables === undefined) {
    const forms = instructionForms().map(compile);
    tables = {
      byOpcode: groupBy(forms, ({ opcode }) => opcode),
      byShape: groupBy(forms, ({ shape }) => shape),
    };
  }
  return tables;
}

function compile(form: Form): CompiledForm {
  const tokens = tokenize(form.text) ?? [];
  const places = tokens.flatMap(({ operand, value }): Place[] => {
    if (operand !== undefined) return [{ operand }];
    return value === undefined ? [] : [{ literal: value }];
  });
  return { ...form, shape: shapeOf(tokens), places };
}

function groupBy<Key, Value>(values: readonly Value[], keyOf: (value: Value) => Key): Map<Key, Value[]> {
  const groups = new Map<Key, Value[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups;
}
