import { NotFoundError, ObjectError } from '../errors.ts';
import type { Btf } from '../btf/index.ts';
import type { ProgramSpec } from '../elf/index.ts';
import { readProgramBtf, type BpfProgram } from '../programs/index.ts';
import {
  BPF_LSM_CGROUP,
  BPF_LSM_MAC,
  BPF_PROG_TYPE_EXT,
  BPF_TRACE_ITER,
  BPF_TRACE_RAW_TP,
} from '../uapi/index.ts';
import type { KernelBtf } from './kernel-btf.ts';

/** What a program is verified against, and can be attached to and nothing else: a function by its BTF id. */
export type AttachTarget =
  /** In the kernel, or in the module of that name. */
  | { readonly kind: 'kernel'; readonly btfId: number; readonly module: string | undefined }
  /** A function of another program. */
  | { readonly kind: 'program'; readonly btfId: number; readonly program: BpfProgram };

interface Naming {
  readonly prefix: string;
  readonly kind: 'function' | 'typedef';
  /** What a person calls it. */
  readonly what: string;
}

/** How the kernel's BTF names what programs attach to: the BTF_*_PREFIX macros of include/linux/btf.h and libbpf. */
const NAMINGS: ReadonlyMap<number, Naming> = new Map([
  [BPF_TRACE_RAW_TP, { prefix: 'btf_trace_', kind: 'typedef', what: 'raw tracepoint' }],
  [BPF_LSM_MAC, { prefix: 'bpf_lsm_', kind: 'function', what: 'LSM hook' }],
  [BPF_LSM_CGROUP, { prefix: 'bpf_lsm_', kind: 'function', what: 'LSM hook' }],
  [BPF_TRACE_ITER, { prefix: 'bpf_iter_', kind: 'function', what: 'iterator' }],
]);
const PLAIN: Naming = { prefix: '', kind: 'function', what: 'function' };

/**
 * Finds what a program of an attach type with a BTF id is for: `fentry/do_unlinkat`, `lsm/file_open`,
 * `fentry/bpf_testmod:bpf_testmod_test_read`, or a function of the program given.
 *
 * @returns undefined for programs that need none
 * @throws NotFoundError (ATTACH_TARGET_NOT_FOUND), ObjectError where the section names nothing
 */
export function findAttachTarget(
  spec: ProgramSpec,
  context: { kernelBtf: Pick<KernelBtf, 'vmlinux' | 'modules'>; program: BpfProgram | undefined },
): AttachTarget | undefined {
  const { program } = context;
  if (!spec.attachesToBtf) return undefined;
  if (spec.attachTarget === undefined) throw unnamed(spec);
  if (program) return inProgram(spec, { program, name: spec.attachTarget });
  if (spec.type === BPF_PROG_TYPE_EXT) throw withoutProgram(spec);
  if (spec.attachTarget === '') throw namesNothing(spec);
  return inKernel(spec, { kernelBtf: context.kernelBtf, target: spec.attachTarget });
}

function inProgram(
  spec: ProgramSpec,
  { program, name }: { program: BpfProgram; name: string },
): AttachTarget {
  const btfId = readProgramBtf(program)?.find(name, 'function');
  if (btfId === undefined) {
    throw notFound(spec, name, `program ${program.name} has no function of that name in its BTF`);
  }
  return { kind: 'program', btfId, program };
}

function inKernel(
  spec: ProgramSpec,
  { kernelBtf, target }: { kernelBtf: Pick<KernelBtf, 'vmlinux' | 'modules'>; target: string },
): AttachTarget {
  const naming = NAMINGS.get(spec.attachType) ?? PLAIN;
  const colon = target.indexOf(':');
  const [module, name] = colon < 0 ? [undefined, target] : [target.slice(0, colon), target.slice(colon + 1)];
  const find = (btf: Btf): number | undefined => btf.find(naming.prefix + name, naming.kind);
  if (module === undefined || module === 'vmlinux') {
    const btfId = find(kernelBtf.vmlinux);
    if (btfId !== undefined) return { kind: 'kernel', btfId, module: undefined };
  }
  if (module !== 'vmlinux') {
    for (const [candidate, btf] of kernelBtf.modules) {
      const btfId = module === undefined || module === candidate ? find(btf) : undefined;
      // A type of the kernel itself is found through a module's BTF too, and is not the module's.
      if (btfId !== undefined && btfId >= btf.firstId) return { kind: 'kernel', btfId, module: candidate };
    }
  }
  const where = module === undefined ? 'this kernel' : `module ${module}`;
  throw notFound(spec, target, `${where} has no ${naming.what} of that name`);
}

function notFound(spec: ProgramSpec, target: string, why: string): NotFoundError {
  return new NotFoundError(
    'ATTACH_TARGET_NOT_FOUND',
    target,
    `Cannot load program ${spec.name}: it is for ${target}, and ${why}`,
  );
}

/** `SEC("fentry/")`: looked for, and found as little as any other name that is not there. */
function namesNothing(spec: ProgramSpec): NotFoundError {
  return new NotFoundError(
    'ATTACH_TARGET_NOT_FOUND',
    '',
    `Cannot load program ${spec.name}: its section ${spec.section} has no name after the slash`,
    { hint: `write SEC("${spec.section}NAME"), or set attachTarget before loading` },
  );
}

function unnamed(spec: ProgramSpec): ObjectError {
  return new ObjectError(
    'OBJECT_INVALID',
    `Cannot load program ${spec.name}: its section ${spec.section} does not say what it is for`,
    {
      section: spec.section,
      program: spec.name,
      hint: `write SEC("${spec.section}/NAME"), or set attachTarget before loading`,
    },
  );
}

function withoutProgram(spec: ProgramSpec): ObjectError {
  return new ObjectError(
    'OBJECT_INVALID',
    `Cannot load program ${spec.name}: it replaces a function of another program, and none was given`,
    { section: spec.section, program: spec.name, hint: 'give the loaded program with the option attachTo' },
  );
}
