import type { Difference } from './compare.ts';

/** A difference to libbpf that is understood. It counts in every figure all the same; only its being there is no news. */
export interface KnownDifference {
  readonly kind: Difference['kind'];
  /** Without `.bpf.o`. */
  readonly object: string;
  /** Every program of the object where it is left out; null for the object as a whole. */
  readonly program?: string | null;
  /** Of the kernel; any where it is left out. */
  readonly release?: RegExp;
  readonly reason: string;
}

const NO_ADDRESS =
  'an address of the kernel that is not there: libbpf alone tells it from other unresolved externs, by ESRCH';

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  { kind: 'errno', object: 'kprobe_multi', reason: NO_ADDRESS },
  { kind: 'errno', object: 'test_ksyms', reason: NO_ADDRESS },
  {
    kind: 'errno',
    object: 'exceptions_fail',
    program: 'reject_multiple_exception_cb',
    reason:
      'two exception callbacks: EEXIST from libbpf, EINVAL like everything wrong with an object from ts-xdp',
  },
];

export function explain(
  known: readonly KnownDifference[],
  found: Pick<Difference, 'kind' | 'object' | 'program'> & { readonly release: string },
): string | null {
  const entry = known.find(
    ({ kind, object, program, release }) =>
      kind === found.kind &&
      `${object}.bpf.o` === found.object &&
      (program === undefined ? found.program !== null : program === found.program) &&
      (release?.test(found.release) ?? true),
  );
  return entry?.reason ?? null;
}
