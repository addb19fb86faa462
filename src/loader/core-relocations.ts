import { BtfError, ObjectError, VerifierError } from '../errors.ts';
import { INSTRUCTION_SIZE, InstructionView } from '../asm/index.ts';
import { CoreResolver, patchInstruction, POISONED_HELPER } from '../btf/index.ts';
import type { CoreRelocation, CoreTargets } from '../btf/index.ts';
import type { FunctionSpec, ObjectFile, ProgramSpec } from '../elf/index.ts';
import type { LinkedProgram } from './subprograms.ts';

/** An instruction of a linked program that must not be reached, because its relocation could not be resolved. */
export interface PoisonedInstruction {
  /** From the start of the program. */
  readonly index: number;
  /** `<byte_off> [7] struct task_struct.pid (0:1 @ offset 4)` */
  readonly relocation: string;
  readonly reason: string;
}

/**
 * Applies the CO-RE relocations of an object to its linked programs. The target's types are read when a program to
 * be loaded has such a relocation, not before.
 */
export class CoreRelocations {
  readonly #object: ObjectFile;
  readonly #resolver: CoreResolver | undefined;
  /** By section, then by function. */
  readonly #ofSections = new Map<string, ReadonlyMap<FunctionSpec, readonly CoreRelocation[]>>();
  #started = false;

  constructor(object: ObjectFile, targets: CoreTargets) {
    this.#object = object;
    const { btf, btfExt } = object;
    if (btf && btfExt && btfExt.coreRelocations.size > 0) this.#resolver = new CoreResolver(btf, targets);
  }

  /**
   * Gives every relocated instruction its value, in place.
   *
   * @throws ObjectError (RELOCATION_FAILED) for a relocation that makes no sense or is ambiguous, FileError and
   * BtfError where the target cannot be read
   */
  apply(linked: LinkedProgram): PoisonedInstruction[] {
    const resolver = this.#resolver;
    if (!resolver) return [];
    const view = new InstructionView(linked.instructions);
    const poisoned: PoisonedInstruction[] = [];
    for (const { fn, start } of linked.functions) {
      for (const relocation of this.#relocationsOf(fn)) {
        this.#start(resolver);
        const index = start + (relocation.instructionOffset - fn.offset) / INSTRUCTION_SIZE;
        const result = attempt(linked.spec, { index, fn }, () => {
          const resolution = resolver.resolve(relocation);
          return { resolution, reason: patchInstruction(view, index, resolution) };
        });
        if (result.reason === undefined) continue;
        poisoned.push({ index, relocation: result.resolution.spec, reason: result.reason });
      }
    }
    return poisoned;
  }

  /**
   * Which of several candidates a relocation means depends on the ones resolved before it, so that all that libbpf
   * would resolve is resolved in its order first. What fails here fails again where it is applied, and only there.
   */
  #start(resolver: CoreResolver): void {
    if (this.#started) return;
    this.#started = true;
    for (const section of this.#object.btfExt?.coreRelocations.keys() ?? []) {
      const functions = functionsOf(this.#object, section).filter((fn) => !('autoload' in fn) || fn.autoload);
      for (const relocation of functions.flatMap((fn) => this.#relocationsOf(fn))) {
        try {
          resolver.resolve(relocation);
        } catch (error) {
          if (!(error instanceof BtfError)) throw error;
        }
      }
    }
  }

  #relocationsOf(fn: FunctionSpec): readonly CoreRelocation[] {
    let ofSection = this.#ofSections.get(fn.section);
    if (ofSection === undefined) {
      ofSection = relocationsByFunction(this.#object, fn.section);
      this.#ofSections.set(fn.section, ofSection);
    }
    return ofSection.get(fn) ?? [];
  }
}

/** Those that belong to no function are of one that a linker left out. */
function relocationsByFunction(object: ObjectFile, section: string): Map<FunctionSpec, CoreRelocation[]> {
  const functions = functionsOf(object, section);
  const byFunction = new Map<FunctionSpec, CoreRelocation[]>(functions.map((fn) => [fn, []]));
  for (const relocation of object.btfExt?.coreRelocations.get(section)?.records ?? []) {
    const { instructionOffset: offset } = relocation;
    if (offset % INSTRUCTION_SIZE !== 0) throw betweenInstructions(section, offset);
    const owner = functions[lastFrom(functions, offset)];
    if (owner && offset < owner.offset + owner.instructions.length) byFunction.get(owner)?.push(relocation);
  }
  return byFunction;
}

/** The index of the last function that begins at or before an offset; -1. */
function lastFrom(functions: readonly FunctionSpec[], offset: number): number {
  let [low, high] = [-1, functions.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((functions[middle]?.offset ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** In the order of their offsets. */
function functionsOf(object: ObjectFile, section: string): (FunctionSpec | ProgramSpec)[] {
  return [...object.subprograms, ...object.programs.values()]
    .filter((fn) => fn.section === section)
    .sort((a, b) => a.offset - b.offset);
}

function attempt<Result>(
  spec: ProgramSpec,
  { index, fn }: { index: number; fn: FunctionSpec },
  action: () => Result,
): Result {
  try {
    return action();
  } catch (cause) {
    if (!(cause instanceof BtfError)) throw cause;
    const place = `instruction ${index}` + (fn === spec ? '' : ` (of ${fn.name})`);
    throw new ObjectError(
      'RELOCATION_FAILED',
      `Cannot load program ${spec.name}: CO-RE relocation of ${place}: ${cause.message}`,
      { section: fn.section, program: spec.name, cause },
    );
  }
}

function betweenInstructions(section: string, offset: number): ObjectError {
  return new ObjectError(
    'RELOCATION_FAILED',
    `Cannot relocate section ${section}: a CO-RE relocation at byte ${offset} is on no instruction`,
    { section },
  );
}

/** Says which relocation failed where the verifier met the call that stands in for its instruction. */
export function explainRefusal(error: unknown, poisoned: readonly PoisonedInstruction[]): unknown {
  if (!(error instanceof VerifierError)) return error;
  const refused = [...error.log.matchAll(POISONED_CALL)].at(-1)?.[1];
  const instruction = poisoned.find(({ index }) => index === Number(refused));
  if (refused === undefined || instruction === undefined) return error;
  return new VerifierError(
    {
      program: error.program,
      errno: error.errno,
      errnoName: error.errnoName,
      summary:
        `failed to resolve CO-RE relocation ${instruction.relocation} of instruction ${refused}: ` +
        instruction.reason,
      source: error.source,
      instruction: error.instruction,
      rule: 'core-relocation',
      log: error.log,
    },
    { hint: 'guard it with bpf_core_field_exists() or its like, or name the type that this kernel has' },
  );
}

const POISONED_CALL = new RegExp(`^(\\d+): .*call unknown#${String(POISONED_HELPER)}$`, 'gm');
