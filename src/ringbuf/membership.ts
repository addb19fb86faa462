/** Readers that are in a group, and whether that reads now. */
const groups = new WeakMap<object, () => boolean>();

/** False where it is in a group already. */
export function join(reader: object, isReading: () => boolean): boolean {
  if (groups.has(reader)) return false;
  groups.set(reader, isReading);
  return true;
}

export function leave(reader: object): void {
  groups.delete(reader);
}

export function isReadByGroup(reader: object): boolean {
  return groups.get(reader)?.() === true;
}
