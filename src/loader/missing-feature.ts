import { PermissionError, UnsupportedFeatureError } from '../errors.ts';
import type { ProgramSpec } from '../elf/index.ts';
import {
  askVerifier,
  Feature,
  firstKernelOfAttachType,
  firstKernelOfProgramType,
  isProgramTypeSupported,
  isSupported,
  returnZero,
  unsupportedFeature,
  type MissingFeature,
} from '../features/index.ts';
import { attachTypeName, programTypeName } from '../programs/index.ts';
import { bpfError, errno } from '../sys/index.ts';
import type { Kernel } from '../sys/index.ts';
import { BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY } from '../uapi/index.ts';
import type { bpf_attr_prog_load } from '../uapi/index.ts';
import { readVerifierLog } from './verifier-log.ts';

interface Refused {
  readonly spec: ProgramSpec;
  readonly fields: Partial<bpf_attr_prog_load>;
}

/**
 * A program bound to a device whose driver lets none be: bpf_prog_dev_bound_init() in kernel/bpf/offload.c wants
 * `xdp_metadata_ops`. The kernel says EOPNOTSUPP, where it knows such programs at all (Linux 6.3).
 */
export function missingInDriver(spec: ProgramSpec): UnsupportedFeatureError {
  const doing = `load program ${spec.name}`;
  const name = 'metadata of packets from this driver';
  return new UnsupportedFeatureError(
    name,
    '6.3',
    `Cannot ${doing}: it is bound to the interface of index ${spec.deviceBound ?? 0}, whose driver has no metadata for programs`,
    {
      hint: 'choose a program that is not bound to a device (--prog)',
      cause: bpfError({ command: 'BPF_PROG_LOAD', doing }, -errno.EOPNOTSUPP),
    },
  );
}

/**
 * What a program asks for that kernels without it refuse as an invalid argument, without a word: its type, how it attaches,
 * packets of several buffers. Found by trying the shortest program in its place.
 */
export function missingFeature(kernel: Kernel, refused: Refused): UnsupportedFeatureError | undefined {
  const { spec, fields } = refused;
  if (!isProgramTypeSupported(spec.type, { kernel })) {
    const name = `programs of type ${programTypeName(spec.type)}`;
    return unsupported(spec, { name, minKernel: firstKernelOfProgramType(spec.type) });
  }
  const attachType = fields.expected_attach_type ?? 0;
  if (attachType !== 0 && isAttachTypeMissing(kernel, { ...refused, attachType })) {
    const name = `${programTypeName(spec.type)} programs that attach as ${attachTypeName(attachType)}`;
    return unsupported(spec, { name, minKernel: firstKernelOfAttachType(attachType) });
  }
  if (!spec.frags || isSupported(Feature.XdpFrags, { kernel })) return undefined;
  const { name, minKernel } = Feature.XdpFrags;
  const hint = 'choose the variant of the program without .frags in its section name';
  return unsupported(spec, { name, minKernel, hint });
}

/**
 * The type of the program is known by now, so nothing else is left that the shortest program could be refused for before
 * the verifier begins; but a function may be one that no program attaches to, whichever way.
 */
function isAttachTypeMissing(
  kernel: Kernel,
  { spec, fields, attachType }: Refused & { attachType: number },
): boolean {
  if (firstKernelOfAttachType(attachType) === undefined) return false;
  if (isAttachTypeKnown(kernel, { fields, attachType })) return false;
  return (
    spec.type !== BPF_PROG_TYPE_TRACING || isAttachTypeKnown(kernel, { fields, attachType: BPF_TRACE_FENTRY })
  );
}

function isAttachTypeKnown(
  kernel: Kernel,
  { fields, attachType }: { fields: Refused['fields']; attachType: number },
): boolean {
  const { prog_type = 0, attach_btf_id = 0, attach_prog_fd = 0 } = fields;
  try {
    const { loaded, log } = askVerifier(kernel, {
      subject: `programs that attach as ${attachTypeName(attachType)}`,
      instructions: returnZero,
      fields: { prog_type, expected_attach_type: attachType, attach_btf_id, attach_prog_fd },
    });
    return loaded || readVerifierLog(log) !== undefined;
  } catch (error) {
    // What a kernel does not know it does not forbid either.
    if (error instanceof PermissionError) return true;
    throw error;
  }
}

function unsupported(
  { name: program }: ProgramSpec,
  { hint, ...feature }: MissingFeature & { readonly hint?: string },
): UnsupportedFeatureError {
  const doing = `load program ${program}`;
  const cause = bpfError({ command: 'BPF_PROG_LOAD', doing }, -errno.EINVAL);
  return unsupportedFeature(feature, { doing, hint, cause });
}
