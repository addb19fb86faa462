import { INSTRUCTION_SIZE } from '../asm/index.ts';
import { wordsOf } from '../binary/index.ts';
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

/**
 * Those of one function, as a linker may have put those of others in between, with their offsets counted anew; undefined
 * where none stands at its first instruction. By words and without a call for each, as there may be tens of
 * thousands and this may be the first load of a process, in code that the compiler has not seen yet.
 */
function recordsOf(
  { bytes, recordSize, littleEndian }: BtfExtSection,
  { offset, length, start }: { offset: number; length: number; start: number },
): Uint8Array | undefined {
  const words = wordsOf(bytes, { start: 0, end: bytes.length }, { littleEndian });
  const step = recordSize / WORD_SIZE;
  const range = { start: offset, end: offset + length };
  const first = firstWithin(words, { from: 0, step, ...range });
  const last = firstWithin(words, { from: words.length - step, step: -step, ...range });
  if (first === undefined || last === undefined || words[first] !== offset) return undefined;
  const copy = presentMemory((last + step - first) * WORD_SIZE);
  const own = new Uint32Array(copy.buffer);
  own.set(words.subarray(first, last + step));
  const count = takeOwn(own, { ...range, step, origin: offset - start * INSTRUCTION_SIZE });
  return copy.subarray(0, count * WORD_SIZE);
}

/**
 * Leaves the records whose place is from `start` up to `end`, with places counted in instructions from `origin`; returns how
 * many words they are. A function of its own: optimised code of a loop that is running ends where code follows
 * that has never run.
 */
function takeOwn(
  words: Uint32Array,
  { start, end, step, origin }: { start: number; end: number; step: number; origin: number },
): number {
  let count = 0;
  for (let at = 0; at < words.length; at += step) {
    const place = words[at] as number;
    if (place < start || place >= end) continue;
    if (at !== count) words.copyWithin(count, at, at + step);
    words[count] = (place - origin) / INSTRUCTION_SIZE;
    count += step;
  }
  return count;
}

/** The first word in steps from one on whose value is from `start` up to `end`. */
function firstWithin(
  words: Uint32Array,
  { from, step, start, end }: { from: number; step: number; start: number; end: number },
): number | undefined {
  for (let at = from; at >= 0 && at < words.length; at += step) {
    const value = words[at] as number;
    if (value >= start && value < end) return at;
  }
  return undefined;
}

const WORD_SIZE = Uint32Array.BYTES_PER_ELEMENT;
