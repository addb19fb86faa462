import type { Btf, BtfFunctionProto, BtfType } from '../btf/index.ts';
import { referencesOf } from '../elf/index.ts';
import type { FunctionSpec, ObjectFile, ProgramSpec } from '../elf/index.ts';
import { contextTypeOf, type ArgumentVerdict } from './context-types.ts';

/** `__arg_ctx` of libbpf's bpf_helpers.h. */
const TAG = 'arg:ctx';

/** What stands in for tags of contexts on kernels before Linux 6.8, which go by the name of a struct instead. */
export interface ContextArguments {
  /** To be added to the types of the object. */
  readonly types: readonly BtfType[];
  /** By the name of a program: the type of a function, and the one that stands in for it in this program. */
  readonly functions: ReadonlyMap<string, ReadonlyMap<number, number>>;
  /** Arguments whose type fits no context, which stay as they are. */
  readonly warnings: readonly string[];
}

interface Tag {
  readonly functionId: number;
  readonly argument: number;
}

/** Undefined for an object whose global functions have no tagged argument: there is nothing to ask a kernel about. */
export function replaceContextArguments(
  object: ObjectFile,
  programs: readonly ProgramSpec[],
): ContextArguments | undefined {
  const { btf } = object;
  const tags = btf && object.btfExt ? readTags(btf, object.hiddenFunctions) : [];
  if (!btf || tags.length === 0) return undefined;
  const types: BtfType[] = [];
  const functions = new Map<string, ReadonlyMap<number, number>>();
  const warnings: string[] = [];
  for (const program of programs) {
    const context = contextTypeOf(program.type);
    if (!context) continue;
    const reached = functionTypes(object, program);
    const clones = new Clones(btf, types, context.name);
    for (const tag of tags.filter(({ functionId }) => reached.has(functionId))) {
      const prototype = prototypeOf(btf, tag.functionId);
      const parameter = prototype?.parameters[tag.argument];
      if (!prototype || !parameter) continue;
      const verdict: ArgumentVerdict = context.of(btf, parameter.typeId);
      if (verdict === 'replace') clones.replace(tag, prototype);
      else if (verdict === 'unfit') warnings.push(unfit(btf, { tag, program, context: context.name }));
    }
    if (clones.ids.size > 0) functions.set(program.name, clones.ids);
  }
  return { types, functions, warnings };
}

function unfit(
  btf: Btf,
  { tag, program, context }: { tag: Tag; program: ProgramSpec; context: string },
): string {
  return (
    `argument ${tag.argument} of ${btf.nameOf(tag.functionId)} is tagged as the context, and for program ` +
    `${program.name} it would have to be a pointer to struct ${context}`
  );
}

/** A static function is verified with what its callers pass, and needs none. */
function readTags(btf: Btf, hidden: ReadonlySet<string>): Tag[] {
  return btf.idsOf('decl_tag').flatMap((id): Tag[] => {
    if (btf.nameOf(id) !== TAG) return [];
    const tag = btf.type(id);
    if (tag.kind !== 'decl_tag' || tag.componentIndex < 0) return [];
    const fn = btf.type(tag.typeId);
    if (fn.kind !== 'function' || fn.linkage !== 'global' || hidden.has(fn.name)) return [];
    return [{ functionId: tag.typeId, argument: tag.componentIndex }];
  });
}

function prototypeOf(btf: Btf, functionId: number): BtfFunctionProto | undefined {
  const fn = btf.type(functionId);
  const prototype = fn.kind === 'function' ? btf.type(fn.typeId) : undefined;
  return prototype?.kind === 'function_proto' ? prototype : undefined;
}

/** The types of all functions that a program consists of, by what the compiler noted of their first instructions. */
function functionTypes(object: ObjectFile, program: ProgramSpec): Set<number> {
  const idOf = ({ section, offset }: FunctionSpec): number[] => {
    const records = object.btfExt?.functionInfo.get(section)?.records ?? [];
    const record = records.find(({ instructionOffset }) => instructionOffset === offset);
    return record ? [record.typeId] : [];
  };
  return new Set(referencesOf(object, program).functions.flatMap(idOf));
}

/** Functions of one program, as it knows them: the same, but that arguments point to the struct of its context. */
class Clones {
  /** The id of the clone by that of the function. */
  readonly ids = new Map<number, number>();
  readonly #btf: Btf;
  readonly #types: BtfType[];
  readonly #context: string;
  readonly #parameters = new Map<number, { name: string; typeId: number }[]>();
  #pointer: number | undefined;

  constructor(btf: Btf, types: BtfType[], context: string) {
    this.#btf = btf;
    this.#types = types;
    this.#context = context;
  }

  replace({ functionId, argument }: Tag, prototype: BtfFunctionProto): void {
    const parameters = this.#parameters.get(functionId) ?? this.#clone(functionId, prototype);
    const parameter = parameters[argument];
    if (!parameter) return;
    parameter.typeId = this.#pointer ??= this.#addPointer();
    const typeId = this.ids.get(functionId) ?? functionId;
    this.#add({ kind: 'decl_tag', name: TAG, attribute: false, typeId, componentIndex: argument });
  }

  #clone(functionId: number, prototype: BtfFunctionProto): { name: string; typeId: number }[] {
    const parameters = prototype.parameters.map((parameter) => ({ ...parameter }));
    this.#parameters.set(functionId, parameters);
    const typeId = this.#add({ ...prototype, parameters });
    const name = this.#btf.nameOf(functionId);
    this.ids.set(functionId, this.#add({ kind: 'function', name, typeId, linkage: 'global' }));
    return parameters;
  }

  /** The verifier goes by the name alone (btf_get_prog_ctx_type() in kernel/bpf/btf.c). */
  #addPointer(): number {
    const struct = { kind: 'struct', name: this.#context, size: 0, members: [] } as const;
    return this.#add({ kind: 'pointer', typeId: this.#add(struct) });
  }

  #add(type: BtfType): number {
    return this.#btf.typeCount + this.#types.push(type) - 1;
  }
}
