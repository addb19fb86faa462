import type { Json } from './error-report.ts';

/**
 * A document as JSON, as JSON.stringify writes it; a bigint becomes a number with all of its digits, which JSON allows and
 * JavaScript would round. bpftool writes 64-bit integers that way. With `indent` on lines of their own, that many spaces deep.
 */
export function jsonText(document: Json, { indent = 0 } = {}): string {
  return write(document, { indent, margin: indent > 0 ? '\n' : '' });
}

function write(document: Json, { indent, margin }: { indent: number; margin: string }): string {
  if (typeof document === 'bigint') return document.toString();
  if (typeof document !== 'object' || document === null) return JSON.stringify(document);
  const inner = { indent, margin: margin + ' '.repeat(indent) };
  const within = (parts: readonly string[]): string =>
    parts.length === 0 ? '' : `${inner.margin}${parts.join(`,${inner.margin}`)}${margin}`;
  if (isList(document)) return `[${within(document.map((one) => write(one, inner)))}]`;
  const fields = Object.entries(document)
    .filter(([, value]) => (value as Json | undefined) !== undefined)
    .map(([name, value]) => `${JSON.stringify(name)}:${indent > 0 ? ' ' : ''}${write(value, inner)}`);
  return `{${within(fields)}}`;
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}
