import { EXIT, MOVE_IMMEDIATE_64 } from '../asm/index.ts';
import { errno } from '../sys/index.ts';
import { askedFeature, onDevice } from './asked-features.ts';
import { isSupported } from './feature.ts';
import type { Feature, ProbeOptions } from './feature.ts';
import { firstKernelOfMapType, firstKernelOfProgramType } from './first-kernels.ts';
import { createsMap } from './map-attempt.ts';
import { fieldsOf } from './needed-fields.ts';
import { returnZero } from './probe-program.ts';
import { askVerifier } from './verifier-attempt.ts';

/** Where a type is to be. */
export interface TypeQuestion {
  /** The index of a network device that it is to be offloaded to. Linux 4.16. */
  readonly device?: number | undefined;
}

/**
 * Whether the kernel has a type of programs (`BPF_PROG_TYPE_*`); {@link firstKernelOfProgramType} says since when Linux
 * has it. Where a type needs something to attach to (tracing, LSM, extensions, struct_ops), it is enough that the
 * verifier looks for that.
 *
 * Throws {@link PermissionError} where the process may not load such programs, or the machine forbids them to all:
 * lockdown and seccomp do.
 */
export function isProgramTypeSupported(type: number, options: TypeQuestion & ProbeOptions = {}): boolean {
  const { device, ...probe } = options;
  const feature = askedFeature(`programs of type ${type}${onDevice(device)}`, (name) =>
    programTypeFeature(name, { type, device }),
  );
  return isSupported(feature, probe);
}

/**
 * Whether the kernel has a type of maps (`BPF_MAP_TYPE_*`); {@link firstKernelOfMapType} says since when Linux has it.
 *
 * Throws {@link PermissionError} where the process may not create such maps.
 */
export function isMapTypeSupported(type: number, options: TypeQuestion & ProbeOptions = {}): boolean {
  const { device, ...probe } = options;
  const feature = askedFeature(`maps of type ${type}${onDevice(device)}`, (name) =>
    mapTypeFeature(name, { type, device }),
  );
  return isSupported(feature, probe);
}

/** Some network cards refuse a program that returns 0: it means to carry on, which they cannot. */
const returnTwo = [{ opcode: MOVE_IMMEDIATE_64, destination: 0, immediate: 2 }, { opcode: EXIT }];

/** A type of programs as a feature. */
export function programTypeFeature(
  name: string,
  question: TypeQuestion & { readonly type: number },
): Feature {
  const { type, device } = question;
  return {
    name,
    minKernel: firstKernelOfProgramType(type) ?? '',
    probe: (kernel) => {
      const { loaded, result, log } = askVerifier(kernel, {
        subject: name,
        instructions: device === undefined ? returnZero : returnTwo,
        fields: { ...fieldsOf(type), prog_ifindex: device ?? 0 },
      });
      if (loaded || device !== undefined) return loaded;
      // bpf_prog_load() looks the type up before it begins to verify, which is when the log begins.
      return log !== '' || result === -errno.ENOTSUPP || result === -errno.EACCES;
    },
  };
}

/** A type of maps as a feature. */
export function mapTypeFeature(name: string, question: TypeQuestion & { readonly type: number }): Feature {
  const { type, device } = question;
  return {
    name,
    minKernel: firstKernelOfMapType(type) ?? '',
    probe: (kernel) => createsMap(kernel, { type, device, subject: name }),
  };
}
