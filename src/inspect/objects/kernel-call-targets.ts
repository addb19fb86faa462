import { KernelSymbols } from './kernel-symbols.ts';

/**
 * Names of the kernel's functions that a loaded program calls, by the immediate of the call. Empty where the kernel shows
 * no addresses (`kernel.kptr_restrict`), and without what is no symbol.
 */
export function kernelCallTargets(immediates: Iterable<number>): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  const wanted = new Set(immediates);
  if (wanted.size === 0) return names;
  const symbols = KernelSymbols.read();
  const base = symbols.callBase;
  if (base === 0n) return names;
  const found = symbols.find([...wanted].map((immediate) => base + BigInt(immediate)));
  for (const immediate of wanted) {
    const symbol = found.get(base + BigInt(immediate));
    if (symbol !== undefined) names.set(immediate, symbol.name);
  }
  return names;
}
