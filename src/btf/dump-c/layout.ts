import { BtfError } from '../../errors.ts';
import type { Btf } from '../btf.ts';
import { resolveType, sizeOf } from '../resolve.ts';
import type { BtfComposite, BtfMember } from '../type.ts';

/** The program runs on a 64-bit machine whatever this process runs on. */
const POINTER_SIZE = 8;
/** Unnamed bitfields in all of a dump. A type of a few bytes may claim 4 GiB, for which C has nothing shorter. */
const MAX_PADDING = 1 << 18;

/** A member, or padding that C would not insert by itself: an unnamed bitfield. */
export type LayoutPart =
  | { readonly kind: 'member'; readonly member: BtfMember }
  | { readonly kind: 'padding'; readonly type: 'long' | 'int' | 'short' | 'char'; readonly bits: number };

export interface Layout {
  readonly parts: readonly LayoutPart[];
  readonly packed: boolean;
  /** Bytes, where an attribute must say it. */
  readonly aligned: number | undefined;
  /** Bytes: what `_Alignof` gives of the type as it is printed, which may be less than that of the source. */
  readonly alignment: number;
}

/**
 * How a struct or union must be written for C to lay it out the way BTF says it is. BTF does not have the attributes
 * `packed` and `aligned`, so they are concluded from sizes and offsets.
 */
export class Layouts {
  readonly #btf: Btf;
  /** In bytes, of structs and unions. */
  readonly #alignments = new Map<number, number>();
  /** Of what has no name, and is written wherever it is used. */
  readonly #known = new Map<number, Layout>();
  #padding = 0;

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  /** @throws {BtfError} where members overlap, so that no C has this layout, or lie too far apart */
  of(id: number, type: BtfComposite): Layout {
    let layout = this.#known.get(id);
    if (layout === undefined) {
      const members = type.members.map((member) => this.#placed(member));
      layout = type.kind === 'union' ? unionLayout(type, members) : this.#structLayout(id, type, members);
      if (layout === undefined) {
        const name = type.name || '(anonymous)';
        throw new BtfError(`Cannot write ${type.kind} ${name} in C: its members overlap or exceed it`, {
          typeId: id,
        });
      }
      if (type.name === '') this.#known.set(id, layout);
      this.#alignments.set(id, layout.alignment);
    }
    return layout;
  }

  #placed(member: BtfMember): PlacedMember {
    const resolved = resolveType(this.#btf, member.typeId);
    const size = sizeOf(this.#btf, resolved) * 8;
    const alignment = this.#alignmentOf(resolved) * 8;
    // Before kind_flag the integer type carried the width and place of a bitfield.
    const type = this.#btf.kindOf(resolved) === 'int' ? this.#btf.type(resolved) : undefined;
    const old =
      type?.kind === 'int' && member.bitSize === 0 && type.bits !== type.size * 8 ? type : undefined;
    const bitSize = old ? old.bits : member.bitSize;
    const placed = old ? { ...member, bitSize, bitOffset: member.bitOffset + old.offset } : member;
    return { member: placed, size, alignment, bits: bitSize === 0 ? size : bitSize };
  }

  #structLayout(id: number, type: BtfComposite, members: readonly PlacedMember[]): Layout | undefined {
    const room = MAX_PADDING - this.#padding;
    const layout = structLayout(type, members, room);
    if (layout === 'too much padding') {
      const name = type.name || '(anonymous)';
      throw new BtfError(`Cannot write struct ${name} in C: it needs too much padding`, { typeId: id });
    }
    if (layout && !this.#alignments.has(id)) this.#padding += layout.parts.length - members.length;
    return layout;
  }

  /** Decodes a struct or union once alone: it may have thousands of members, and be a member of thousands. */
  #alignmentOf(id: number): number {
    const resolved = resolveType(this.#btf, id);
    switch (this.#btf.kindOf(resolved)) {
      case 'int':
      case 'enum':
      case 'enum64':
      case 'float':
        return this.#btf.sizeOrTypeId(resolved);
      case 'pointer':
        return POINTER_SIZE;
      case 'array': {
        const type = this.#btf.type(resolved);
        return type.kind === 'array' ? this.#alignmentOf(type.elementTypeId) : 1;
      }
      case 'struct':
      case 'union': {
        const known = this.#alignments.get(resolved);
        if (known !== undefined) return known;
        const type = this.#btf.type(resolved);
        return type.kind === 'struct' || type.kind === 'union' ? this.of(resolved, type).alignment : 1;
      }
      default:
        return 1;
    }
  }
}

/** All in bits. */
interface PlacedMember {
  readonly member: BtfMember;
  readonly size: number;
  readonly alignment: number;
  /** What it takes: less than `size` for a bitfield. */
  readonly bits: number;
}

/** `room` is how many parts of padding there may be. */
function structLayout(
  type: BtfComposite,
  members: readonly PlacedMember[],
  room: number,
): Layout | 'too much padding' | undefined {
  return (
    placeMembers(type, members, { packed: false, room }) ??
    placeMembers(type, members, { packed: true, room })
  );
}

function placeMembers(
  type: BtfComposite,
  members: readonly PlacedMember[],
  { packed, room }: { packed: boolean; room: number },
): Layout | 'too much padding' | undefined {
  const parts: LayoutPart[] = [];
  const end = type.size * 8;
  let alignment = 8;
  let at = 0;
  for (const placed of members) {
    const { member, bits } = placed;
    if (!packed) alignment = Math.max(alignment, placed.alignment);
    if (naturalPlace(at, placed, packed) !== member.bitOffset) {
      if (member.bitOffset < at) return undefined;
      if (!pad(parts, { from: at, to: member.bitOffset, most: members.length + room }))
        return 'too much padding';
      // Where even exact padding does not lead there, the type's alignment is in the way.
      if (naturalPlace(member.bitOffset, placed, packed) !== member.bitOffset) return undefined;
    }
    parts.push({ kind: 'member', member });
    at = member.bitOffset + bits;
  }
  const natural = roundUp(at, alignment);
  if (natural > end || end % alignment !== 0) return undefined;
  if (natural < end && !pad(parts, { from: at, to: end, most: members.length + room }))
    return 'too much padding';
  return { parts, packed, aligned: undefined, alignment: alignment / 8 };
}

/** Where C puts a member that comes after `at` bits. */
function naturalPlace(at: number, { member, size, alignment, bits }: PlacedMember, packed: boolean): number {
  if (member.bitSize === 0) return roundUp(at, packed ? 8 : alignment);
  // A bitfield moves on to the next unit of its type only if it would not fit into this one.
  const crosses = (at % alignment) + bits > size;
  return crosses && !packed ? roundUp(at, alignment) : at;
}

const PADDING_TYPES = [
  ['long', 64],
  ['int', 32],
  ['short', 16],
  ['char', 8],
] as const;

/** Appends what fills a gap. False, and no more than begun, where that makes more than `most` parts. */
function pad(parts: LayoutPart[], { from, to, most }: { from: number; to: number; most: number }): boolean {
  for (let at = from; at < to;) {
    if (parts.length >= most) return false;
    const whole = PADDING_TYPES.find(([, bits]) => at % bits === 0 && at + bits <= to);
    const [type, bits] = whole ?? (['char', Math.min(8 - (at % 8), to - at)] as const);
    parts.push({ kind: 'padding', type, bits });
    at += bits;
  }
  return true;
}

function unionLayout(type: BtfComposite, members: readonly PlacedMember[]): Layout | undefined {
  if (members.some(({ member }) => member.bitOffset !== 0)) return undefined;
  const end = type.size * 8;
  const parts: LayoutPart[] = members.map(({ member }) => ({ kind: 'member', member }));
  // pahole leaves the members of some transparent unions out, and C gives an empty union no size.
  if (parts.length === 0 && end > 0) parts.push({ kind: 'padding', type: 'char', bits: 8 });
  const largest = Math.max(parts.length > members.length ? 8 : 0, ...members.map(({ bits }) => bits));
  const natural = Math.max(8, ...members.map(({ alignment }) => alignment));
  const packed = roundUp(largest, natural) > end || end % natural !== 0;
  const alignment = packed ? 8 : natural;
  if (roundUp(largest, alignment) === end)
    return { parts, packed, aligned: undefined, alignment: alignment / 8 };
  for (let aligned = 8; aligned <= end; aligned *= 2) {
    if (aligned > alignment && roundUp(largest, aligned) === end)
      return { parts, packed, aligned: aligned / 8, alignment: aligned / 8 };
  }
  return undefined;
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
