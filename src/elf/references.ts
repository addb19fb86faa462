import { CALL, helperName, INSTRUCTION_SIZE, InstructionView, LOAD_IMMEDIATE_64 } from '../asm/index.ts';
import { ObjectError } from '../errors.ts';
import { KERNEL_CONFIG_SECTION } from './externs.ts';
import type { ObjectFile } from './object-file.ts';
import type { FunctionSpec } from './program-spec.ts';

/** What a program refers to, itself or through the functions that it calls; each by name, once. */
export interface References {
  readonly functions: readonly FunctionSpec[];
  readonly helpers: readonly string[];
  /** Kernel functions that are called. */
  readonly kernelFunctions: readonly string[];
  /** Those of its global variables and of `.kconfig` among them. */
  readonly maps: readonly string[];
  /** Variables and addresses of the kernel, and settings of its configuration. */
  readonly externs: readonly string[];
}

/** What a function refers to itself. */
interface OwnReferences {
  readonly functions: ReadonlySet<FunctionSpec>;
  readonly helpers: ReadonlySet<string>;
  readonly kernelFunctions: ReadonlySet<string>;
  readonly maps: ReadonlySet<string>;
  readonly externs: ReadonlySet<string>;
}

type Found = Omit<OwnReferences, 'functions'> & { readonly functions: Iterable<FunctionSpec> };

function listed({ functions, helpers, kernelFunctions, maps, externs }: Found): References {
  return {
    functions: [...functions],
    helpers: [...helpers],
    kernelFunctions: [...kernelFunctions],
    maps: [...maps],
    // Whether a function is there may be asked before it is called.
    externs: [...externs].filter((name) => !kernelFunctions.has(name)),
  };
}

/** Shared by the functions that refer to nothing, of which there may be tens of thousands. */
const NOTHING: ReadonlySet<never> = new Set();

/** Functions that all programs of an object together may reach: of ten thousand each could call every other one. */
const MOST_REACHED = 1 << 18;

/** The references of a function and of all that it reaches: calls and callbacks. */
export function referencesOf(object: ObjectFile, root: FunctionSpec): References {
  return new ObjectReferences(object).of(root);
}

/** The references of an object's functions, each of which is looked through once, whichever programs reach it. */
export class ObjectReferences {
  readonly #object: ObjectFile;
  /** By the instructions, which other names of a function share. */
  readonly #own = new Map<Uint8Array, OwnReferences>();
  readonly #all = new Map<FunctionSpec, References>();
  #reached = 0;

  constructor(object: ObjectFile) {
    this.#object = object;
  }

  /** @throws ObjectError where the programs of the object reach far too many functions */
  of(root: FunctionSpec): References {
    let references = this.#all.get(root);
    if (references === undefined) {
      references = this.#collect(root);
      this.#all.set(root, references);
    }
    return references;
  }

  #collect(root: FunctionSpec): References {
    const alone = this.#ownOf(root);
    if (alone.functions.size === 0) return listed({ ...alone, functions: [root] });
    const functions = new Set([root]);
    const [helpers, kernelFunctions] = [new Set<string>(), new Set<string>()];
    const [maps, externs] = [new Set<string>(), new Set<string>()];
    // A set that grows is iterated to its end, the functions found on the way included.
    for (const fn of functions) {
      if (++this.#reached > MOST_REACHED)
        throw new ObjectError(
          'OBJECT_INVALID',
          `Cannot follow the calls of ${root.name}: the functions of the object call each other more than ${MOST_REACHED} times`,
          { program: root.name },
        );
      const own = this.#ownOf(fn);
      for (const callee of own.functions) functions.add(callee);
      for (const name of own.helpers) helpers.add(name);
      for (const name of own.kernelFunctions) kernelFunctions.add(name);
      for (const name of own.maps) maps.add(name);
      for (const name of own.externs) externs.add(name);
    }
    return listed({ functions, helpers, kernelFunctions, maps, externs });
  }

  #ownOf(fn: FunctionSpec): OwnReferences {
    let own = this.#own.get(fn.instructions);
    if (own === undefined) {
      own = this.#read(fn);
      this.#own.set(fn.instructions, own);
    }
    return own;
  }

  #read(fn: FunctionSpec): OwnReferences {
    const helpers = helpersCalled(fn, this.#object);
    if (fn.relocations.length === 0)
      return { functions: NOTHING, helpers, kernelFunctions: NOTHING, maps: NOTHING, externs: NOTHING };
    const functions = new Set<FunctionSpec>();
    const [kernelFunctions, maps, externs] = [new Set<string>(), new Set<string>(), new Set<string>()];
    for (const relocation of fn.relocations) {
      if (relocation.kind === 'map' || relocation.kind === 'data') maps.add(relocation.map);
      else if (relocation.kind === 'extern') {
        (relocation.call ? kernelFunctions : externs).add(relocation.symbol);
        if (this.#object.externs.get(relocation.symbol)?.section === KERNEL_CONFIG_SECTION)
          maps.add(KERNEL_CONFIG_SECTION);
      } else if (relocation.kind !== 'jump-table') {
        const callee = functionAt(this.#object, relocation);
        if (callee) functions.add(callee);
      }
    }
    return { functions, helpers, kernelFunctions, maps, externs };
  }
}

const places = new WeakMap<ObjectFile, ReadonlyMap<string, FunctionSpec>>();

/** The function that a call or a callback leads to. */
export function functionAt(
  object: ObjectFile,
  { section, target }: { readonly section: number; readonly target: number },
): FunctionSpec | undefined {
  let functions = places.get(object);
  if (functions === undefined) {
    functions = functionsByPlace(object);
    places.set(object, functions);
  }
  return functions.get(placeKey(section, target));
}

/** Of several names of one function the first counts, and those of `.text` before all others. */
function functionsByPlace({ programs, subprograms }: ObjectFile): Map<string, FunctionSpec> {
  const functions = new Map<string, FunctionSpec>();
  for (const fn of [...subprograms, ...programs.values()]) {
    const key = placeKey(fn.sectionIndex, fn.offset);
    if (!functions.has(key)) functions.set(key, fn);
  }
  return functions;
}

function placeKey(section: number, offset: number): string {
  return `${section}:${offset}`;
}

function helpersCalled(fn: FunctionSpec, { littleEndian }: ObjectFile): ReadonlySet<string> {
  const view = new InstructionView(fn.instructions, littleEndian);
  const relocated: ReadonlySet<number> =
    fn.relocations.length === 0
      ? NOTHING
      : new Set(fn.relocations.map(({ offset }) => offset / INSTRUCTION_SIZE));
  let helpers: Set<string> | undefined;
  for (let index = 0; index < view.count; index++) {
    const opcode = view.opcode(index);
    if (opcode === LOAD_IMMEDIATE_64) index++;
    else if (!relocated.has(index)) {
      const helper = helperCalledAt(view, index);
      if (helper !== undefined) (helpers ??= new Set()).add(helper);
    }
  }
  return helpers ?? NOTHING;
}

/** The helper that an instruction calls, by name; only for one without a relocation, which would say what it calls. */
export function helperCalledAt(view: InstructionView, index: number): string | undefined {
  // The source register says whom the immediate names: 0 is a helper.
  if (view.opcode(index) !== CALL || view.source(index) !== 0) return undefined;
  const number = view.immediate(index);
  return helperName(number) ?? `helper ${number}`;
}
