import { readFileSync } from 'node:fs';

const SYMBOLS = '/proc/kallsyms';
/** What the immediates of calls in a loaded program are relative to. */
const BASE = ' __bpf_call_base\n';
const ADDRESS_DIGITS = 16;

/**
 * Names of the kernel's functions that a loaded program calls, by the immediate of the call. Empty where the kernel shows
 * no addresses (`kernel.kptr_restrict`), and without what is no symbol.
 */
export function kernelCallTargets(immediates: Iterable<number>): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  const wanted = new Set(immediates);
  if (wanted.size === 0) return names;
  const symbols = readFileSync(SYMBOLS, 'latin1');
  const base = baseAddress(symbols);
  if (base === 0n) return names;
  const byAddress = new Map(
    [...wanted].map((immediate) => [addressText(base + BigInt(immediate)), immediate]),
  );
  for (let start = 0; start < symbols.length;) {
    const end = symbols.indexOf('\n', start);
    const immediate = byAddress.get(symbols.slice(start, start + ADDRESS_DIGITS));
    if (immediate !== undefined && !names.has(immediate)) {
      const [, , name = ''] = symbols.slice(start, end).split(/[ \t]/);
      names.set(immediate, name);
    }
    start = end + 1;
  }
  return names;
}

function baseAddress(symbols: string): bigint {
  const at = symbols.indexOf(BASE);
  if (at < 0) return 0n;
  const start = symbols.lastIndexOf('\n', at) + 1;
  return BigInt(`0x${symbols.slice(start, start + ADDRESS_DIGITS)}`);
}

function addressText(address: bigint): string {
  return BigInt.asUintN(64, address).toString(16).padStart(ADDRESS_DIGITS, '0');
}
