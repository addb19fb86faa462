import { inspect, types } from 'node:util';
import type { Json } from '../btf/index.ts';
import type { ObjectFile } from '../elf/index.ts';
import { TsXdpError } from '../errors.ts';
import { describe } from './describe.ts';

/**
 * Any value as JSON: bigints as decimal strings, bytes as hexadecimal, undefined as null, a Map as a list of pairs,
 * things of this library as what identifies them. What JSON has no form for is the text that Node shows for it.
 */
export function jsonValue(value: unknown, object: ObjectFile | undefined): Json {
  return convert(value, { object, above: new Set() });
}

interface Conversion {
  readonly object: ObjectFile | undefined;
  /** Values on the way down, to find cycles. */
  readonly above: Set<object>;
}

function convert(value: unknown, conversion: Conversion): Json {
  switch (typeof value) {
    case 'undefined':
      return null;
    case 'string':
    case 'boolean':
      return value;
    case 'bigint':
      return value.toString();
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'function':
    case 'symbol':
      return inspect(value, { depth: 0 });
    case 'object':
      return value === null ? null : convertObject(value, conversion);
  }
}

function convertObject(value: object, conversion: Conversion): Json {
  const { object, above } = conversion;
  if (above.has(value)) return '[Circular]';
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex');
  }
  const described = describe(value, object);
  if (described) return described.json;
  above.add(value);
  try {
    return convertInside(value, (inner) => convert(inner, conversion));
  } finally {
    above.delete(value);
  }
}

function convertInside(value: object, inner: (value: unknown) => Json): Json {
  if (Array.isArray(value)) return value.map(inner);
  if (value instanceof Map) return Array.from(value as Map<unknown, unknown>, (pair) => pair.map(inner));
  if (value instanceof Set) return Array.from(value as Set<unknown>, inner);
  if (value instanceof Date) return value.toJSON();
  if (value instanceof TsXdpError) {
    return {
      code: value.code,
      message: value.message,
      ...(value.hint !== undefined && { hint: value.hint }),
    };
  }
  if (types.isNativeError(value) || ArrayBuffer.isView(value) || types.isProxy(value)) return inspect(value);
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, inner(field)]));
}
