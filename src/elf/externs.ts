import type { Btf } from '../btf/index.ts';
import { SymbolBinding, SymbolType, UNDEFINED_SECTION, type ElfSymbol } from './symbols.ts';

/** Something that the object refers to and does not define: a kfunc, a kernel symbol, a kernel setting. */
export interface ExternSpec {
  readonly name: string;
  /** Resolves to zero where the kernel lacks it, instead of failing. */
  readonly weak: boolean;
  /** The BTF id of its VAR or FUNC; undefined where BTF does not describe it. */
  readonly typeId: number | undefined;
  /** `.ksyms` or `.kconfig`. */
  readonly section: string | undefined;
}

/** Undefined symbols, by name. */
export function readExterns(symbols: readonly ElfSymbol[], btf: Btf | undefined): Map<string, ExternSpec> {
  const externs = new Map<string, ExternSpec>();
  for (const symbol of symbols) {
    if (symbol.section !== UNDEFINED_SECTION || symbol.name === '' || symbol.type === SymbolType.Section)
      continue;
    const typeId = btf?.find(symbol.name, 'function') ?? btf?.find(symbol.name, 'variable');
    externs.set(symbol.name, {
      name: symbol.name,
      weak: symbol.binding === SymbolBinding.Weak,
      typeId,
      section: btf && typeId !== undefined ? datasecOf(btf, typeId) : undefined,
    });
  }
  return externs;
}

function datasecOf(btf: Btf, variableId: number): string | undefined {
  for (const section of ['.ksyms', '.kconfig']) {
    const id = btf.find(section, 'datasec');
    const datasec = id === undefined ? undefined : btf.type(id);
    if (datasec?.kind === 'datasec' && datasec.variables.some(({ typeId }) => typeId === variableId))
      return section;
  }
  return undefined;
}
