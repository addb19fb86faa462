import { readFileSync } from 'node:fs';

const SYMBOLS = '/proc/kallsyms';
/** What the immediates of calls in a loaded program are relative to. */
const BASE = ' __bpf_call_base\n';
const ADDRESS_DIGITS = 16;
const ADDRESS = /^[\da-f]{16}$/;

/** A symbol of the kernel, of one of its modules, or of a loaded program. */
export interface KernelSymbol {
  readonly name: string;
  /** Undefined for the kernel's own; `bpf` for functions of programs. */
  readonly module: string | undefined;
}

/**
 * The symbols of the running kernel. Without addresses where `kernel.kptr_restrict` or a missing capability hides them:
 * then nothing is found.
 */
export class KernelSymbols {
  readonly #text: string;
  /** The address of `__bpf_call_base`; 0n where addresses are hidden. */
  readonly callBase: bigint;

  private constructor(text: string) {
    this.#text = text;
    const at = text.indexOf(BASE);
    const start = text.lastIndexOf('\n', at) + 1;
    const address = text.slice(start, start + ADDRESS_DIGITS);
    this.callBase = at >= 0 && ADDRESS.test(address) ? BigInt(`0x${address}`) : 0n;
  }

  /** Of the text of such a list. */
  static parse(text: string): KernelSymbols {
    return new KernelSymbols(text);
  }

  /** Reads /proc/kallsyms, some megabytes: once for all that is to be found. */
  static read(): KernelSymbols {
    return KernelSymbols.parse(readFileSync(SYMBOLS, 'latin1'));
  }

  /** The symbols that begin at some addresses, the first of each. */
  find(addresses: Iterable<bigint>): ReadonlyMap<bigint, KernelSymbol> {
    const found = new Map<bigint, KernelSymbol>();
    const wanted = new Map([...addresses].map((address) => [addressText(address), address]));
    wanted.delete(addressText(0n));
    const text = this.#text;
    for (let start = 0; start < text.length && wanted.size > found.size;) {
      const end = text.indexOf('\n', start);
      const address = wanted.get(text.slice(start, start + ADDRESS_DIGITS));
      if (address !== undefined && !found.has(address)) {
        // "ffffffffc0a1b2c0 t name\t[module]"
        const [, , name = '', module] = text.slice(start, end).split(/[ \t]+/);
        found.set(address, { name, module: module?.slice(1, -1) });
      }
      if (end < 0) break;
      start = end + 1;
    }
    return found;
  }
}

function addressText(address: bigint): string {
  return BigInt.asUintN(64, address).toString(16).padStart(ADDRESS_DIGITS, '0');
}
