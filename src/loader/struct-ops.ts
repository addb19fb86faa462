import { ObjectError, UnsupportedFeatureError } from '../errors.ts';
import {
  essentialName,
  resolveType,
  sizeOf,
  type Btf,
  type BtfComposite,
  type BtfMember,
} from '../btf/index.ts';
import type { MapSpec, ObjectFile, StructOpsDefinition } from '../elf/index.ts';
import { BPF_PROG_TYPE_STRUCT_OPS } from '../uapi/index.ts';
import type { KernelBtf } from './kernel-btf.ts';

/** The kernel wraps each struct that BPF may implement: `struct bpf_struct_ops_tcp_congestion_ops`. */
const VALUE_PREFIX = 'bpf_struct_ops_';

/** A struct_ops map in the kernel's words. */
export interface KernelStructOps {
  /** `btf_vmlinux_value_type_id`, and the module whose BTF that id is of. */
  readonly valueTypeId: number;
  readonly module: string | undefined;
  /** Bytes of the map's value. */
  readonly valueSize: number;
  /** The struct itself: `attach_btf_id` of its programs. */
  readonly typeId: number;
  /** What is to be written to the map to register it, but for the programs. */
  readonly value: Uint8Array;
  readonly programs: readonly ImplementedMember[];
}

export interface ImplementedMember {
  readonly program: string;
  /** Which member of the kernel's struct: `expected_attach_type`. */
  readonly memberIndex: number;
  /** Where the value wants the program's descriptor, in bytes. */
  readonly valueOffset: number;
}

interface Side {
  readonly btf: Btf;
  readonly struct: BtfComposite;
}

/**
 * Translates a struct_ops map of an object to the struct that this kernel has, member by member by name: libbpf's
 * bpf_map__init_kern_struct_ops(). What the object leaves zero, the kernel need not have. Linux 5.6.
 *
 * @throws UnsupportedFeatureError where the kernel has no such struct, ObjectError where the two do not go together
 */
export function translateStructOps(
  spec: MapSpec & { readonly structOps: StructOpsDefinition },
  { object, kernelBtf }: { object: ObjectFile; kernelBtf: Pick<KernelBtf, 'vmlinux' | 'modules'> },
): KernelStructOps {
  const { btf } = object;
  const struct = btf?.type(spec.structOps.typeId);
  if (!btf || struct?.kind !== 'struct') throw refuse(spec, 'BTF does not describe it');
  const found = findValueType(spec, { name: essentialName(struct.name), kernelBtf });
  const value = new Uint8Array(found.valueSize);
  const programs: ImplementedMember[] = [];
  const kernels: Side = { btf: found.btf, struct: found.struct };
  struct.members.forEach((member, index) => {
    const program = spec.structOps.programs.get(index);
    const place = { member, program, dataOffset: found.dataOffset };
    const implemented = translateMember(spec, { ...place, ours: { btf, struct }, kernels, value });
    if (implemented) programs.push(implemented);
  });
  checkPrograms(spec, { object, programs });
  const { valueTypeId, module, valueSize, typeId } = found;
  return { valueTypeId, module, valueSize, typeId, value, programs };
}

interface ValueType {
  readonly btf: Btf;
  readonly module: string | undefined;
  readonly valueTypeId: number;
  readonly valueSize: number;
  readonly typeId: number;
  readonly struct: BtfComposite;
  /** Where the struct lies in the value, in bytes. */
  readonly dataOffset: number;
}

function findValueType(
  spec: MapSpec,
  { name, kernelBtf }: { name: string; kernelBtf: Pick<KernelBtf, 'vmlinux' | 'modules'> },
): ValueType {
  const found = findStruct(VALUE_PREFIX + name, kernelBtf);
  if (!found) {
    throw new UnsupportedFeatureError(
      `struct_ops ${name}`,
      '5.6',
      `Cannot create map ${spec.name}: this kernel lets no BPF program implement struct ${name} (struct_ops came with Linux 5.6)`,
    );
  }
  const { btf, module, id: valueTypeId } = found;
  const wrapper = btf.type(valueTypeId);
  const typeId = btf.find(name, 'struct');
  const struct = typeId === undefined ? undefined : btf.type(typeId);
  const data =
    wrapper.kind === 'struct' ? wrapper.members.find((member) => member.typeId === typeId) : undefined;
  if (wrapper.kind !== 'struct' || typeId === undefined || struct?.kind !== 'struct' || !data)
    throw refuse(spec, `the kernel's BTF of struct ${VALUE_PREFIX}${name} is not what it should be`);
  return {
    btf,
    module,
    valueTypeId,
    valueSize: wrapper.size,
    typeId,
    struct,
    dataOffset: data.bitOffset / 8,
  };
}

function findStruct(
  name: string,
  kernelBtf: Pick<KernelBtf, 'vmlinux' | 'modules'>,
): { btf: Btf; id: number; module: string | undefined } | undefined {
  const { vmlinux } = kernelBtf;
  const id = vmlinux.find(name, 'struct');
  if (id !== undefined) return { btf: vmlinux, id, module: undefined };
  for (const [module, btf] of kernelBtf.modules) {
    const inModule = btf.find(name, 'struct');
    if (inModule !== undefined) return { btf, id: inModule, module };
  }
  return undefined;
}

function translateMember(
  spec: MapSpec & { readonly structOps: StructOpsDefinition },
  context: {
    member: BtfMember;
    program: string | undefined;
    dataOffset: number;
    ours: Side;
    kernels: Side;
    value: Uint8Array;
  },
): ImplementedMember | undefined {
  const { member, program, dataOffset, ours, kernels, value } = context;
  const size = sizeOf(ours.btf, member.typeId);
  const start = member.bitOffset / 8;
  const bytes = spec.structOps.contents.subarray(start, start + size);
  const memberIndex = kernels.struct.members.findIndex(({ name }) => name === member.name);
  const theirs = kernels.struct.members[memberIndex];
  if (!theirs) {
    if (bytes.every((byte) => byte === 0)) return undefined;
    throw refuse(
      spec,
      `this kernel's struct ${kernels.struct.name} has no member ${member.name}, and it is set`,
    );
  }
  if (member.bitSize > 0 || theirs.bitSize > 0)
    throw refuse(spec, `its member ${member.name} is a bitfield, which struct_ops cannot have`);
  const [ourType, theirType] = [
    ours.btf.type(resolveType(ours.btf, member.typeId)),
    kernels.btf.type(resolveType(kernels.btf, theirs.typeId)),
  ];
  if (ourType.kind !== theirType.kind) {
    throw refuse(
      spec,
      `its member ${member.name} is a ${ourType.kind}, and the kernel's a ${theirType.kind}`,
    );
  }
  const valueOffset = dataOffset + theirs.bitOffset / 8;
  if (theirType.kind === 'pointer') {
    if (program === undefined) return undefined;
    if (kernels.btf.kindOf(resolveType(kernels.btf, theirType.typeId)) !== 'function_proto')
      throw refuse(spec, `its member ${member.name} is a function, and the kernel's is none`);
    return { program, memberIndex, valueOffset };
  }
  const theirSize = sizeOf(kernels.btf, theirs.typeId);
  if (size !== theirSize)
    throw refuse(spec, `its member ${member.name} has ${size} bytes, and the kernel's ${theirSize}`);
  value.set(bytes, valueOffset);
  return undefined;
}

function checkPrograms(
  spec: MapSpec,
  { object, programs }: { object: ObjectFile; programs: readonly ImplementedMember[] },
): void {
  for (const { program } of programs) {
    if (object.program(program).type !== BPF_PROG_TYPE_STRUCT_OPS) {
      throw refuse(
        spec,
        `program ${program} is of section ${object.program(program).section}, not struct_ops`,
      );
    }
  }
}

function refuse(spec: MapSpec, why: string): ObjectError {
  return new ObjectError('OBJECT_INVALID', `Cannot create map ${spec.name}: ${why}`, {
    section: spec.definition.section,
  });
}
