import { inspect, type InspectOptions } from 'node:util';
import { TsXdpError, VerifierError } from '../errors.ts';
import type { ObjectFile } from '../elf/index.ts';
import { describe } from './describe.ts';

export interface InspectContext {
  /** Whose specs are described in one line instead of field by field. */
  readonly object: ObjectFile | undefined;
  /** @default false */
  readonly colors?: boolean;
  /** Everything on one line and nothing left out, for programs that read the output. @default false */
  readonly oneLine?: boolean;
}

/** Deeper than this, values are shown as `util.inspect` shows them. */
const DEPTH = 6;
const BYTES_SHOWN = 256;

/**
 * A value as text. Things of this library are described in a line, bytes are hexadecimal, errors of ours say what they
 * mean instead of where they were thrown; everything else looks as it does in Node's own REPL.
 */
export function inspectValue(value: unknown, context: InspectContext): string {
  if (value instanceof TsXdpError) return describeError(value);
  const { colors = false, oneLine = false } = context;
  const options: InspectOptions = oneLine
    ? {
        colors,
        depth: 12,
        breakLength: Number.POSITIVE_INFINITY,
        compact: true,
        maxArrayLength: null,
        maxStringLength: null,
      }
    : { colors, depth: 4 };
  return inspect(new Presenter(context).present(value, 0), options);
}

/** `NotFoundError: Cannot …`, and the hint on a line of its own. */
export function describeError(error: TsXdpError): string {
  const lines = [`${error.name}: ${error.message}`];
  if (error.hint !== undefined) lines.push(`hint: ${error.hint}`);
  if (error instanceof VerifierError && error.log !== '')
    lines.push('hint: its field log has the whole verifier log');
  return lines.join('\n');
}

/** Takes the place of a value in what is inspected; the classes themselves know nothing of the REPL. */
class Shown {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  [inspect.custom](
    _depth: number,
    { stylize }: { stylize: (text: string, style: 'special') => string },
  ): string {
    return stylize(this.#text, 'special');
  }
}

class Presenter {
  readonly #context: InspectContext;
  /** Values on the way down: what refers back to one of them is left as it is, for inspect to mark as circular. */
  readonly #above = new Set<object>();

  constructor(context: InspectContext) {
    this.#context = context;
  }

  present(value: unknown, depth: number): unknown {
    if (typeof value !== 'object' || value === null || depth > DEPTH || this.#above.has(value)) return value;
    if (value instanceof Uint8Array) return new Shown(describeBytes(value, this.#context));
    const described = describe(value, this.#context.object);
    if (described) return new Shown(described.text);
    this.#above.add(value);
    try {
      return this.#presentInside(value, depth + 1);
    } finally {
      this.#above.delete(value);
    }
  }

  #presentInside(value: object, depth: number): unknown {
    const inner = (one: unknown): unknown => this.present(one, depth);
    if (value instanceof TsXdpError) return new Shown(describeError(value));
    if (Array.isArray(value)) return rebuilt(value, value.map(inner), (parts) => parts);
    if (value instanceof Set) return rebuilt(value, [...value].map(inner), (parts) => new Set(parts));
    if (value instanceof Map) {
      const flat = [...(value as Map<unknown, unknown>)].flat(1).map(inner);
      return rebuilt(value, flat, (parts) => new Map(pairs(parts)));
    }
    return isPlain(value) ? presentFields(value, inner) : value;
  }
}

/** The value itself where nothing in it was replaced, so that subclasses and holes are shown as they are. */
function rebuilt(
  value: Iterable<unknown>,
  parts: unknown[],
  build: (parts: unknown[]) => Iterable<unknown>,
): Iterable<unknown> {
  const before = value instanceof Map ? [...(value as Map<unknown, unknown>)].flat(1) : [...value];
  return parts.some((part, index) => part !== before[index]) ? build(parts) : value;
}

function* pairs(flat: readonly unknown[]): Generator<[unknown, unknown]> {
  for (let at = 0; at < flat.length; at += 2) yield [flat[at], flat[at + 1]];
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Objects without a prototype, such as `maps`, are shown as any other; getters are left alone. */
function presentFields(value: object, inner: (value: unknown) => unknown): object {
  const copy = {};
  let changed = Object.getPrototypeOf(value) === null;
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    const shown: unknown = 'value' in descriptor ? inner(descriptor.value) : undefined;
    changed ||= 'value' in descriptor && shown !== descriptor.value;
    Object.defineProperty(copy, name, 'value' in descriptor ? { ...descriptor, value: shown } : descriptor);
  }
  return changed ? copy : value;
}

/** `<Uint8Array de ad be ef>`, as Node writes its Buffers. */
function describeBytes(bytes: Uint8Array, { oneLine = false }: InspectContext): string {
  const shown = oneLine ? bytes : bytes.subarray(0, BYTES_SHOWN);
  const hex = Array.from(shown, (byte) => ` ${byte.toString(16).padStart(2, '0')}`).join('');
  const left = bytes.length - shown.length;
  return `<${bytes.constructor.name}${hex}${left > 0 ? ` … ${String(left)} more bytes` : ''}>`;
}
