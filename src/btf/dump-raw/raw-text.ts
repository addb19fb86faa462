import type { Btf } from '../btf.ts';
import { rawType, type RawElement } from './raw-type.ts';

/** A type as `bpftool btf dump … format raw` prints it: a line, and one for each of its elements. */
export function rawText(btf: Btf, id: number): string {
  const { id: number, kind, name, ...rest } = rawType(btf, id);
  let head = `[${number}] ${kind} '${name}'`;
  const lines: string[] = [];
  for (const [key, value] of Object.entries(rest)) {
    if (Array.isArray(value))
      for (const element of value)
        lines.push(`\n\t${elementText(btf, element, rest.encoding === 'SIGNED' ? 'LL' : 'ULL')}`);
    // bpftool has a comma here and nowhere else.
    else head += ` ${key}=${String(value)}${kind === 'VAR' && key === 'type_id' ? ',' : ''}`;
  }
  return head + lines.join('');
}

/** Enumerators of 64 bits have the suffix that makes them a constant of C. */
function elementText(btf: Btf, { name, ...rest }: RawElement, suffix: string): string {
  const fields = Object.entries(rest).map(
    ([key, value]) => `${key}=${value}${typeof value === 'bigint' ? suffix : ''}`,
  );
  if (name !== undefined) return [`'${name}'`, ...fields].join(' ');
  // Variables of a section have no names of their own there, and are told by those of their types.
  const variable = rawType(btf, Number(rest.type_id));
  return `${fields.join(' ')} (${variable.kind} '${variable.name}')`;
}
