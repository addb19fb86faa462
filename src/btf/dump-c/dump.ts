import { BtfError } from '../../errors.ts';
import type { Btf } from '../btf.ts';
import type { BtfKind } from '../kind.ts';
import type { BtfComposite, BtfType } from '../type.ts';
import { BUILT_IN_TYPEDEF, Declarations } from './declarations.ts';
import { UniqueNames } from './names.ts';
import { TypeMarks } from './type-marks.ts';

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

interface Need {
  /** The size is needed, so that a forward declaration will not do. */
  readonly complete: boolean;
  /** Decoded, where that was done already. */
  readonly type?: BtfType;
}

/** Collects declarations in an order that C accepts. */
export class CDump {
  readonly declarations: string[] = [];
  readonly #btf: Btf;
  readonly #names: UniqueNames;
  readonly #write: Declarations;
  /** Tags. */
  readonly #declared = { struct: new Set<string>(), union: new Set<string>() };
  readonly #defined = new TypeMarks();
  /** What is being defined. */
  readonly #begun = new Set<number>();
  /** Types that were looked through to their end, which need nothing a second time; by whether they had to be complete. */
  readonly #visited = { complete: new TypeMarks(), incomplete: new TypeMarks() };
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
        if (type.name !== '' || !referenced.has(id)) this.#visit(id, { complete: true, type });
      } else if (
        type.kind === 'typedef' ||
        ((type.kind === 'struct' || type.kind === 'union') && type.name !== '')
      ) {
        this.#visit(id, { complete: true, type });
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

  #visit(id: number, need: Need): void {
    const visited = need.complete ? this.#visited.complete : this.#visited.incomplete;
    // What is asked for by itself is looked at anew: an enum without a name is declared only then.
    if (this.#depth > 0 && visited.has(id)) return;
    if (++this.#depth > MAX_DEPTH)
      throw new BtfError(`Cannot write BTF type ${String(id)} in C: it refers to itself`, { typeId: id });
    this.#visitKind(id, need);
    this.#depth--;
    visited.add(id);
  }

  #visitKind(id: number, { complete, type = this.#btf.type(id) }: Need): void {
    const need = { complete };
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
        else this.#forward(id, type.kind, this.#names.tag(id));
        break;
      case 'enum':
      case 'enum64':
        if (type.name !== '' || this.#depth === 1) this.#define(id, () => this.#write.enumeration(id, type));
        break;
      case 'forward':
        this.#forward(id, type.of, type.name);
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
      this.#declared[type.kind].add(this.#names.tag(id));
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

  #forward(id: number, kind: 'struct' | 'union', tag: string): void {
    if (this.#declared[kind].has(tag)) return;
    this.#declared[kind].add(tag);
    this.declarations.push(this.#write.forward(id, `${kind} ${tag}`));
  }

  #define(id: number, write: () => string): void {
    if (this.#defined.has(id)) return;
    if (this.#begun.has(id))
      throw new BtfError(`Cannot write BTF type ${String(id)} in C: it contains itself`, { typeId: id });
    this.#begun.add(id);
    this.declarations.push(write());
    this.#begun.delete(id);
    this.#defined.add(id);
  }
}

/** All types that others refer to, unless no enum is without a name. */
function referencedEnums(btf: Btf): TypeMarks {
  const referenced = new TypeMarks();
  const refer = (id: number): void => {
    // What is not there is thrown where the type is decoded.
    if (id < btf.typeCount) referenced.add(id);
  };
  const enums = [...btf.idsOf('enum'), ...btf.idsOf('enum64')];
  if (!enums.some((id) => btf.nameOf(id) === '')) return referenced;
  for (const id of btf.ids()) {
    const kind = btf.kindOf(id);
    if (kind === 'struct' || kind === 'union') {
      const members = btf.membersOf(id);
      for (let index = 0; index < members.count; index++) refer(members.typeIdAt(index));
    } else if (kind === 'array' || kind === 'function_proto') {
      const type = btf.type(id);
      if (type.kind === 'array') refer(type.elementTypeId);
      if (type.kind !== 'function_proto') continue;
      refer(type.returnTypeId);
      for (const { typeId } of type.parameters) refer(typeId);
    } else if (!WITHOUT_TARGET.has(kind)) refer(btf.sizeOrTypeId(id));
  }
  return referenced;
}

/** Their third word is a size, or nothing. */
const WITHOUT_TARGET: ReadonlySet<BtfKind> = new Set([
  'int',
  'float',
  'enum',
  'enum64',
  'forward',
  'datasec',
]);
