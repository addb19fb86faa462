import { ObjectReferences } from '../../elf/index.ts';
import type { ObjectFile } from '../../elf/index.ts';
import { Feature } from '../../features/index.ts';
import { CertainHelpers } from './certain-helpers.ts';
import { InstructionNeeds } from './instruction-needs.ts';
import { mapNeeds } from './map-needs.ts';
import { newestFirst } from './need.ts';
import type { KernelNeed } from './need.ts';
import { programNeeds, ReferenceNeeds } from './program-needs.ts';

/** The oldest kernel that can run an object, as far as the object tells. */
export interface NeededKernel {
  /** `5.8`; undefined for an object that says nothing: without programs and maps. */
  readonly atLeast: string | undefined;
  /** Every need, the newest first: the first of them is why it is that version. */
  readonly because: readonly KernelNeed[];
  /**
   * Needs of code that runs by choice alone: of a variable in read-only data, of a setting of the kernel, or where the
   * kernel has a field, a type or a function. Where these rule it out, the kernel does not look at it.
   */
  readonly ifChosen: readonly KernelNeed[];
  /** What older kernels lack and ts-xdp puts something else in the place of. */
  readonly replaced: readonly KernelNeed[];
  /**
   * Kernel functions that are called: unlike helpers they come and go, by version and by configuration, and nobody
   * promises when. Whether a kernel has them only that kernel can tell.
   */
  readonly kernelFunctions: readonly string[];
}

/**
 * A lower bound of the kernels that can run an object: of Linux as it is released, since distributions also port features
 * back. What an object needs of a kernel's configuration or hardware, or of a type of program beyond the helper itself,
 * is not in it: no older kernel can run the object, and a newer one may refuse it all the same.
 *
 * Programs and maps that are not loaded unless asked for (`SEC("?…")`) count for nothing.
 *
 * @throws {ObjectError} where functions call each other more than any source has them do
 */
export function neededKernel(object: ObjectFile): NeededKernel {
  const programs = [...object.programs.values()].filter(({ autoload }) => autoload);
  const maps = [...object.maps.values()].filter(({ autocreate }) => autocreate);
  const references = new ObjectReferences(object);
  const looked = {
    references,
    certainHelpers: new CertainHelpers(object),
    instructionNeeds: new InstructionNeeds(object.littleEndian),
    referenceNeeds: new ReferenceNeeds(object),
  };
  const ofPrograms = programs.map((program) => programNeeds(program, looked));
  const because = newestFirst([
    ...maps.flatMap((map) => mapNeeds(map, object.btf)),
    ...ofPrograms.flatMap(({ needs }) => needs),
  ]);
  const functions = programs.flatMap((program) => references.of(program).kernelFunctions);
  return {
    atLeast: because[0]?.since,
    because,
    ifChosen: newestFirst(ofPrograms.flatMap(({ needsOfChoice }) => needsOfChoice)),
    replaced: newestFirst([...typesReplaced(object), ...attachmentsReplaced(object)]),
    kernelFunctions: [...new Set(functions)],
  };
}

/** Kinds of BTF that are loaded as others where the kernel does not know them (sanitizeBtf()). */
function typesReplaced({ btf }: ObjectFile): KernelNeed[] {
  if (btf === undefined) return [];
  const kinds: readonly (readonly [kind: string, feature: Feature])[] = [
    ['function', Feature.BtfFunctions],
    ['datasec', Feature.BtfDataSections],
    ['float', Feature.BtfFloat],
    ['decl_tag', Feature.BtfDeclTag],
    ['type_tag', Feature.BtfTypeTag],
    ['enum64', Feature.BtfEnum64],
  ];
  const there = new Set<string>();
  for (const id of btf.ids()) there.add(btf.kindOf(id));
  return kinds
    .filter(([kind]) => there.has(kind))
    .map(([, { name, minKernel }]) => ({
      since: minKernel,
      reason: `the types need ${name}; before, others stand in for them`,
    }));
}

function attachmentsReplaced(object: ObjectFile): KernelNeed[] {
  const { XdpLink } = Feature;
  const xdp = [...object.programs.values()].some(
    ({ autoload, attachTypeOptional, section }) => autoload && attachTypeOptional && section === 'xdp',
  );
  if (!xdp) return [];
  return [
    {
      since: XdpLink.minKernel,
      reason: 'XDP is attached by a bpf_link; before, by netlink, which outlives the process',
    },
  ];
}
