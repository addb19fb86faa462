import { ValueError } from '../errors.ts';
import type { Btf } from './btf.ts';
import { fieldsOf } from './fields.ts';
import { formatType } from './format-type.ts';
import { describeValue } from './mismatch.ts';
import { resolveType } from './resolve.ts';

interface Target {
  readonly btf: Btf;
  readonly typeId: number;
  /** Where in the value this is, `.source.port`. */
  readonly path: string;
}

/**
 * Turns the text of a command line into a value that {@link Codec.write} takes for the type:
 *
 * - JSON where the text starts with `{`, `[` or `"`, integers of any size exact;
 * - `field=value,field=value` for a struct or union;
 * - anything else as it is: an integer, an enumerator, a string, hexadecimal bytes.
 *
 * Whether the value fits is found when it is written.
 *
 * @throws {ValueError} for malformed JSON, for fields that are not there, and for text that is no list of fields.
 */
export function parseValue(text: string, btf: Btf, typeId: number): unknown {
  return parse(text, { btf, typeId, path: '' });
}

function parse(text: string, target: Target): unknown {
  const trimmed = text.trim();
  const kind = target.btf.kindOf(resolveType(target.btf, target.typeId));
  const composite = kind === 'struct' || kind === 'union';
  // A brace or bracket may well begin a string, and only begins JSON where the type has fields or elements.
  if (
    trimmed.startsWith('"') ||
    (trimmed.startsWith('{') && composite) ||
    (trimmed.startsWith('[') && kind === 'array')
  ) {
    return parseJson(trimmed, target);
  }
  return composite ? parseFields(trimmed, target) : text;
}

/**
 * A string, or an integer with more digits than a number holds exactly. Plain characters are taken in runs: one by one
 * they would need a stack as deep as the string is long. One without an end goes on to the end, rather than be looked
 * for again from every quotation mark in it.
 */
const TOKEN = /"[^"\\]*(?:\\[^]?[^"\\]*)*(?:"|$)|-?\d{16,}(?![\d.eE])/g;

function parseJson(text: string, target: Target): unknown {
  // JSON.parse rounds large integers; as text they stay exact.
  const exact = text.replace(TOKEN, (token) => (token.startsWith('"') ? token : `"${token}"`));
  try {
    return JSON.parse(exact);
  } catch (cause) {
    throw mismatch(text, target, { why: 'it is not valid JSON', cause });
  }
}

function parseFields(text: string, target: Target): Record<string, unknown> {
  const { btf, path } = target;
  const fields = new Map(fieldsOf(btf, resolveType(btf, target.typeId)).map((field) => [field.name, field]));
  const value: Record<string, unknown> = {};
  for (const part of text === '' ? [] : splitAtCommas(text)) {
    const equals = part.indexOf('=');
    if (equals < 0) throw mismatch(text, target, { why: 'it must be JSON or field=value,field=value' });
    const name = part.slice(0, equals).trim();
    const field = fields.get(name);
    const place = { ...target, path: `${path}.${name}` };
    if (field === undefined) {
      const names = [...fields.keys()].join(', ');
      throw mismatch(part, place, { why: `there is no such field; there are ${names}` });
    }
    if (Object.hasOwn(value, name)) throw mismatch(part, place, { why: 'the field is given twice' });
    const parsed = parse(part.slice(equals + 1), { btf, typeId: field.typeId, path: place.path });
    Object.defineProperty(value, name, {
      value: parsed,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return value;
}

/** Splits at the commas that stand outside of quotes, braces and brackets. */
function splitAtCommas(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (quoted && character === '\\') at++;
    else if (character === '"') quoted = !quoted;
    else if (!quoted && (character === '{' || character === '[')) depth++;
    else if (!quoted && (character === '}' || character === ']')) depth--;
    else if (!quoted && depth === 0 && character === ',') {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function mismatch(
  text: string,
  { btf, typeId, path }: Target,
  { why, cause }: { why: string; cause?: unknown },
): ValueError {
  const type = formatType(btf, typeId);
  const place = path === '' ? '' : ` at ${path}`;
  return new ValueError(path, type, `Cannot store ${describeValue(text)} as ${type}${place}: ${why}`, {
    cause,
  });
}
