import { ObjectError } from '../../errors.ts';
import type { ObjectFile, ProgramSpec } from '../../elf/index.ts';
import {
  chooseXdpProgram,
  isXdp,
  offeredXdpPrograms,
  planAttachment,
  whyUnattached,
  type AttachPlan,
} from '../../loader/index.ts';
import { MapType } from '../../maps/index.ts';
import { UsageError } from '../exit-code.ts';
import { AttachTargets, bindTarget } from './attach-targets.ts';
import { describeLeftOut, refuseLeftOut, type LeftOut } from './left-out.ts';
import type { LoadCommandOptions } from './options.ts';

/** Which programs of an object are attached. */
export interface ProgramSelection {
  /** There is at most one, since a second on an interface would take the place of the first. */
  readonly xdp: ProgramSpec | undefined;
  /** Those that share their interfaces through a dispatcher. */
  readonly dispatched: readonly ProgramSpec[];
  /** All others, with what `--target` says of them. */
  readonly others: readonly SelectedProgram[];
  /** Whether the object's struct_ops maps are attached too. */
  readonly structOps: boolean;
  /** Programs that take part and are not attached. */
  readonly leftOut: readonly LeftOut[];
  /** Whether any of them goes to interfaces. */
  readonly onInterfaces: boolean;
  /** Values of `--target` that are for none of them. */
  readonly unusedTargets: readonly string[];
}

export interface SelectedProgram {
  readonly spec: ProgramSpec;
  readonly plan: AttachPlan;
  readonly target: string | undefined;
}

interface Choice {
  readonly xdp: readonly ProgramSpec[];
  readonly others: readonly SelectedProgram[];
  readonly structOps: boolean;
  readonly leftOut: readonly LeftOut[];
}

/**
 * Without names every program whose section says how it is attached, among them one XDP program (all with `--multi`);
 * with names those. Leaves out of the object what is not needed.
 *
 * @throws NotFoundError (PROGRAM_NOT_FOUND); ObjectError: PROGRAM_NONE, PROGRAM_AMBIGUOUS for several XDP programs;
 * UsageError where an option is missing
 */
export function selectPrograms(object: ObjectFile, options: LoadCommandOptions): ProgramSelection {
  const targets = new AttachTargets(object, options.target);
  const choose = options.prog.length > 0 ? chooseNamed : chooseAll;
  const { xdp, others, structOps, leftOut } = choose(object, { options, targets });
  for (const { spec, plan } of others) {
    if (plan.place === 'cgroup' && options.cgroup === undefined) {
      throw new UsageError(`load needs a cgroup for ${spec.name}: --cgroup PATH`);
    }
  }
  for (const { spec, target } of others) bindTarget(spec, target);
  const multi = options.multi === true;
  return {
    xdp: multi ? undefined : xdp[0],
    dispatched: multi ? xdp : [],
    others,
    structOps,
    leftOut,
    onInterfaces: xdp.length > 0 || others.some(({ plan }) => plan.place === 'interface'),
    unusedTargets: targets.unused(),
  };
}

interface Request {
  readonly options: LoadCommandOptions;
  readonly targets: AttachTargets;
}

function chooseNamed(object: ObjectFile, { options, targets }: Request): Choice {
  const named = [...new Set(options.prog)].map((name) => object.program(name));
  const xdp = named.filter(isXdp);
  if (options.multi === true && xdp.length === 0) chooseXdpProgram(object, options.prog[0]);
  if (options.multi !== true && xdp.length > 1) throw severalXdpPrograms(xdp);
  const others: SelectedProgram[] = [];
  const leftOut: LeftOut[] = [];
  for (const spec of named) {
    if (xdp.includes(spec)) continue;
    const plan = planAttachment(spec);
    if (!plan) throw unattachable(spec);
    const target = targets.take(spec, plan);
    if (plan.open && target === undefined) {
      leftOut.push(describeLeftOut(spec, { plan, target: targets.of(spec, plan), object, options }));
    } else others.push({ spec, plan, target });
  }
  refuseLeftOut(leftOut);
  keep(object, (spec) => named.includes(spec));
  return { xdp, others, structOps: false, leftOut: [] };
}

function chooseAll(object: ObjectFile, { options, targets }: Request): Choice {
  const offeredXdp = offeredXdpPrograms(object);
  const [others, leftOut]: [SelectedProgram[], LeftOut[]] = [[], []];
  const called = tailCalled(object);
  const structOps = [...object.maps.values()].some(({ type }) => type === MapType.StructOps);
  for (const spec of object.programs.values()) {
    if (!spec.autoload || isXdp(spec)) continue;
    if (isStructOps(spec, structOps)) continue;
    const plan = planAttachment(spec);
    const target = plan && targets.take(spec, plan);
    if (plan && (!plan.open || target !== undefined)) others.push({ spec, plan, target });
    else if (!called.has(spec.name)) {
      leftOut.push(describeLeftOut(spec, { plan, target: plan && targets.of(spec, plan), object, options }));
    }
  }
  const nothing = offeredXdp.length === 0 && others.length === 0 && !structOps;
  if (nothing) refuseLeftOut(leftOut);
  if ((nothing && leftOut.length === 0) || (options.multi === true && offeredXdp.length === 0)) {
    chooseXdpProgram(object, undefined);
  }
  if (nothing) throw noneAttachable(leftOut);
  const xdp =
    options.multi === true || offeredXdp.length === 0 ? offeredXdp : [chooseXdpProgram(object, undefined)];
  const attached = new Set([...xdp, ...others.map(({ spec }) => spec)]);
  const kept = (spec: ProgramSpec): boolean => {
    if (attached.has(spec)) return true;
    if (!spec.autoload) return false;
    // Beside XDP programs, those that are not attached are not needed.
    if (xdp.length > 0) return called.has(spec.name) || isStructOps(spec, structOps);
    return planAttachment(spec)?.open === undefined || !spec.attachesToBtf;
  };
  keep(object, kept);
  return { xdp, others, structOps, leftOut };
}

function keep(object: ObjectFile, isKept: (spec: ProgramSpec) => boolean): void {
  for (const spec of object.programs.values()) spec.autoload = isKept(spec);
}

/** Programs of struct_ops are loaded with the maps that hold them. */
function isStructOps(spec: ProgramSpec, structOps: boolean): boolean {
  return structOps && spec.autoload && spec.section.startsWith('struct_ops');
}

/** Programs that the object itself puts into a program array. */
function tailCalled(object: ObjectFile): Set<string> {
  const arrays = [...object.maps.values()].filter(({ type }) => type === MapType.ProgramArray);
  return new Set(arrays.flatMap(({ initialSlots }) => initialSlots.map(({ target }) => target)));
}

function severalXdpPrograms(specs: readonly ProgramSpec[]): ObjectError {
  const programs = specs.map(({ name }) => name);
  return new ObjectError(
    'PROGRAM_AMBIGUOUS',
    `Cannot attach ${programs.join(' and ')}: an interface runs one XDP program`,
    { programs, hint: 'attach them through a dispatcher: --multi' },
  );
}

function unattachable(spec: ProgramSpec): ObjectError {
  const { name: program, section } = spec;
  return new ObjectError('PROGRAM_NONE', `Cannot attach ${program}: ${whyUnattached(spec)}`, {
    program,
    section,
  });
}

function noneAttachable(leftOut: readonly LeftOut[]): ObjectError {
  const list = leftOut.map(({ program, reason }) => `${program}: ${reason}`);
  return new ObjectError('PROGRAM_NONE', 'Cannot attach the object: no option attaches its programs', {
    programs: leftOut.map(({ program }) => program),
    hint: list.join('; '),
  });
}
