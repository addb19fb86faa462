import { BtfError } from '../../errors.ts';
import type { Btf } from '../btf.ts';
import type { BtfComposite } from '../type.ts';
import { BUILT_IN_TYPEDEF, Declarations } from './declarations.ts';
import { UniqueNames } from './names.ts';

/** More levels of structs within structs, and of typedefs, than any source has. */
const MAX_DEPTH = 512;

/** Options of {@link dumpC}. */
export interface DumpOptions {
  /** The types wanted, with all that they need; all of the BTF where it is left out. */
  readonly roots?: readonly number[] | undefined;
}

/**
 * Types as C that clang compiles to the same layout: every declaration after those it needs, types that share a name
 * told apart as `name___2`, `packed`, `aligned` and padding where BTF shows that the source had them.
 *
 * @example
 * dumpC(btf, { roots: btf.findAll('task_struct', 'struct') });
 * @throws {BtfError} for malformed types, for a layout that C cannot have, and where types without a name, which are
 * written again wherever they are used, make the text far longer than the BTF
 */
export function dumpC(btf: Btf, options: DumpOptions = {}): string {
  const dump = new CDump(btf);
  if (options.roots) for (const id of options.roots) dump.require(id);
  else dump.requireAll();
  return dump.declarations.join('\n');
}

/** Collects declarations in an order that C accepts. */
export class CDump {
  readonly declarations: string[] = [];
  readonly #btf: Btf;
  readonly #names: UniqueNames;
  readonly #write: Declarations;
  readonly #declared = new Set<string>();
  /** True once defined, false meanwhile. */
  readonly #defined = new Map<number, boolean>();
  /** Types that were looked through to their end, which need nothing a second time; by whether they had to be complete. */
  readonly #visited = { complete: new Set<number>(), incomplete: new Set<number>() };
  #depth = 0;

  constructor(btf: Btf) {
    this.#btf = btf;
    this.#names = new UniqueNames(btf);
    this.#write = new Declarations(btf, this.#names);
  }

  requireAll(): void {
    const referenced = referencedEnums(this.#btf);
    for (const id of this.#btf.ids()) {
      const type = this.#btf.type(id);
      if (type.kind === 'enum' || type.kind === 'enum64') {
        // An anonymous enum that nothing refers to is there for its constants.
        if (type.name !== '' || !referenced.has(id)) this.require(id);
      } else if (
        type.kind === 'typedef' ||
        ((type.kind === 'struct' || type.kind === 'union') && type.name !== '')
      ) {
        this.require(id);
      }
    }
  }

  /** Declares what a type needs so that a variable of it can be declared. */
  require(id: number): void {
    this.#visit(id, { complete: true });
  }

  /** The tag that a named struct, union or enum has in the text. */
  tagOf(id: number): string {
    return this.#names.tag(id);
  }

  /** `complete`: the size is needed, so that a forward declaration will not do. */
  #visit(id: number, need: { complete: boolean }): void {
    const visited = need.complete ? this.#visited.complete : this.#visited.incomplete;
    // What is asked for by itself is looked at anew: an enum without a name is declared only then.
    if (this.#depth > 0 && visited.has(id)) return;
    if (++this.#depth > MAX_DEPTH)
      throw new BtfError(`Cannot write BTF type ${String(id)} in C: it refers to itself`, { typeId: id });
    this.#visitKind(id, need);
    this.#depth--;
    visited.add(id);
  }

  #visitKind(id: number, need: { complete: boolean }): void {
    const type = this.#btf.type(id);
    switch (type.kind) {
      case 'pointer':
        this.#visit(type.typeId, { complete: false });
        break;
      case 'array':
        this.#visit(type.elementTypeId, { complete: true });
        break;
      case 'function_proto':
        this.#visit(type.returnTypeId, { complete: false });
        for (const { typeId } of type.parameters) this.#visit(typeId, { complete: false });
        break;
      case 'typedef':
        this.#typedef(id, type.typeId);
        if (need.complete || type.name === BUILT_IN_TYPEDEF) this.#visit(type.typeId, need);
        break;
      case 'struct':
      case 'union':
        if (type.name === '') for (const { typeId } of type.members) this.#visit(typeId, { complete: true });
        else if (need.complete) this.#composite(id, type);
        else this.#forward(id, `${type.kind} ${this.#names.tag(id)}`);
        break;
      case 'enum':
      case 'enum64':
        if (type.name !== '' || this.#depth === 1) this.#define(id, () => this.#write.enumeration(id, type));
        break;
      case 'forward':
        this.#forward(id, `${type.of} ${type.name}`);
        break;
      case 'const':
      case 'volatile':
      case 'restrict':
      case 'type_tag':
      case 'decl_tag':
      case 'variable':
      case 'function':
        this.#visit(type.typeId, need);
        break;
      case 'datasec':
        for (const { typeId } of type.variables) this.#visit(typeId, need);
        break;
      case 'void':
      case 'int':
      case 'float':
        break;
    }
  }

  #composite(id: number, type: BtfComposite): void {
    this.#define(id, () => {
      for (const { typeId } of type.members) this.#visit(typeId, { complete: true });
      this.#declared.add(`${type.kind} ${this.#names.tag(id)}`);
      return this.#write.composite(id, type);
    });
  }

  #typedef(id: number, targetId: number): void {
    if (this.#btf.nameOf(id) === BUILT_IN_TYPEDEF) return;
    this.#define(id, () => {
      this.#visit(targetId, { complete: false });
      return this.#write.typedef(id, targetId);
    });
  }

  #forward(id: number, tag: string): void {
    if (this.#declared.has(tag)) return;
    this.#declared.add(tag);
    this.declarations.push(this.#write.forward(id, tag));
  }

  #define(id: number, write: () => string): void {
    const defined = this.#defined.get(id);
    if (defined === true) return;
    if (defined === false)
      throw new BtfError(`Cannot write BTF type ${String(id)} in C: it contains itself`, { typeId: id });
    this.#defined.set(id, false);
    this.declarations.push(write());
    this.#defined.set(id, true);
  }
}

function referencedEnums(btf: Btf): Set<number> {
  const referenced = new Set<number>();
  for (const id of btf.ids()) {
    const type = btf.type(id);
    if (type.kind === 'array') referenced.add(type.elementTypeId);
    if (type.kind === 'struct' || type.kind === 'union')
      for (const { typeId } of type.members) referenced.add(typeId);
    if (type.kind === 'function_proto') {
      referenced.add(type.returnTypeId);
      for (const { typeId } of type.parameters) referenced.add(typeId);
    }
    if ('typeId' in type) referenced.add(type.typeId);
  }
  return referenced;
}
