import { inspect } from 'node:util';

/** A decoded event: the fields of the C struct, as the object's BTF names them. */
export type EventFields = Readonly<Record<string, unknown>>;

/** Any time from one moment to another is right. Nanoseconds of CLOCK_MONOTONIC, as bpf_ktime_get_ns() gives. */
export interface TimeWindow {
  readonly from: bigint;
  readonly to: bigint;
}

export type ExpectedValue = number | string | Uint8Array | TimeWindow;

export interface FieldDifference {
  readonly field: string;
  readonly expected: string;
  readonly found: string;
}

const ABSENT = 'no such field';

/** Every field of either side must be in the other and right there; the differences, in the order of the struct. */
export function compareEvent(
  event: EventFields,
  expected: Readonly<Record<string, ExpectedValue>>,
): FieldDifference[] {
  const fields = new Set([...Object.keys(event), ...Object.keys(expected)]);
  return [...fields].flatMap((field) => {
    const difference = compareField(event[field], expected[field]);
    return difference ? [{ field, ...difference }] : [];
  });
}

function compareField(
  found: unknown,
  expected: ExpectedValue | undefined,
): Omit<FieldDifference, 'field'> | undefined {
  if (expected instanceof Uint8Array && found instanceof Uint8Array) return compareBytes(found, expected);
  if (typeof expected === 'object' && 'from' in expected) {
    if (typeof found === 'bigint' && found >= expected.from && found <= expected.to) return undefined;
    return { expected: `${expected.from} to ${expected.to}`, found: describe(found) };
  }
  return found !== undefined && found === expected
    ? undefined
    : { expected: describe(expected), found: describe(found) };
}

function compareBytes(found: Uint8Array, expected: Uint8Array): Omit<FieldDifference, 'field'> | undefined {
  const longer = Math.max(found.length, expected.length);
  for (let at = 0; at < longer; at++) {
    if (found[at] !== expected[at])
      return { expected: describeBytes(expected, at), found: describeBytes(found, at) };
  }
  return undefined;
}

function describe(value: unknown): string {
  if (value === undefined) return ABSENT;
  if (value instanceof Uint8Array) return describeBytes(value, 0);
  return typeof value === 'string' ? JSON.stringify(value) : inspect(value);
}

/** The first bytes from where two differ on: `512 bytes, from byte 17: 0a0b0c…`. */
function describeBytes(bytes: Uint8Array, at: number): string {
  const end = at + 16;
  const shown = Buffer.from(bytes.subarray(at, end)).toString('hex') + (end < bytes.length ? '…' : '');
  if (at >= bytes.length) return `${bytes.length} bytes`;
  return at === 0 && end >= bytes.length ? shown : `${bytes.length} bytes, from byte ${at}: ${shown}`;
}
