import { INSTRUCTION_SIZE } from '../asm/index.ts';
import type { BtfExt, BtfExtSection } from '../btf/index.ts';
import { presentMemory, type Kernel } from '../sys/index.ts';
import type { bpf_attr_prog_load } from '../uapi/index.ts';
import type { LinkedProgram } from './subprograms.ts';

/** The records of `.BTF.ext` that belong to one program, with offsets as the kernel counts them. */
export interface ExtensionInfo {
  readonly buffers: readonly Uint8Array[];
  fields(kernel: Kernel): Partial<bpf_attr_prog_load>;
}

interface Records {
  readonly recordSize: number;
  readonly bytes: Uint8Array;
  readonly count: number;
}

/**
 * Collects function and line information for all functions of a linked program. In the file, offsets count bytes
 * within a section; the kernel wants instructions from the start of the program.
 *
 * The kernel takes either kind for all functions or for none (check_btf_func, check_btf_line in
 * kernel/bpf/verifier.c), so what does not cover every function is left out.
 */
export function extensionInfo(
  linked: LinkedProgram,
  { ext, clones }: { ext: BtfExt; clones?: ReadonlyMap<number, number> | undefined },
): ExtensionInfo {
  const functions = collect(linked, ext.functionInfo);
  if (functions && clones) nameClones(functions, { clones });
  const lines = functions && collect(linked, ext.lineInfo);
  const present = [functions, lines].filter((records) => records !== undefined);
  return {
    buffers: present.map((records) => records.bytes),
    fields: (kernel) => ({
      ...(functions && {
        func_info_rec_size: functions.recordSize,
        func_info: kernel.addressOf(functions.bytes),
        func_info_cnt: functions.count,
      }),
      ...(lines && {
        line_info_rec_size: lines.recordSize,
        line_info: kernel.addressOf(lines.bytes),
        line_info_cnt: lines.count,
      }),
    }),
  };
}

/** Of `struct bpf_func_info`: behind the instruction. */
const TYPE_ID_OFFSET = 4;

/** Types that stand in for those of functions, in this program: see {@link ContextArguments}. */
function nameClones(
  { bytes, recordSize, count }: Records,
  { clones }: { clones: ReadonlyMap<number, number> },
): void {
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < count; index++) {
    const at = index * recordSize + TYPE_ID_OFFSET;
    const clone = clones.get(view.getUint32(at, true));
    if (clone !== undefined) view.setUint32(at, clone, true);
  }
}

function collect(linked: LinkedProgram, sections: ReadonlyMap<string, BtfExtSection>): Records | undefined {
  const chosen: Uint8Array[] = [];
  let recordSize: number | undefined;
  for (const { fn, start } of linked.functions) {
    const section = sections.get(fn.section);
    if (!section || (recordSize !== undefined && section.recordSize !== recordSize)) return undefined;
    recordSize = section.recordSize;
    const records = recordsOf(section, { offset: fn.offset, length: fn.instructions.length, start });
    if (!records) return undefined;
    chosen.push(records);
  }
  const [only] = chosen;
  if (recordSize === undefined || only === undefined) return undefined;
  if (chosen.length === 1) return { recordSize, bytes: only, count: only.length / recordSize };
  const bytes = new Uint8Array(chosen.reduce((length, records) => length + records.length, 0));
  let end = 0;
  for (const records of chosen) {
    bytes.set(records, end);
    end += records.length;
  }
  return { recordSize, bytes, count: bytes.length / recordSize };
}

/** Undefined where none stands at the function's first instruction. */
function recordsOf(
  { bytes, recordSize, littleEndian }: BtfExtSection,
  range: { offset: number; length: number; start: number },
): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isOwn = (at: number): boolean => {
    const distance = view.getUint32(at, littleEndian) - range.offset;
    return distance >= 0 && distance < range.length;
  };
  let [first, last] = [0, bytes.length - recordSize];
  while (first <= last && !isOwn(first)) first += recordSize;
  while (first <= last && !isOwn(last)) last -= recordSize;
  if (first > last || view.getUint32(first, littleEndian) !== range.offset) return undefined;
  const words = presentMemory(last + recordSize - first);
  words.set(bytes.subarray(first, last + recordSize));
  const end = takeOwn(new Uint32Array(words.buffer), { ...range, step: recordSize / WORD_SIZE });
  return words.subarray(0, end * WORD_SIZE);
}

const WORD_SIZE = Uint32Array.BYTES_PER_ELEMENT;

/**
 * Leaves the records of one function, as a linker may have put those of others in between, with their offsets counted
 * anew; returns how many words they are. By words, as there may be tens of thousands and this may be the first load of a process:
 * unoptimised code reads them several times faster than through a DataView.
 */
function takeOwn(
  words: Uint32Array,
  { offset, length, start, step }: { offset: number; length: number; start: number; step: number },
): number {
  let end = 0;
  for (let at = 0; at < words.length; at += step) {
    const distance = (words[at] ?? 0) - offset;
    if (distance < 0 || distance >= length) continue;
    if (at !== end) words.copyWithin(end, at, at + step);
    words[end] = start + distance / INSTRUCTION_SIZE;
    end += step;
  }
  return end;
}
