/** Reads a field of the struct at `at`; `end` is where the record ends, for what has no length of its own. */
export type FieldReader = (view: DataView, at: number, end: number) => unknown;

/** How the fields of a struct are read one by one, by name: a struct within by its own fields. */
export interface FieldTable {
  readonly [field: string]: FieldReader | FieldsWithin;
}

/** The fields of a struct within another. */
export interface FieldsWithin {
  /** Bytes from the start of the outer one. */
  readonly offset: number;
  readonly of: { readonly fields?: FieldTable | undefined };
  /** Other fields follow: a flexible array in it is empty. */
  readonly closed?: boolean | undefined;
}

/**
 * The fields of a struct, each read where it lies and when it is asked for. A struct within is read by its own fields; other
 * fields give the values of {@link createCodec}, so that numbers and booleans cost no memory, and arrays and texts are copies.
 */
export type InPlace<Value> = Value extends object
  ? { readonly [Field in keyof Value]: FieldInPlace<Value[Field]> }
  : Value;

type FieldInPlace<Value> = Value extends Uint8Array | readonly unknown[] ? Value : InPlace<Value>;

interface Place {
  view: DataView;
  at: number;
  end: number;
}

/**
 * One set of fields, moved from record to record: nothing is made for each of them.
 *
 * The getters are compiled once, each with its offset as a constant.
 */
export class InPlaceReader<Fields> {
  /** Reads wherever this was moved to last. */
  readonly fields: Fields;
  readonly #place: Place = { view: new DataView(new ArrayBuffer(0)), at: 0, end: 0 };

  constructor(table: FieldTable) {
    this.fields = fieldsAt(table, this.#place, { base: 0, closed: false }) as Fields;
  }

  /** The caller knows that the whole struct lies there. */
  moveTo(view: DataView, at: number, end: number): void {
    const place = this.#place;
    place.view = view;
    place.at = at;
    place.end = end;
  }
}

interface Position {
  /** Where the struct begins in the outermost one: a struct within costs no more than its fields. */
  readonly base: number;
  readonly closed: boolean;
}

function fieldsAt(table: FieldTable, place: Place, position: Position): object {
  const properties: PropertyDescriptorMap = Object.create(null) as PropertyDescriptorMap;
  for (const [name, field] of Object.entries(table)) properties[name] = propertyOf(field, place, position);
  // Of an object's own accessors V8 makes a dictionary as soon as two objects have the same names; never of a prototype's.
  return Object.create(Object.create(null, properties) as object) as object;
}

function propertyOf(
  field: FieldReader | FieldsWithin,
  place: Place,
  { base, closed }: Position,
): PropertyDescriptor {
  if (typeof field === 'object') {
    const within = { base: base + field.offset, closed: closed || field.closed === true };
    return { value: fieldsAt(field.of.fields ?? {}, place, within), enumerable: true };
  }
  // The compiler takes const for constants when it inlines the getter, and does not take parameters for it.
  const [where, read, offset] = [place, field, base];
  if (closed) return { get: () => read(where.view, where.at + offset, 0), enumerable: true };
  return { get: () => read(where.view, where.at + offset, where.end), enumerable: true };
}
