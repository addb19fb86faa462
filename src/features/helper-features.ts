import { CALL } from '../asm/index.ts';
import { ArgumentError } from '../errors.ts';
import { errno } from '../sys/index.ts';
import type { Kernel } from '../sys/index.ts';
import * as uapi from '../uapi/index.ts';
import { askedFeature, onDevice } from './asked-features.ts';
import { isSupported } from './feature.ts';
import type { Feature, ProbeOptions } from './feature.ts';
import { firstKernelOfHelper } from './first-kernels.ts';
import { fieldsOf } from './needed-fields.ts';
import { returnZero } from './probe-program.ts';
import { askVerifier } from './verifier-attempt.ts';

/**
 * What the verifier says of a helper that is not there ("invalid func"), or not for the program's type: "unknown
 * func" in older kernels, the last in newer ones (check_helper_call() in kernel/bpf/verifier.c).
 */
const absent = /^(?:unknown func|invalid func|program of this type cannot use helper) /m;

/** These load only together with what they attach to, on which their helpers depend. */
const needTarget: ReadonlySet<number> = new Set([
  uapi.BPF_PROG_TYPE_TRACING,
  uapi.BPF_PROG_TYPE_EXT,
  uapi.BPF_PROG_TYPE_LSM,
  uapi.BPF_PROG_TYPE_STRUCT_OPS,
]);

/** A helper and the programs that would call it. */
export interface HelperQuestion {
  /** BPF_FUNC_… */
  readonly helper: number;
  /** BPF_PROG_TYPE_… */
  readonly programType: number;
  /** The index of a network device that programs are offloaded to, by whose driver they are then verified. Linux 4.16. */
  readonly device?: number | undefined;
}

/** Whether helpers can be asked for in programs of a type at all: see {@link isHelperAvailable}. */
export function hasFixedHelpers(programType: number): boolean {
  return !needTarget.has(programType);
}

/**
 * Whether programs of a type may call a helper. False where the kernel does not know that type. The first kernel with
 * a helper is {@link firstKernelOfHelper}; types of programs may have got it later.
 *
 * Throws {@link PermissionError} where the process may not load such programs, and {@link ArgumentError} for
 * tracing, LSM, extension and struct_ops programs, whose helpers depend on what they attach to.
 */
export function isHelperAvailable(question: HelperQuestion, options: ProbeOptions = {}): boolean {
  const { programType, helper, device } = question;
  const key = `helper ${helper} in programs of type ${programType}${onDevice(device)}`;
  const feature = askedFeature(key, (name) =>
    helperFeature(name, { ...question, minKernel: firstKernelOfHelper(helper) ?? '' }),
  );
  return isSupported(feature, options);
}

/** A helper as a feature with a name and a first kernel. */
export function helperFeature(name: string, facts: HelperQuestion & { readonly minKernel: string }): Feature {
  return { name, minKernel: facts.minKernel, probe: (kernel) => verifierKnows(kernel, { ...facts, name }) };
}

/**
 * Loads a program that does nothing but call the helper. The verifier looks the helper up first; that it then finds
 * fault with the arguments, which are not there, says that it found it.
 */
function verifierKnows(kernel: Kernel, question: HelperQuestion & { readonly name: string }): boolean {
  const { helper, programType, device, name } = question;
  if (needTarget.has(programType)) {
    throw new ArgumentError(
      'programType',
      `Cannot probe for ${name}: helpers of this type depend on what the program attaches to`,
    );
  }
  const { loaded, result, log } = askVerifier(kernel, {
    subject: name,
    instructions: [{ opcode: CALL, immediate: helper }, ...returnZero],
    fields: { ...fieldsOf(programType), prog_ifindex: device ?? 0 },
  });
  if (loaded || (result === -errno.EACCES && device === undefined)) return true;
  // Without a word of the verifier, the kernel refused the type, or a field that came with it.
  return log !== '' && !absent.test(log);
}

export const xdpLoadBytes = helperFeature('bpf_xdp_load_bytes()', {
  helper: uapi.BPF_FUNC_xdp_load_bytes,
  programType: uapi.BPF_PROG_TYPE_XDP,
  minKernel: '5.18',
});

export const ringBufferReserve = helperFeature('bpf_ringbuf_reserve() in XDP programs', {
  helper: uapi.BPF_FUNC_ringbuf_reserve,
  programType: uapi.BPF_PROG_TYPE_XDP,
  minKernel: '5.8',
});

export const ringBufferOutput = helperFeature('bpf_ringbuf_output() in XDP programs', {
  helper: uapi.BPF_FUNC_ringbuf_output,
  programType: uapi.BPF_PROG_TYPE_XDP,
  minKernel: '5.8',
});

/**
 * Since 5.11 maps and programs count against the memory cgroup and no more against RLIMIT_MEMLOCK. That changes no
 * interface; this helper came with the same version, and libbpf takes it for the sign too.
 */
export const memoryCgroupAccounting = helperFeature('accounting of BPF memory by cgroup', {
  helper: uapi.BPF_FUNC_ktime_get_coarse_ns,
  programType: uapi.BPF_PROG_TYPE_SOCKET_FILTER,
  minKernel: '5.11',
});
