import type { ProgramSpec, ObjectFile } from '../../elf/index.ts';
import { whyUnattached, type AttachPlan } from '../../loader/index.ts';
import { UsageError } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import type { LoadCommandOptions } from './options.ts';

/** A program that is not attached. */
export interface LeftOut {
  readonly program: string;
  readonly section: string;
  readonly reason: string;
  /** What would attach it; undefined where no option does. */
  readonly option: string | undefined;
  /** Whether the options were to attach it, as far as they tell: what is worth a note. */
  readonly wanted: boolean;
}

/** Why a program is left out that the options do not say enough for, or none can. */
export function describeLeftOut(
  spec: ProgramSpec,
  facts: {
    plan: AttachPlan | undefined;
    target: string | undefined;
    object: ObjectFile;
    options: LoadCommandOptions;
  },
): LeftOut {
  const { name: program } = spec;
  const section = spec.section.replace(/^\?/, '');
  const { plan, target, object, options } = facts;
  // Who names a place, or a target that fits, asks for what belongs there; a section that leaves something open is its author's
  // way to say that the program waits for somebody who knows what to do with it.
  const named = options.iface.length > 0 || options.cgroup !== undefined || options.config !== undefined;
  const wanted = target !== undefined || !(named || options.target.length > 0);
  if (!plan?.open) return { program, section, reason: whyUnattached(spec), option: undefined, wanted };
  const { what, form } = plan.open;
  const reason =
    target === undefined
      ? `its section ${section} leaves open ${what}`
      : `its section ${section} takes ${what}, which ${target} is not`;
  const place =
    plan.place === 'interface' && options.iface.length === 0
      ? ' with --iface NAME'
      : plan.place === 'cgroup' && options.cgroup === undefined
        ? ' with --cgroup PATH'
        : '';
  return { program, section, reason, option: `--target ${form(object.maps)}${place}`, wanted };
}

/** @throws UsageError where options could attach one of these, and nothing else is attached */
export function refuseLeftOut(leftOut: readonly LeftOut[]): void {
  const open = leftOut.filter(({ option }) => option !== undefined);
  if (open.length === 0) return;
  const list = open.map(({ program, reason, option }) => `${program}, as ${reason}: ${String(option)}`);
  throw new UsageError(`load needs a target for ${list.join('; for ')}`);
}

/** Says which programs are not attached, and what would attach them: in JSON always, in a note where they were wanted, or `verbose`. */
export function reportLeftOut(
  output: Output,
  { leftOut, verbose = false }: { leftOut: readonly LeftOut[]; verbose?: boolean | undefined },
): void {
  for (const { program, section, reason, option, wanted } of leftOut) {
    const remedy = option === undefined ? '' : `; attach it by ${option}`;
    if (wanted || verbose) output.note(`note: ${program} is not attached: ${reason}${remedy}`);
    if (!output.json) continue;
    output.stream({
      json: () => ({ type: 'not_attached', program, section, reason, option: option ?? null }),
      text: () => '',
    });
  }
}
