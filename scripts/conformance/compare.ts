import { explain } from './known-differences.ts';
import type { KnownDifference } from './known-differences.ts';
import type { ObjectOutcome, Result } from './outcomes.ts';

export type DifferenceKind =
  /** libbpf loads it, ts-xdp does not. */
  | 'not loaded'
  /** ts-xdp loads what libbpf does not. */
  | 'accepted'
  /** Both refuse, with different errnos. */
  | 'errno'
  /** One of the loaders crashed, or took too long. */
  | 'no answer';

export interface Difference {
  readonly object: string;
  /** Null for the object as a whole. */
  readonly program: string | null;
  readonly kind: DifferenceKind;
  readonly libbpf: Result;
  readonly ours: Result;
  /** In the words of ts-xdp. */
  readonly reason: string;
  /** From the table of known differences; null where it is in none. */
  readonly explanation: string | null;
}

export interface Score {
  /** Of what libbpf loads. */
  readonly expected: number;
  readonly loaded: number;
}

export interface Comparison {
  readonly programs: Score;
  readonly objects: Score;
  readonly refusals: { readonly programs: number; readonly sameErrno: number };
  /** Programs that libbpf cannot load alone because it cannot fill a map for them; they are in no other figure. */
  readonly unfillable: number;
  readonly differences: readonly Difference[];
  readonly holds: boolean;
}

export interface Outcomes {
  readonly objects: readonly string[];
  readonly libbpf: ReadonlyMap<string, ObjectOutcome>;
  readonly ours: ReadonlyMap<string, ObjectOutcome>;
}

/** Of programs and of objects that libbpf loads. */
export const LEAST_LOADED = 0.995;
/** Of programs that libbpf does not load. */
export const LEAST_SAME_ERRNO = 0.9;

/**
 * What libbpf fails with where a program array or a map of maps names a program that is switched off (init_prog_array_slots
 * and init_map_in_map_slots of libbpf.c): it says nothing about the program that was to be loaded.
 */
const EBADF = 9;
const NO_OUTCOME: ObjectOutcome = { whole: undefined, reason: 'was not asked', programs: new Map() };

export function compare(
  { objects, libbpf, ours }: Outcomes,
  { known, release }: { known: readonly KnownDifference[]; release: string },
): Comparison {
  const tally = new Tally((found) => explain(known, { ...found, release }));
  for (const object of objects) {
    const theirs = libbpf.get(object) ?? NO_OUTCOME;
    const mine = ours.get(object) ?? NO_OUTCOME;
    if (theirs.whole === undefined || mine.whole === undefined) {
      const [who, reason] = theirs.whole === undefined ? ['libbpf', theirs.reason] : ['ts-xdp', mine.reason];
      tally.add({
        object,
        program: null,
        kind: 'no answer',
        libbpf: null,
        ours: null,
        reason: `${who}: ${reason}`,
      });
      if (theirs.whole === undefined) continue;
    }
    compareWhole(tally, { object, theirs, mine });
    for (const [program, { result }] of theirs.programs) {
      const found = mine.programs.get(program) ?? {
        result: null,
        reason: mine.reason || 'is not in the answer',
      };
      compareProgram(tally, { object, program, theirs: result, mine: found.result, reason: found.reason });
    }
  }
  return tally.comparison();
}

function compareWhole(
  tally: Tally,
  { object, theirs, mine }: { object: string; theirs: ObjectOutcome; mine: ObjectOutcome },
): void {
  const found = {
    object,
    program: null,
    libbpf: theirs.whole ?? null,
    ours: mine.whole ?? null,
    reason: mine.reason,
  };
  if (theirs.whole === 0) {
    tally.objects.expected++;
    if (mine.whole === 0) tally.objects.loaded++;
    else tally.add({ ...found, kind: 'not loaded' });
  } else if (mine.whole === 0) tally.add({ ...found, kind: 'accepted' });
}

function compareProgram(
  tally: Tally,
  one: { object: string; program: string; theirs: Result; mine: Result; reason: string },
): void {
  const { object, program, theirs, mine, reason } = one;
  const found = { object, program, libbpf: theirs, ours: mine, reason };
  if (theirs === 0) {
    tally.programs.expected++;
    if (mine === 0) tally.programs.loaded++;
    else tally.add({ ...found, kind: 'not loaded' });
  } else if (theirs === EBADF) tally.unfillable++;
  else {
    tally.refusals.programs++;
    if (mine === theirs) tally.refusals.sameErrno++;
    else tally.add({ ...found, kind: mine === 0 ? 'accepted' : 'errno' });
  }
}

type Found = Omit<Difference, 'explanation'>;

class Tally {
  readonly programs = { expected: 0, loaded: 0 };
  readonly objects = { expected: 0, loaded: 0 };
  readonly refusals = { programs: 0, sameErrno: 0 };
  unfillable = 0;
  readonly #differences: Difference[] = [];
  readonly #explain: (found: Found) => string | null;

  constructor(explanation: (found: Found) => string | null) {
    this.#explain = explanation;
  }

  add(found: Found): void {
    this.#differences.push({ ...found, explanation: this.#explain(found) });
  }

  comparison(): Comparison {
    const { programs, objects, refusals, unfillable } = this;
    const differences = this.#differences;
    const unexplained = differences.some(
      ({ kind, explanation }) => explanation === null && (kind === 'accepted' || kind === 'no answer'),
    );
    const holds =
      !unexplained &&
      programs.loaded >= LEAST_LOADED * programs.expected &&
      objects.loaded >= LEAST_LOADED * objects.expected &&
      refusals.sameErrno >= LEAST_SAME_ERRNO * refusals.programs;
    return { programs, objects, refusals, unfillable, differences, holds };
  }
}
