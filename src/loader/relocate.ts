import { ObjectError } from '../errors.ts';
import { CALL, INSTRUCTION_SIZE, InstructionView } from '../asm/index.ts';
import { KERNEL_CONFIG_SECTION } from '../elf/index.ts';
import type { ExternSpec, ObjectFile, ProgramSpec, Relocation } from '../elf/index.ts';
import {
  BPF_PSEUDO_BTF_ID,
  BPF_PSEUDO_KFUNC_CALL,
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_VALUE,
} from '../uapi/index.ts';
import type { KernelExterns, KernelReference } from './externs/kernel-externs.ts';
import type { JumpTables } from './jump-tables.ts';
import { POISONED_CALL, POISONED_MAP } from './poisoned-references.ts';
import type { LinkedProgram } from './subprograms.ts';

/** How modules are told from each other in a program: by places in its `fd_array`. */
interface ModuleDescriptors {
  descriptor(module: string): number | undefined;
}

/** What stands in an instruction for a map. */
export interface Descriptor {
  readonly fd: { readonly value: number };
}

interface RelocationContext {
  readonly object: ObjectFile;
  readonly maps: ReadonlyMap<string, Descriptor>;
  readonly kernelExterns: Pick<KernelExterns, 'resolve'>;
  readonly moduleBtfs: ModuleDescriptors;
  readonly jumpTables: { map(...table: Parameters<JumpTables['map']>): Descriptor };
}

/**
 * Gives every reference of a linked program its value, in place.
 *
 * @returns the `fd_array` to load it with: descriptors of the BTF of modules whose functions it calls; empty without
 */
export function relocate(linked: LinkedProgram, context: RelocationContext): readonly number[] {
  const view = new InstructionView(linked.instructions);
  const descriptors: number[] = [];
  for (const caller of linked.functions) {
    for (const relocation of caller.fn.relocations) {
      const index = caller.start + relocation.offset / INSTRUCTION_SIZE;
      if (relocation.kind === 'map' || relocation.kind === 'data') {
        relocateMap(view, { relocation, index, linked, context });
      } else if (relocation.kind === 'jump-table') {
        view.setSource(index, BPF_PSEUDO_MAP_VALUE);
        view.setImmediate(index, context.jumpTables.map(caller, relocation.table).fd.value);
      } else if (relocation.kind === 'extern') {
        relocateExtern(view, { ...context, relocation, index, linked, descriptors });
      }
    }
  }
  return descriptors;
}

function relocateMap(
  view: InstructionView,
  given: {
    relocation: Extract<Relocation, { kind: 'map' | 'data' }>;
    index: number;
    linked: LinkedProgram;
    context: RelocationContext;
  },
): void {
  const { relocation, index, linked, context } = given;
  if (isLeftOut(relocation.map, context)) {
    poisonMapLoad(view, { index, number: [...context.object.maps.keys()].indexOf(relocation.map) });
    return;
  }
  view.setSource(index, relocation.kind === 'map' ? BPF_PSEUDO_MAP_FD : BPF_PSEUDO_MAP_VALUE);
  view.setImmediate(index, mapNamed(relocation.map, context.maps, linked.spec).fd.value);
  if (relocation.kind === 'data') view.setImmediate(index + 1, relocation.valueOffset);
}

function isLeftOut(name: string, { object, maps }: RelocationContext): boolean {
  return object.maps.get(name)?.autocreate === false && !maps.has(name);
}

/** Both halves of the load become calls that no kernel knows, so that the verifier refuses a program that gets there. */
function poisonMapLoad(view: InstructionView, { index, number }: { index: number; number: number }): void {
  const call = { opcode: CALL, destination: 0, source: 0, offset: 0, immediate: POISONED_MAP + number };
  view.set(index, call);
  view.set(index + 1, call);
}

interface ExternContext extends RelocationContext {
  readonly relocation: Extract<Relocation, { kind: 'extern' }>;
  readonly index: number;
  readonly linked: LinkedProgram;
  readonly descriptors: number[];
}

function relocateExtern(view: InstructionView, context: ExternContext): void {
  const { relocation, index, linked, object } = context;
  const extern = object.externs.get(relocation.symbol);
  if (!extern) throw unresolved(linked.spec, relocation.symbol, 'it is no extern of the object');
  if (extern.place) {
    if (relocation.call) throw unresolved(linked.spec, extern.name, 'it is called, and a setting');
    const map = mapNamed(KERNEL_CONFIG_SECTION, context.maps, linked.spec);
    view.setImmediate(index + 1, view.immediate(index) + extern.place.offset);
    view.setImmediate(index, map.fd.value);
    view.setSource(index, BPF_PSEUDO_MAP_VALUE);
    return;
  }
  const reference = context.kernelExterns.resolve(extern, linked.spec);
  if (relocation.call) relocateCall(view, { ...context, extern, reference });
  else relocateAddress(view, { ...context, extern, reference });
}

function relocateCall(
  view: InstructionView,
  context: ExternContext & { extern: ExternSpec; reference: KernelReference | undefined },
): void {
  const { index, linked, object, extern, reference, descriptors } = context;
  const call = view.get(index);
  if (!reference) {
    const number = [...object.externs.keys()].indexOf(extern.name);
    const poison = { destination: 0, source: 0, offset: 0, immediate: POISONED_CALL + number };
    view.set(index, { ...call, ...poison });
    return;
  }
  if (reference.kind !== 'function')
    throw unresolved(linked.spec, extern.name, 'it is called, and no function');
  const descriptor = moduleDescriptor(reference, context);
  // In fd_array, index 0 means the kernel itself (fetch_kfunc_btf() in kernel/bpf/verifier.c).
  const offset = descriptor === 0 ? 0 : placeIn(descriptors, descriptor);
  view.set(index, { ...call, source: BPF_PSEUDO_KFUNC_CALL, offset, immediate: reference.id });
}

function placeIn(descriptors: number[], descriptor: number): number {
  if (descriptors.length === 0) descriptors.push(0);
  const known = descriptors.indexOf(descriptor, 1);
  return known > 0 ? known : descriptors.push(descriptor) - 1;
}

function relocateAddress(
  view: InstructionView,
  context: ExternContext & { extern: ExternSpec; reference: KernelReference | undefined },
): void {
  const { index, reference } = context;
  if (!reference || reference.kind === 'address') {
    const address = reference?.address ?? 0n;
    view.setSource(index, 0);
    view.setImmediate(index, Number(BigInt.asIntN(32, address)));
    view.setImmediate(index + 1, Number(BigInt.asIntN(32, address >> 32n)));
    return;
  }
  view.setSource(index, BPF_PSEUDO_BTF_ID);
  view.setImmediate(index, reference.id);
  view.setImmediate(index + 1, moduleDescriptor(reference, context));
}

/** 0 for the kernel itself. */
function moduleDescriptor(
  { module }: { module: string | undefined },
  { moduleBtfs, linked, extern }: ExternContext & { extern: ExternSpec },
): number {
  if (module === undefined) return 0;
  const descriptor = moduleBtfs.descriptor(module);
  if (descriptor !== undefined) return descriptor;
  throw unresolved(linked.spec, extern.name, `its module ${module} is gone`);
}

function mapNamed(name: string, maps: ReadonlyMap<string, Descriptor>, spec: ProgramSpec): Descriptor {
  const map = maps.get(name);
  if (!map) throw unresolved(spec, name, 'that map was not created');
  return map;
}

function unresolved(spec: ProgramSpec, name: string, why: string): ObjectError {
  return new ObjectError(
    'RELOCATION_FAILED',
    `Cannot load program ${spec.name}: it refers to ${name}, and ${why}`,
    {
      section: spec.section,
      program: spec.name,
    },
  );
}
