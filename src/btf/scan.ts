import { BtfError } from '../errors.ts';
import type { BtfHeader } from './header.ts';
import { kindLayouts } from './kind-layout.ts';
import { kindNumber } from './kind.ts';

/** `struct btf_type`: name, info, size or type. */
export const TYPE_SIZE = 12;
/** `BTF_MAX_TYPE` of include/uapi/linux/btf.h, the highest id the kernel accepts. */
const MAX_TYPE_ID = 0xfffff;
const MAX_KIND = 0x7f;

/** What follows the 12 bytes of each kind. 255 in `fixed` marks a kind that is not known. */
interface KindSizes {
  readonly fixed: Uint8Array;
  readonly element: Uint8Array;
}

const UNKNOWN = 255;

/** The number of elements that a type's info word gives: 24 bits since Linux 7.1, the upper 8 of them zero before. */
export function elementCount(info: number): number {
  return info & 0xffffff;
}

/** The kind that a type's info word gives: 7 bits since Linux 7.1, the upper 2 of them zero before. */
export function kindOfInfo(info: number): number {
  return (info >>> 24) & MAX_KIND;
}

/**
 * One pass over the types, which have no index and vary in length: the byte offset of each, in order. Only what
 * decides a type's length is checked. Makes no object per type: the kernel's own BTF has over 100,000.
 */
export function scanTypes(view: DataView, header: BtfHeader, firstId: number): Uint32Array {
  const { littleEndian, types } = header;
  const { fixed, element } = kindSizes(view, header);
  const offsets = new Uint32Array(Math.floor((types.end - types.start) / TYPE_SIZE));
  let count = 0;
  let offset = types.start;
  while (offset < types.end) {
    if (offset + TYPE_SIZE > types.end) throw cutOff(firstId + count, 'a type needs 12 bytes');
    const info = view.getUint32(offset + 4, littleEndian);
    const kind = kindOfInfo(info);
    const extra = fixed[kind] ?? UNKNOWN;
    if (extra === UNKNOWN) throw unknownKind(firstId + count, kind);
    offsets[count++] = offset;
    offset += TYPE_SIZE + extra + (element[kind] ?? 0) * elementCount(info);
  }
  if (offset !== types.end)
    throw cutOff(firstId + count - 1, `it ends ${String(offset - types.end)} bytes later`);
  if (firstId + count - 1 > MAX_TYPE_ID) {
    throw new BtfError(`Cannot read BTF: ${String(firstId + count - 1)} types are more than BTF allows`);
  }
  return offsets.slice(0, count);
}

/** Sizes of the known kinds, and of those that the BTF itself describes in its layout section. */
function kindSizes(view: DataView, { layouts }: BtfHeader): KindSizes {
  const fixed = new Uint8Array(MAX_KIND + 1).fill(UNKNOWN);
  const element = new Uint8Array(MAX_KIND + 1);
  for (let at = layouts.start, kind = 0; at < layouts.end && kind <= MAX_KIND; at += 4, kind++) {
    fixed[kind] = view.getUint8(at);
    element[kind] = view.getUint8(at + 1);
  }
  fixed[kindNumber.void] = UNKNOWN;
  kindLayouts.forEach((layout, kind) => {
    if (!layout) return;
    fixed[kind] = layout.fixedWords * 4;
    element[kind] = layout.elementWords * 4;
  });
  return { fixed, element };
}

function cutOff(typeId: number, why: string): BtfError {
  return new BtfError(`Cannot read BTF: type ${String(typeId)} is cut off by the end of the types: ${why}`, {
    typeId,
  });
}

function unknownKind(typeId: number, kind: number): BtfError {
  return new BtfError(`Cannot read BTF: type ${String(typeId)} is of the unknown kind ${String(kind)}`, {
    typeId,
  });
}
