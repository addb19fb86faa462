import { helperNumber } from '../../asm/index.ts';
import { resolveType } from '../../btf/index.ts';
import type { FunctionSpec, ObjectFile, ObjectReferences, ProgramSpec } from '../../elf/index.ts';
import {
  firstKernelOfAttachType,
  firstKernelOfHelper,
  firstKernelOfProgramType,
} from '../../features/index.ts';
import { attachTypeName, programTypeName } from '../../programs/index.ts';
import * as uapi from '../../uapi/index.ts';
import type { CertainHelpers } from './certain-helpers.ts';
import type { InstructionNeeds } from './instruction-needs.ts';
import type { KernelNeed } from './need.ts';

/** Attach types that kernels which do not know them ignore, and attach the program all the same. */
const IGNORED: ReadonlySet<number> = new Set([uapi.BPF_SK_REUSEPORT_SELECT]);

/** `BPF_F_SLEEPABLE` came with LSM and tracing; other types took it later. */
const SLEEPABLE_SINCE: Readonly<Record<number, string>> = {
  [uapi.BPF_PROG_TYPE_KPROBE]: '6.0',
  [uapi.BPF_PROG_TYPE_STRUCT_OPS]: '6.3',
  [uapi.BPF_PROG_TYPE_SYSCALL]: '5.14',
};
const SLEEPABLE_ITERATORS_SINCE = '5.18';
const SLEEPABLE_AT_ALL_SINCE = '5.10';

/** The needs of one program. */
export interface ProgramNeeds {
  readonly needs: readonly KernelNeed[];
  /** What is called where a setting, or what the kernel has, lets it be called. */
  readonly needsOfChoice: readonly KernelNeed[];
}

/** What loading and attaching a program needs. */
export function programNeeds(
  program: ProgramSpec,
  {
    references,
    certainHelpers,
    instructionNeeds,
    referenceNeeds,
  }: {
    references: ObjectReferences;
    certainHelpers: CertainHelpers;
    instructionNeeds: InstructionNeeds;
    referenceNeeds: ReferenceNeeds;
  },
): ProgramNeeds {
  const { functions, helpers } = references.of(program);
  const needs: KernelNeed[] = [];
  const need = (since: string | undefined, what: string): void => {
    if (since !== undefined) needs.push({ since, reason: `program ${program.name} ${what}` });
  };
  const { type, attachType, attachTypeOptional } = program;
  need(firstKernelOfProgramType(type), `is of type ${programTypeName(type)}`);
  // 0 is an attach type too, which no program needs that has another one to choose.
  if (attachType !== 0 && !attachTypeOptional && !IGNORED.has(attachType))
    need(firstKernelOfAttachType(attachType), `attaches as ${attachTypeName(attachType)}`);
  if (program.frags) need('5.18', 'takes packets of several buffers (xdp.frags)');
  if (program.sleepable) need(sleepableSince(program), 'may sleep');
  if (program.exceptionCallbacks.length > 0) need('6.7', 'has a callback for exceptions');
  const certain = certainHelpers.of(program);
  const needsOfChoice: KernelNeed[] = [];
  for (const name of helpers) {
    const since = firstKernelOfHelper(helperNumber(name) ?? 0);
    if (certain.has(name)) need(since, `calls ${name}()`);
    else if (since !== undefined)
      needsOfChoice.push({ since, reason: `program ${program.name} calls ${name}()` });
  }
  for (const [since, what] of referenceNeeds.of(functions)) need(since, what);
  return { needs: [...needs, ...instructionNeeds.of(program.name, functions)], needsOfChoice };
}

function sleepableSince({ type, attachType }: ProgramSpec): string {
  if (attachType === uapi.BPF_TRACE_ITER) return SLEEPABLE_ITERATORS_SINCE;
  return SLEEPABLE_SINCE[type] ?? SLEEPABLE_AT_ALL_SINCE;
}

/** Since when there is an answer, and a sentence without its subject. */
type Need = readonly [since: string, what: string];

/** What calls and variables of functions need: each function is looked through once, whichever programs run it. */
export class ReferenceNeeds {
  readonly #object: ObjectFile;
  /** By the instructions, which other names of a function share. */
  readonly #own = new Map<Uint8Array, ReadonlyMap<string, Need>>();

  constructor(object: ObjectFile) {
    this.#object = object;
  }

  of(functions: readonly FunctionSpec[]): Need[] {
    const needs = new Map<string, Need>();
    for (const fn of functions) for (const [what, need] of this.#ownOf(fn)) needs.set(what, need);
    return [...needs.values()];
  }

  #ownOf(fn: FunctionSpec): ReadonlyMap<string, Need> {
    let own = this.#own.get(fn.instructions);
    if (own === undefined) {
      own = new Map(
        fn.relocations.flatMap((relocation) => this.#needOf(relocation)).map((it) => [it[1], it]),
      );
      this.#own.set(fn.instructions, own);
    }
    return own;
  }

  #needOf(relocation: FunctionSpec['relocations'][number]): Need[] {
    if (relocation.kind === 'call') return [['4.16', 'calls functions of its own']];
    if (relocation.kind === 'function') return [['5.13', 'gives functions as callbacks']];
    if (relocation.kind !== 'extern') return [];
    const extern = this.#object.externs.get(relocation.symbol);
    // What may be missing is no need, and variables without a type are found in /proc/kallsyms.
    if (extern === undefined || extern.weak || extern.section !== '.ksyms') return [];
    if (relocation.call) return [['5.13', `calls the kernel function ${relocation.symbol}()`]];
    const typed = extern.typeId !== undefined && !isUntyped(this.#object, extern.typeId);
    return typed ? [['5.10', `reads the kernel variable ${relocation.symbol}`]] : [];
  }
}

/** `extern const void symbol __ksym` asks for an address alone. */
function isUntyped(object: ObjectFile, typeId: number): boolean {
  const { btf } = object;
  if (btf === undefined) return true;
  const type = btf.kindOf(typeId) === 'variable' ? btf.sizeOrTypeId(typeId) : typeId;
  return btf.kindOf(resolveType(btf, type)) === 'void';
}
