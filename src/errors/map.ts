import { TsXdpError, type Fact, type ErrorContext } from './base.ts';

/** One property in which a map differs from what is needed. */
export interface MapDifference extends Record<string, Fact> {
  property: string;
  wanted: string;
  found: string;
}

/** An existing map cannot stand in for the one of the object. Lists every difference, not the first. */
export class MapIncompatibleError extends TsXdpError {
  readonly code = 'MAP_INCOMPATIBLE';
  readonly map: string;
  readonly differences: readonly MapDifference[];
  /** Where the existing map is pinned, if it was found by its pin. */
  readonly path: string | undefined;
  /** The id of the existing map, if it was found by that. */
  readonly id: number | undefined;

  constructor(
    map: string,
    differences: readonly MapDifference[],
    context: ErrorContext & { path?: string | undefined; id?: number | undefined } = {},
  ) {
    const { path, id } = context;
    const list = differences.map((d) => `${d.property} is ${d.found}, not ${d.wanted}`).join('; ');
    let existing = 'the existing map';
    if (path !== undefined) existing = `the map pinned at ${path}`;
    else if (id !== undefined) existing = `map ${String(id)}`;
    super(`Cannot use ${existing} for ${map}: ${list}`, context);
    this.map = map;
    this.differences = differences;
    this.path = path;
    this.id = id;
  }
}

/** Of several entries of a map, one could not be written or removed. Those before it are. */
export class MapBatchError extends TsXdpError {
  readonly code = 'MAP_BATCH_FAILED';
  readonly map: string;
  /** Entries that were written or removed; the one after them is what failed. */
  readonly done: number;

  /** `cause` is the error of the call. */
  constructor(map: string, done: number, message: string, context: ErrorContext & { cause: unknown }) {
    super(message, context);
    this.map = map;
    this.done = done;
  }
}

/** Keys of a map came and went faster than they were read, so that the kernel started over again and again. */
export class MapIterationError extends TsXdpError {
  readonly code = 'MAP_ITERATION_ABORTED';
  readonly map: string;

  constructor(map: string, message: string, context?: ErrorContext) {
    super(message, context);
    this.map = map;
  }
}
