import { CALL } from '../asm/index.ts';
import { ArgumentError } from '../errors.ts';
import { bpfError, errno, tryBpf } from '../sys/index.ts';
import type { Kernel } from '../sys/index.ts';
import * as uapi from '../uapi/index.ts';
import type { bpf_attr_prog_load } from '../uapi/index.ts';
import { isSupported } from './feature.ts';
import type { Feature, ProbeOptions } from './feature.ts';
import { programLoad, returnZero } from './probe-program.ts';

/**
 * What the verifier says of a helper that is not there ("invalid func"), or not for the program's type: "unknown
 * func" in older kernels, the last in newer ones (check_helper_call() in kernel/bpf/verifier.c).
 */
const absent = /^(?:unknown func|invalid func|program of this type cannot use helper) /m;

/** Holds the log of three instructions many times over: before 6.4 a log that is cut short fails with ENOSPC. */
const LOG_SIZE = 4096;

/** What types of programs cannot be loaded without; other fields stay zero. */
const neededFields: Readonly<Record<number, Partial<bpf_attr_prog_load>>> = {
  [uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR]: { expected_attach_type: uapi.BPF_CGROUP_INET4_CONNECT },
  [uapi.BPF_PROG_TYPE_CGROUP_SOCKOPT]: { expected_attach_type: uapi.BPF_CGROUP_GETSOCKOPT },
  [uapi.BPF_PROG_TYPE_SK_LOOKUP]: { expected_attach_type: uapi.BPF_SK_LOOKUP },
  [uapi.BPF_PROG_TYPE_NETFILTER]: { expected_attach_type: uapi.BPF_NETFILTER },
  [uapi.BPF_PROG_TYPE_SYSCALL]: { prog_flags: uapi.BPF_F_SLEEPABLE },
};

/** These load only together with what they attach to, on which their helpers depend. */
const needTarget: ReadonlySet<number> = new Set([
  uapi.BPF_PROG_TYPE_TRACING,
  uapi.BPF_PROG_TYPE_EXT,
  uapi.BPF_PROG_TYPE_LSM,
  uapi.BPF_PROG_TYPE_STRUCT_OPS,
]);

export interface HelperQuestion {
  /** BPF_FUNC_… */
  readonly helper: number;
  /** BPF_PROG_TYPE_… */
  readonly programType: number;
}

/** One for each question, so that answers are kept. */
const asked = new Map<string, Feature>();

/**
 * Whether programs of a type may call a helper. False where the kernel does not know that type.
 *
 * Throws {@link PermissionError} where the process may not load such programs, and {@link ArgumentError} for
 * tracing, LSM, extension and struct_ops programs, whose helpers depend on what they attach to.
 */
export function isHelperAvailable(question: HelperQuestion, options: ProbeOptions = {}): boolean {
  const key = `${String(question.programType)}:${String(question.helper)}`;
  let feature = asked.get(key);
  if (feature === undefined) {
    const name = `helper ${String(question.helper)} in programs of type ${String(question.programType)}`;
    feature = helperFeature(name, { ...question, minKernel: '' });
    asked.set(key, feature);
  }
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
  const { helper, programType, name } = question;
  if (needTarget.has(programType)) {
    throw new ArgumentError(
      'programType',
      `Cannot probe for ${name}: helpers of this type depend on what the program attaches to`,
    );
  }
  const log = new Uint8Array(LOG_SIZE);
  const attempt = programLoad(kernel, {
    subject: name,
    instructions: [{ opcode: CALL, immediate: helper }, ...returnZero],
    fields: {
      prog_type: programType,
      log_level: 1,
      log_size: log.length,
      log_buf: kernel.addressOf(log),
      ...neededFields[programType],
    },
    keep: [log],
  });
  const call = { ...attempt, doing: `probe for ${name}` };
  const result = tryBpf(kernel, call);
  if (result >= 0) {
    kernel.close(result);
    return true;
  }
  if (result === -errno.EACCES) return true;
  if (result !== -errno.EINVAL && result !== -errno.E2BIG) throw bpfError(call, result);
  // Without a word of the verifier, the kernel refused the type, or a field that came with it.
  const text = textOf(log);
  return text !== '' && !absent.test(text);
}

function textOf(log: Uint8Array): string {
  const end = log.indexOf(0);
  return new TextDecoder().decode(end < 0 ? log : log.subarray(0, end));
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
