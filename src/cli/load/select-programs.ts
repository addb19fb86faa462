import type { ObjectFile, ProgramSpec } from '../../elf/index.ts';
import { chooseXdpProgram, isAttachable, offeredXdpPrograms } from '../../loader/index.ts';
import { MapType } from '../../maps/index.ts';
import { BPF_PROG_TYPE_XDP } from '../../uapi/index.ts';

/** Which programs of an object are attached. */
export interface ProgramSelection {
  /** There is at most one, since a second on an interface would take the place of the first. */
  readonly xdp: ProgramSpec | undefined;
  /** Those that share their interfaces through a dispatcher. */
  readonly dispatched: readonly ProgramSpec[];
  /** All others whose section says how they are attached. */
  readonly others: readonly ProgramSpec[];
  /** Whether the object's struct_ops maps are attached too. */
  readonly structOps: boolean;
}

/**
 * Without a name every program whose section says how it is attached, among them one XDP program; with a name that one.
 * Leaves out of the object what is not needed.
 *
 * @throws NotFoundError (PROGRAM_NOT_FOUND); ObjectError: PROGRAM_NONE, PROGRAM_AMBIGUOUS for several XDP programs
 */
export function selectPrograms(object: ObjectFile, name: string | undefined): ProgramSelection {
  const all = [...object.programs.values()];
  if (name !== undefined) {
    const named = object.program(name);
    const attachable = named.type !== BPF_PROG_TYPE_XDP && isAttachable(named);
    const xdp = attachable ? undefined : chooseXdpProgram(object, name);
    for (const spec of all) spec.autoload = spec === named;
    return { xdp, dispatched: [], others: attachable ? [named] : [], structOps: false };
  }
  const others = all.filter((spec) => spec.autoload && spec.type !== BPF_PROG_TYPE_XDP && isAttachable(spec));
  const structOps = [...object.maps.values()].some(({ type }) => type === MapType.StructOps);
  const hasXdp = all.some((spec) => spec.type === BPF_PROG_TYPE_XDP);
  if (!hasXdp && (others.length > 0 || structOps))
    return { xdp: undefined, dispatched: [], others, structOps };
  const xdp = chooseXdpProgram(object, undefined);
  for (const spec of all)
    spec.autoload = spec === xdp || others.includes(spec) || isStructOps(spec, structOps);
  return { xdp, dispatched: [], others, structOps };
}

/**
 * The same with all XDP programs in place of one, or the named one.
 *
 * @throws NotFoundError (PROGRAM_NOT_FOUND); ObjectError (PROGRAM_NONE) without an XDP program
 */
export function selectDispatched(object: ObjectFile, name: string | undefined): ProgramSelection {
  if (name !== undefined) {
    const { others, structOps } = selectPrograms(object, name);
    // A named program of another type would go its own way, and nothing to the dispatcher.
    const spec = chooseXdpProgram(object, name);
    return { xdp: undefined, dispatched: [spec], others, structOps };
  }
  const dispatched = offeredXdpPrograms(object);
  if (dispatched.length === 0) chooseXdpProgram(object, undefined);
  const all = [...object.programs.values()];
  const others = all.filter((spec) => spec.autoload && spec.type !== BPF_PROG_TYPE_XDP && isAttachable(spec));
  const structOps = [...object.maps.values()].some(({ type }) => type === MapType.StructOps);
  for (const spec of all) {
    spec.autoload = dispatched.includes(spec) || others.includes(spec) || isStructOps(spec, structOps);
  }
  return { xdp: undefined, dispatched, others, structOps };
}

/** Programs of struct_ops are loaded with the maps that hold them. */
function isStructOps(spec: ProgramSpec, structOps: boolean): boolean {
  return structOps && spec.autoload && spec.section.startsWith('struct_ops');
}
