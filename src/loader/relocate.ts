import { ObjectError } from '../errors.ts';
import { InstructionView } from '../asm/index.ts';
import type { ExternSpec, ObjectFile, ProgramSpec } from '../elf/index.ts';
import type { BpfMap } from '../maps/index.ts';
import {
  BPF_PSEUDO_BTF_ID,
  BPF_PSEUDO_KFUNC_CALL,
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_VALUE,
} from '../uapi/index.ts';
import type { KernelFunctions } from './kernel-functions.ts';
import { relocationsOf, type LinkedProgram, type PlacedRelocation } from './subprograms.ts';

/**
 * What a call of an absent weak kfunc becomes, plus the extern's number: an invalid helper id that the verifier
 * names in its log should the call be reachable after all. libbpf uses the same number (POISON_CALL_KFUNC_BASE).
 */
const POISONED_CALL = 2_002_000_000;

/** Gives every reference of a linked program its value, in place. */
export function relocate(
  linked: LinkedProgram,
  context: { object: ObjectFile; maps: ReadonlyMap<string, BpfMap>; kernelFunctions: KernelFunctions },
): void {
  const view = new InstructionView(linked.instructions);
  for (const placed of relocationsOf(linked.functions)) {
    const { relocation, index } = placed;
    if (relocation.kind === 'map') {
      view.setSource(index, BPF_PSEUDO_MAP_FD);
      view.setImmediate(index, mapNamed(relocation.map, context.maps, linked.spec).fd.value);
    } else if (relocation.kind === 'data') {
      view.setSource(index, BPF_PSEUDO_MAP_VALUE);
      view.setImmediate(index, mapNamed(relocation.map, context.maps, linked.spec).fd.value);
      view.setImmediate(index + 1, relocation.valueOffset);
    } else if (relocation.kind === 'extern') {
      relocateExtern(view, { placed, linked, ...context });
    }
  }
}

function relocateExtern(
  view: InstructionView,
  context: {
    placed: PlacedRelocation;
    linked: LinkedProgram;
    object: ObjectFile;
    kernelFunctions: KernelFunctions;
  },
): void {
  const { placed, linked, object, kernelFunctions } = context;
  const { relocation, index } = placed;
  if (relocation.kind !== 'extern') return;
  const name = relocation.symbol;
  const extern = object.externs.get(name);
  if (extern?.section !== '.ksyms' || !isFunction(object, extern)) {
    throw unresolved(linked.spec, name, 'only kernel functions declared with __ksym can be resolved');
  }
  const id = kernelFunctions.find(name, linked.spec);
  if (id === undefined && !extern.weak) {
    throw unresolved(linked.spec, name, 'this kernel has no function of that name that BPF may call');
  }
  if (relocation.call) {
    const number = [...object.externs.keys()].indexOf(name);
    const call = view.get(index);
    view.set(
      index,
      id === undefined
        ? { ...call, destination: 0, source: 0, offset: 0, immediate: POISONED_CALL + number }
        : { ...call, source: BPF_PSEUDO_KFUNC_CALL, offset: 0, immediate: id },
    );
    return;
  }
  // The address itself is only ever compared with zero, by bpf_ksym_exists().
  view.setSource(index, id === undefined ? 0 : BPF_PSEUDO_BTF_ID);
  view.setImmediate(index, id ?? 0);
  view.setImmediate(index + 1, 0);
}

function isFunction(object: ObjectFile, extern: ExternSpec): boolean {
  return extern.typeId !== undefined && object.btf?.type(extern.typeId).kind === 'function';
}

function mapNamed(name: string, maps: ReadonlyMap<string, BpfMap>, spec: ProgramSpec): BpfMap {
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
