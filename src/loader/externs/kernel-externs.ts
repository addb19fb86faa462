import { ObjectError } from '../../errors.ts';
import {
  DecodedTypes,
  essentialName,
  formatType,
  resolveType,
  typesAreCompatible,
  type Btf,
} from '../../btf/index.ts';
import type { ExternSpec, FunctionSpec, ObjectFile, ProgramSpec } from '../../elf/index.ts';
import type { KernelBtf } from '../kernel-btf.ts';
import { findKernelSymbols } from './kernel-symbols.ts';

/** What an extern of `.ksyms` is in the kernel. */
export type KernelReference =
  /** A function or variable that BTF describes; `module` names the module whose BTF that is. */
  | {
      readonly kind: 'function' | 'variable';
      readonly id: number;
      readonly module: string | undefined;
    }
  | { readonly kind: 'address'; readonly address: bigint };

/**
 * Kfuncs that read metadata of the network driver. The verifier takes them only in programs bound to a device
 * ("metadata kfuncs require device-bound program", bpf_dev_bound_kfunc_check in kernel/bpf/offload.c), so in every
 * other program they count as absent.
 */
const DEVICE_BOUND_PREFIX = 'bpf_xdp_metadata_';

/** Who refers to an extern: a program, or a function that programs call. */
type ExternUser = FunctionSpec & Partial<Pick<ProgramSpec, 'deviceBound'>>;

interface Found {
  readonly id: number;
  readonly btf: Btf;
  readonly module: string | undefined;
}

/** Finds what programs of an object refer to in the kernel and its modules, by name and type. */
export class KernelExterns {
  readonly #object: ObjectFile;
  readonly #kernelBtf: Pick<KernelBtf, 'vmlinux' | 'modules'>;
  readonly #kallsyms: string | undefined;
  #symbols: ReadonlyMap<string, readonly bigint[]> | undefined;

  /** @param facts.kallsyms The list of symbols. @default '/proc/kallsyms' */
  constructor(
    object: ObjectFile,
    facts: { kernelBtf: Pick<KernelBtf, 'vmlinux' | 'modules'>; kallsyms?: string },
  ) {
    this.#object = object;
    this.#kernelBtf = facts.kernelBtf;
    this.#kallsyms = facts.kallsyms;
  }

  /**
   * Sees that everything the object needs of the kernel is there, whichever of its programs are loaded, as libbpf does
   * (bpf_object__resolve_externs): an object that works in part would fail later, and elsewhere.
   *
   * @throws ObjectError naming what is not there and who refers to it
   */
  check(): void {
    const needed = [...this.#object.externs.values()].filter(({ weak, place }) => !weak && !place);
    if (needed.length === 0) return;
    const users = usersOfExterns(this.#object);
    for (const extern of needed) {
      const user = users.get(extern.name);
      if (user) this.resolve(extern, user);
    }
  }

  /**
   * What an extern is for a program; undefined for a weak one that is not there, or that is a function with other
   * parameters.
   *
   * @throws ObjectError naming it and the program
   */
  resolve(extern: ExternSpec, spec: ExternUser): KernelReference | undefined {
    const { btf } = this.#object;
    if (!btf || extern.typeId === undefined || extern.section !== '.ksyms') {
      throw unresolved(extern, spec, 'only what is declared with __ksym or __kconfig can be resolved');
    }
    const declared = btf.type(extern.typeId);
    if (declared.kind === 'function') {
      return this.#function(extern, { spec, btf, prototypeId: declared.typeId });
    }
    if (declared.kind !== 'variable') return undefined;
    const typeId = resolveType(btf, declared.typeId);
    return typeId === 0 ? this.#address(extern, spec) : this.#variable(extern, { spec, btf, typeId });
  }

  #function(
    extern: ExternSpec,
    { spec, btf, prototypeId }: { spec: ExternUser; btf: Btf; prototypeId: number },
  ): KernelReference | undefined {
    const name = essentialName(extern.name);
    const outOfReach = name.startsWith(DEVICE_BOUND_PREFIX) && spec.deviceBound === undefined;
    const found = outOfReach ? undefined : this.#find(name, 'function');
    if (!found) return absent(extern, spec, 'this kernel has no function of that name that BPF may call');
    const theirs = found.btf.sizeOrTypeId(found.id);
    if (!compatible({ btf, id: prototypeId }, { btf: found.btf, id: theirs })) {
      return absent(
        extern,
        spec,
        `its prototype is not that of the kernel: ${formatType(found.btf, theirs)}`,
      );
    }
    return { kind: 'function', id: found.id, module: found.module };
  }

  #variable(
    extern: ExternSpec,
    { spec, btf, typeId }: { spec: ExternUser; btf: Btf; typeId: number },
  ): KernelReference | undefined {
    const found = this.#find(essentialName(extern.name), 'variable');
    if (!found) return absent(extern, spec, "the kernel's BTF has no variable of that name");
    const theirs = resolveType(found.btf, found.btf.sizeOrTypeId(found.id));
    if (!compatible({ btf, id: typeId }, { btf: found.btf, id: theirs })) {
      const [ours, kernels] = [describe(btf, typeId), describe(found.btf, theirs)];
      throw unresolved(extern, spec, `it is declared as ${ours}, and the kernel's is ${kernels}`);
    }
    return { kind: 'variable', id: found.id, module: found.module };
  }

  #address(extern: ExternSpec, spec: ExternUser): KernelReference | undefined {
    const addresses = this.#addresses().get(extern.name) ?? [];
    const [address] = addresses;
    if (address === undefined) return absent(extern, spec, 'this kernel has no symbol of that name');
    if (addresses.length > 1) {
      const list = addresses.map((value) => `0x${value.toString(16)}`).join(', ');
      throw unresolved(extern, spec, `the kernel has several symbols of that name: ${list}`);
    }
    return { kind: 'address', address };
  }

  #addresses(): ReadonlyMap<string, readonly bigint[]> {
    this.#symbols ??= findKernelSymbols(
      new Set(this.#object.externs.keys()),
      this.#kallsyms === undefined ? {} : { path: this.#kallsyms },
    );
    return this.#symbols;
  }

  /** The kernel's own come before those of its modules. */
  #find(name: string, kind: 'function' | 'variable'): Found | undefined {
    const { vmlinux } = this.#kernelBtf;
    const id = vmlinux.find(name, kind);
    if (id !== undefined) return { id, btf: vmlinux, module: undefined };
    for (const [module, btf] of this.#kernelBtf.modules) {
      const inModule = btf.find(name, kind);
      if (inModule !== undefined) return { id: inModule, btf, module };
    }
    return undefined;
  }
}

/** The first function that refers to each extern. */
function usersOfExterns(object: ObjectFile): Map<string, ExternUser> {
  const users = new Map<string, ExternUser>();
  for (const fn of [...object.programs.values(), ...object.subprograms]) {
    for (const relocation of fn.relocations) {
      if (relocation.kind === 'extern' && !users.has(relocation.symbol)) users.set(relocation.symbol, fn);
    }
  }
  return users;
}

/** A struct that is only declared is none to the kernel, and is spelled the same. */
function describe(btf: Btf, id: number): string {
  return formatType(btf, id) + (btf.kindOf(id) === 'forward' ? ', without its members' : '');
}

function compatible(ours: { btf: Btf; id: number }, theirs: { btf: Btf; id: number }): boolean {
  return typesAreCompatible(
    { types: new DecodedTypes(ours.btf), id: ours.id },
    { types: new DecodedTypes(theirs.btf), id: theirs.id },
  );
}

function absent(extern: ExternSpec, spec: ExternUser, why: string): KernelReference | undefined {
  if (extern.weak) return undefined;
  throw unresolved(extern, spec, why);
}

function unresolved({ name }: ExternSpec, spec: ExternUser, why: string): ObjectError {
  return new ObjectError(
    'RELOCATION_FAILED',
    `Cannot load program ${spec.name}: it refers to ${name}, and ${why}`,
    { section: spec.section, program: spec.name },
  );
}
