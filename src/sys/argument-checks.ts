import { ArgumentError } from '../errors.ts';

/** Throws unless `value` is an integer in range: koffi cuts 2**40 to 0 for an `int` and lets NaN pass. */
export function checkInteger(name: string, value: number, range: { minimum: number; maximum: number }): void {
  if (Number.isInteger(value) && value >= range.minimum && value <= range.maximum) return;
  throw new ArgumentError(
    name,
    `Cannot use ${String(value)} as ${name}: an integer from ${String(range.minimum)} to ${String(range.maximum)} is needed`,
  );
}

/** Throws unless `value` can be a file descriptor. */
export function checkDescriptor(value: number): void {
  checkInteger('fd', value, { minimum: 0, maximum: 0x7fff_ffff });
}

/** Throws unless `value` is bytes, at least `minimum` of them. */
export function checkBytes(name: string, value: Uint8Array, minimum = 0): void {
  if (!(value instanceof Uint8Array))
    throw new ArgumentError(name, `Cannot use ${name}: it is not a Uint8Array`);
  if (value.length < minimum) {
    throw new ArgumentError(
      name,
      `Cannot use ${name}: it has ${String(value.length)} bytes, and ${String(minimum)} are needed`,
    );
  }
}

/** Throws unless `value` is a string that C can take whole. */
export function checkCString(name: string, value: string): void {
  if (typeof value !== 'string' || value.includes('\0')) {
    throw new ArgumentError(
      name,
      `Cannot use ${JSON.stringify(value)} as ${name}: a string without NUL is needed`,
    );
  }
}
