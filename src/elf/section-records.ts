import type { BtfExtSection } from '../btf/index.ts';
import type { FunctionSpec } from './program-spec.ts';

interface PlacedRecord {
  readonly instructionOffset: number;
}

/** Sorted once for all functions of a section: a file may have a thousand of them, and as many records of each. */
const sorted = new WeakMap<BtfExtSection, readonly PlacedRecord[]>();

/**
 * The records of a table of `.BTF.ext` that lie within a function, in the order of their instructions.
 *
 * @throws {BtfError} where a record refers to a type or string that is not there
 */
export function recordsOf<Record extends PlacedRecord>(
  table: ReadonlyMap<string, BtfExtSection<Record>> | undefined,
  fn: FunctionSpec,
): readonly Record[] {
  const section = table?.get(fn.section);
  if (section === undefined) return [];
  let records = sorted.get(section) as readonly Record[] | undefined;
  if (records === undefined) {
    records = inOrder(section.records);
    sorted.set(section, records);
  }
  const end = fn.offset + fn.instructions.length;
  return records.slice(firstFrom(records, fn.offset), firstFrom(records, end));
}

function inOrder<Record extends PlacedRecord>(records: readonly Record[]): readonly Record[] {
  const isInOrder = records.every(
    ({ instructionOffset }, index) => instructionOffset >= (records[index - 1]?.instructionOffset ?? 0),
  );
  return isInOrder ? records : records.toSorted((a, b) => a.instructionOffset - b.instructionOffset);
}

/** The index of the first record at or behind an offset. */
function firstFrom(records: readonly PlacedRecord[], offset: number): number {
  let [low, high] = [0, records.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((records[middle]?.instructionOffset ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
