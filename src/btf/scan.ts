import type { BtfHeader } from './header.ts';
import { kindLayouts } from './kind-layout.ts';
import { kindNumber } from './kind.ts';

/** `struct btf_type`: name, info, size or type. */
export const TYPE_SIZE = 12;
const TYPE_WORDS = TYPE_SIZE / 4;
const MAX_KIND = 0x7f;
/** The info word of a type: `BTF_INFO_KIND()` and `BTF_INFO_VLEN()` of include/uapi/linux/btf.h, for a loop that cannot afford calls. */
export const KIND_SHIFT = 24;
export const KIND_MASK = MAX_KIND;
export const COUNT_MASK = 0xffffff;
/** Marks a kind that is not known: no known one has as many words before its elements. */
export const UNKNOWN_LENGTH = 255;

/** The length of each kind in words. */
export interface KindLengths {
  /** Before the elements, the three words that every type has included; {@link UNKNOWN_LENGTH}. */
  readonly head: Uint8Array;
  /** Of one element. */
  readonly element: Uint8Array;
}

/** The number of elements that a type's info word gives: 24 bits since Linux 7.2, the upper 8 of them zero before. */
export function elementCount(info: number): number {
  return info & COUNT_MASK;
}

/** The kind that a type's info word gives: 7 bits since Linux 7.2, the upper 2 of them zero before. */
export function kindOfInfo(info: number): number {
  return (info >>> KIND_SHIFT) & KIND_MASK;
}

/** Of the known kinds, and of those that the BTF itself describes in its layout section. */
export function kindLengths(bytes: Uint8Array, { layouts }: BtfHeader): KindLengths {
  const head = new Uint8Array(MAX_KIND + 1).fill(UNKNOWN_LENGTH);
  const element = new Uint8Array(MAX_KIND + 1);
  for (let at = layouts.start, kind = 0; at < layouts.end && kind <= MAX_KIND; at += 4, kind++) {
    const [fixedBytes = 0, elementBytes = 0] = bytes.subarray(at, at + 2);
    // Every type begins on a multiple of four bytes, or the kernel refuses the BTF.
    if (fixedBytes % 4 !== 0 || elementBytes % 4 !== 0) continue;
    head[kind] = TYPE_WORDS + fixedBytes / 4;
    element[kind] = elementBytes / 4;
  }
  head[kindNumber.void] = UNKNOWN_LENGTH;
  kindLayouts.forEach((layout, kind) => {
    if (!layout) return;
    head[kind] = TYPE_WORDS + layout.fixedWords;
    element[kind] = layout.elementWords;
  });
  return { head, element };
}
