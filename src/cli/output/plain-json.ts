import type { BtfValue } from '../../btf/index.ts';
import type { Json } from './error-report.ts';

/** A decoded value as bpftool prints it: numbers whatever their size, bytes as a list of numbers. */
export function plainJson(value: BtfValue): Json {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value !== 'object') return value;
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(plainJson);
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, plainJson(inner)]));
}
