/** Names that a generated module uses itself, or that mean something to every reader of it. */
const TAKEN =
  'Array ArrayBuffer BigInt Boolean Buffer DataView Date Disposable Error Function Map Math Number Object Promise ' +
  'Proxy Record Reflect RegExp Set String Symbol Uint8Array URL WeakMap WeakSet ' +
  'ArrayMap BloomFilter BpfMap BpfProgram CgroupArray CgroupStorage Codec CpuMap DeviceMap EventSink EventSource HashMap Input LocalStorage ' +
  'LpmTrie MapOfMaps PerCpuMap PerfEventArray PerfEventSource ProgramArray Queue SocketMap XskMap GeneratedCollection GeneratedOptions ObjectDescription ObjectFile ' +
  'ReadOnlyVariable TypedMap TypedVariable Events Loaded LoadOptions Maps Programs Variables';

/** `simple_event` as `SimpleEvent`, always a name that TypeScript takes. */
export function pascalCase(name: string): string {
  const parts = name.split(/[^A-Za-z\d]+/).filter((part) => part !== '');
  const joined = parts.map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join('');
  return /^[A-Z]/.test(joined) ? joined : `Type${joined}`;
}

/** Gives every type a name of its own: the same ones for the same questions in the same order. */
export class TypeNames {
  readonly #taken = new Set<string>(TAKEN.split(' '));
  /** The number to try next: those before it are taken. */
  readonly #numbers = new Map<string, number>();

  /** `wanted`, or with what kind it is behind it, or with a number. */
  choose(wanted: string, kind: string): string {
    const base = pascalCase(wanted);
    const candidates = [base, base + pascalCase(kind)];
    for (let number = this.#numbers.get(base) ?? 0; ;) {
      const name = candidates.shift() ?? `${base}${String(number++)}`;
      this.#numbers.set(base, number);
      if (this.#taken.has(name)) continue;
      this.#taken.add(name);
      return name;
    }
  }
}

/** A property of an object literal, an interface or a class. */
export function propertyName(name: string): string {
  return isIdentifier(name) ? name : quote(name);
}

/** A key of an object literal: `__proto__` would set the prototype. */
export function literalKey(name: string): string {
  return name === '__proto__' ? "['__proto__']" : propertyName(name);
}

export function isIdentifier(name: string): boolean {
  return /^[A-Za-z_$][\w$]*$/.test(name);
}

/** A string literal. */
export function quote(text: string): string {
  const json = JSON.stringify(text);
  return /["'\\]/.test(json.slice(1, -1)) ? json : `'${json.slice(1, -1)}'`;
}

/** Text that can stand in a comment. */
export function commentText(text: string): string {
  return text.replaceAll('*/', '*\\/').replaceAll(/\s+/g, ' ').trim();
}
