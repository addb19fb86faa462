import { ValueError } from '../errors.ts';

/**
 * Says that a value does not fit, thrown where that is found. What encloses the place adds to `path` on the way up,
 * so that a value that fits costs no path at all.
 */
export class Mismatch extends Error {
  path = '';
  readonly type: string;
  readonly value: unknown;

  constructor(value: unknown, type: string, why: string) {
    super(why);
    this.value = value;
    this.type = type;
  }

  /** Runs `write` for what lies at `segment` of an enclosing value. */
  static within(segment: string, error: unknown): unknown {
    if (error instanceof Mismatch) error.path = segment + error.path;
    return error;
  }

  toError(): ValueError {
    const place = this.path === '' ? '' : ` at ${this.path}`;
    return new ValueError(
      this.path,
      this.type,
      `Cannot store ${describeValue(this.value)} as ${this.type}${place}: ${this.message}`,
    );
  }
}

const LONGEST = 40;

/** A value as an error message names it, `70000`, `"eth0"`, `an array of 3`. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value);
    case 'number':
    case 'bigint':
    case 'boolean':
    case 'undefined':
      return String(value);
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return `an array of ${String(value.length)}`;
      if (value instanceof Uint8Array) return `${String(value.length)} bytes`;
      // `[object Map]`
      return Object.prototype.toString.call(value) === '[object Object]'
        ? 'an object'
        : `a ${Object.prototype.toString.call(value).slice(8, -1)}`;
    default:
      return `a ${typeof value}`;
  }
}
