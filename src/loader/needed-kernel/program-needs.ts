import { helperNumber } from '../../asm/index.ts';
import { resolveType } from '../../btf/index.ts';
import { referencesOf } from '../../elf/index.ts';
import type { FunctionSpec, ObjectFile, ProgramSpec } from '../../elf/index.ts';
import {
  firstKernelOfAttachType,
  firstKernelOfHelper,
  firstKernelOfProgramType,
} from '../../features/index.ts';
import { attachTypeName, programTypeName } from '../../programs/index.ts';
import * as uapi from '../../uapi/index.ts';
import type { CertainHelpers } from './certain-helpers.ts';
import { instructionNeeds } from './instruction-needs.ts';
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
  { object, certainHelpers }: { object: ObjectFile; certainHelpers: CertainHelpers },
): ProgramNeeds {
  const { functions, helpers } = referencesOf(object, program);
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
  for (const [since, what] of referenceNeeds(object, functions)) need(since, what);
  const { littleEndian } = object;
  return {
    needs: [...needs, ...instructionNeeds(program.name, { functions, littleEndian })],
    needsOfChoice,
  };
}

function sleepableSince({ type, attachType }: ProgramSpec): string {
  if (attachType === uapi.BPF_TRACE_ITER) return SLEEPABLE_ITERATORS_SINCE;
  return SLEEPABLE_SINCE[type] ?? SLEEPABLE_AT_ALL_SINCE;
}

function referenceNeeds(
  object: ObjectFile,
  functions: readonly FunctionSpec[],
): readonly (readonly [since: string, what: string])[] {
  const relocations = functions.flatMap((fn) => fn.relocations);
  const needs: [since: string, what: string][] = [];
  if (relocations.some(({ kind }) => kind === 'call')) needs.push(['4.16', 'calls functions of its own']);
  if (relocations.some(({ kind }) => kind === 'function'))
    needs.push(['5.13', 'gives functions as callbacks']);
  for (const relocation of relocations) {
    if (relocation.kind !== 'extern') continue;
    const extern = object.externs.get(relocation.symbol);
    // What may be missing is no need, and variables without a type are found in /proc/kallsyms.
    if (extern === undefined || extern.weak || extern.section !== '.ksyms') continue;
    if (relocation.call) needs.push(['5.13', `calls the kernel function ${relocation.symbol}()`]);
    else if (extern.typeId !== undefined && !isUntyped(object, extern.typeId))
      needs.push(['5.10', `reads the kernel variable ${relocation.symbol}`]);
  }
  return needs;
}

/** `extern const void symbol __ksym` asks for an address alone. */
function isUntyped(object: ObjectFile, typeId: number): boolean {
  const { btf } = object;
  if (btf === undefined) return true;
  const type = btf.kindOf(typeId) === 'variable' ? btf.sizeOrTypeId(typeId) : typeId;
  return btf.kindOf(resolveType(btf, type)) === 'void';
}
