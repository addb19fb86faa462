import { UsageError } from './exit-code.ts';

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `5s`, `500ms`, `2m`, `1h` or seconds without a unit, as milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  const [, amount = '', unit = 's'] = match ?? [];
  const milliseconds = Number(amount) * (UNITS[unit] ?? Number.NaN);
  if (!match || !(milliseconds > 0)) {
    throw new UsageError(`${text} is no duration: write 500ms, 5s, 2m or 1h`);
  }
  if (milliseconds > LONGEST) throw new UsageError(`${text} is too long: at most 596h`);
  return milliseconds;
}

/** Milliseconds that Node's timers take. */
const LONGEST = 0x7fff_ffff;

/** How often, or how many. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count) || count < 1) {
    throw new UsageError(`${text} is no count: a whole number above 0 is wanted`);
  }
  return count;
}

/** The id of a program, map, link or BTF. */
export function parseId(text: string): number {
  return parseNumber(text, { what: 'id', least: 1, most: 0xffff_ffff });
}

/** `pid_t` is an int. */
export function parseProcessId(text: string): number {
  return parseNumber(text, { what: 'process id', least: 1, most: 0x7fff_ffff });
}

/** Of a program in a dispatcher. */
export function parsePriority(text: string): number {
  return parseNumber(text, { what: 'priority', least: 0, most: 0xffff_ffff });
}

/** A whole number of a range, also in hexadecimal with 0x. `what` follows "is no". @throws UsageError */
export function parseNumber(
  text: string,
  { what, least = 0, most }: { what: string; least?: number; most: number },
): number {
  const number = Number(text);
  if (/^(?:\d+|0x[\da-f]+)$/i.test(text) && number >= least && number <= most) return number;
  throw new UsageError(`${text} is no ${what}: a whole number from ${least} to ${most} is wanted`);
}

/** A list separated by commas, each one of the choices, none twice. */
export function parseList<Choice extends string>(text: string, choices: readonly Choice[]): Choice[] {
  const parts = text.split(',').map((part) => part.trim());
  const known = parts.map((part) => choices.find((choice) => choice === part));
  const chosen = known.filter((choice) => choice !== undefined);
  if (chosen.length !== parts.length || new Set(chosen).size !== chosen.length) {
    throw new UsageError(`${text} is no list of ${choices.join(', ')}`);
  }
  return chosen;
}

/** `name=value`, split at the first `=`. */
export function parseAssignment(text: string): { name: string; value: string } {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`${text} assigns nothing: write NAME=VALUE`);
  return { name: text.slice(0, at), value: text.slice(at + 1) };
}

/** `map=/path/of/a/pin` or `map=id:7`. */
export function parseExistingMap(text: string): {
  name: string;
  reference: { pin: string } | { id: number };
} {
  const at = text.indexOf('=');
  const [name, where] = [text.slice(0, at), text.slice(at + 1)];
  const id = /^id:(\d{1,10})$/.exec(where)?.[1];
  const wrong = at < 1 || where === '' || (where.startsWith('id:') && !(Number(id) <= 0xffff_ffff));
  if (wrong) throw new UsageError(`${text} names no map: write NAME=PATH of a pin, or NAME=id:NUMBER`);
  return { name, reference: id === undefined ? { pin: where } : { id: Number(id) } };
}

/** `map[key]=value`. */
export function parseMapAssignment(text: string): { map: string; key: string; value: string } {
  const match = /^([^[\]=]+)\[(.*?)\]=(.*)$/s.exec(text);
  const [, map = '', key = '', value = ''] = match ?? [];
  if (!match) throw new UsageError(`${text} sets nothing: write 'MAP[KEY]=VALUE'`);
  return { map, key, value };
}

/** A whole number between two, both included. */
export function parseNumberUpTo(
  text: string,
  { least, most, what }: { readonly least: number; readonly most: number; readonly what: string },
): number {
  const value = Number(text);
  if (!/^\d{1,10}$/.test(text) || value < least || value > most) {
    throw new UsageError(
      `${text} is no ${what}: a whole number from ${String(least)} to ${String(most)} is wanted`,
    );
  }
  return value;
}
