import type { Difference } from './compare.ts';
import type { Measure } from './measure.ts';

const REASON_LENGTH = 200;

/** Every difference in a line, then the figures. */
export function renderReport({ facts, comparison }: Measure): string {
  const { programs, objects, refusals, unfillable, differences, holds } = comparison;
  const where = `Linux ${facts.release}${facts.guest === null ? '' : ' in a virtual machine'}`;
  return [
    ...differences.map(renderDifference),
    ...(differences.length > 0 ? [''] : []),
    `${where}, libbpf ${facts.libbpf}, ${String(facts.objects.length)} objects`,
    `programs that libbpf loads, alone      ${proportion(programs.loaded, programs.expected)}`,
    `objects that libbpf loads, as a whole  ${proportion(objects.loaded, objects.expected)}`,
    `programs that it does not, same errno  ${proportion(refusals.sameErrno, refusals.programs)}`,
    `left out: ${String(unfillable)} programs for which libbpf cannot fill a map when it loads them alone`,
    holds ? 'as good as it has to be' : 'NOT as good as it has to be',
  ].join('\n');
}

export function renderDifference(difference: Difference): string {
  const { object, program, explanation } = difference;
  const known = explanation === null ? '' : ` [known: ${explanation}]`;
  return `${object} ${program ?? '(as a whole)'}: ${outcome(difference)}${known}`;
}

/** `not loaded: 22 OBJECT_INVALID: Cannot …`. */
export function outcome({ kind, libbpf, ours, reason }: Difference): string {
  const why = reason.replaceAll(/\s+/g, ' ').slice(0, REASON_LENGTH);
  switch (kind) {
    case 'accepted':
      return `accepted, where libbpf gets errno ${String(libbpf)}`;
    case 'not loaded':
      return `not loaded, errno ${String(ours)}: ${why}`;
    case 'errno':
      return `errno ${String(ours)}, where libbpf gets ${String(libbpf)}: ${why}`;
    case 'no answer':
      return `no answer from ${why}`;
  }
}

export function proportion(part: number, whole: number): string {
  const percent = whole === 0 ? 100 : (100 * part) / whole;
  return `${String(part)} of ${String(whole)} (${percent.toFixed(2)} %)`;
}
