/** Entries of maps as bytes, and as bpftool shows them. */
import { execFileSync } from 'node:child_process';
import type { BpfMap } from '../../src/index.ts';

/** So many bytes that begin with a number and tell others apart. */
export const bytes = (number: number, size: number): Uint8Array => {
  const made = new Uint8Array(size).fill(0xa0 + (number % 16));
  new DataView(made.buffer).setUint32(0, number, true);
  return made;
};

/** One entry of `bpftool -j map dump`. */
export interface Dumped {
  readonly key: readonly string[];
  readonly value?: readonly string[];
  readonly values?: readonly { readonly cpu: number; readonly value: readonly string[] }[];
}

export function dump(map: BpfMap): Dumped[] {
  const args = ['-j', 'map', 'dump', 'id', String(map.info().id)];
  return JSON.parse(execFileSync('bpftool', args, { encoding: 'utf8' })) as Dumped[];
}

export const fromHex = (texts: readonly string[]): number[] => texts.map(Number);
