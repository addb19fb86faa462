import type { Json } from './error-report.ts';

/**
 * A document as JSON, as JSON.stringify writes it; a bigint becomes a number with all of its digits, which JSON allows and
 * JavaScript would round. bpftool writes 64-bit integers that way.
 */
export function jsonText(document: Json): string {
  if (typeof document === 'bigint') return document.toString();
  if (typeof document !== 'object' || document === null) return JSON.stringify(document);
  if (isList(document)) return `[${document.map(jsonText).join(',')}]`;
  const fields = Object.entries(document)
    .filter(([, value]) => (value as Json | undefined) !== undefined)
    .map(([name, value]) => `${JSON.stringify(name)}:${jsonText(value)}`);
  return `{${fields.join(',')}}`;
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}
