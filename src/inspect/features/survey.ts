import { PermissionError, SyscallError } from '../../errors.ts';
import {
  Feature,
  hasFixedHelpers,
  helperFeature,
  mapTypeFeature,
  programTypeFeature,
} from '../../features/index.ts';
import { systemKernel, withoutCapabilities } from '../../sys/index.ts';
import type { Kernel } from '../../sys/index.ts';
import * as uapi from '../../uapi/index.ts';
import { machineFiles } from '../machine-files.ts';
import { readKernelSettings } from './settings.ts';
import type { KernelSettings } from './settings.ts';
import { namesOfRunningKernel, ownNames } from './type-names.ts';
import type { Names } from './type-names.ts';

/** Undefined where it could not be found out: see {@link KernelFeatures.unknown}. */
export type FeatureAnswer = boolean | undefined;

/** What a kernel has, found by trying it. */
export interface KernelFeatures {
  /** Undefined where a device was asked about. */
  readonly settings: KernelSettings | undefined;
  readonly bpfSyscall: boolean;
  readonly programTypes: ReadonlyMap<string, FeatureAnswer>;
  readonly mapTypes: ReadonlyMap<string, FeatureAnswer>;
  /** By type of program; none where the type is not there or its helpers depend on what a program attaches to. */
  readonly helpers: ReadonlyMap<string, readonly string[]>;
  readonly miscellaneous: ReadonlyMap<MiscellaneousFeature, FeatureAnswer>;
  /** The features of {@link Feature} by their keys there; empty where a device was asked about. */
  readonly named: ReadonlyMap<string, FeatureAnswer>;
  /** What could not be found out, and why. */
  readonly unknown: readonly UnknownFeature[];
}

/** What trying did not tell. */
export interface UnknownFeature {
  readonly kind: 'program type' | 'map type' | 'helpers' | 'feature';
  /** Of the program type, the map type, the program type whose helpers these are, or the feature. */
  readonly name: string;
  /** A sentence without a full stop. */
  readonly reason: string;
}

const miscellaneous = {
  large_insn_limit: Feature.LargePrograms,
  bounded_loops: Feature.BoundedLoops,
  v2_isa_extension: Feature.InstructionSet2,
  v3_isa_extension: Feature.InstructionSet3,
  v4_isa_extension: Feature.InstructionSet4,
} as const;

/** By the names that bpftool gives them. */
export type MiscellaneousFeature = keyof typeof miscellaneous;

/** What {@link surveyFeatures} asks, and as whom. */
export interface SurveyOptions {
  /** The index of a network device to offload to, instead of the kernel. */
  readonly device?: number | undefined;
  /** Ask as a process without any capability. @default false */
  readonly unprivileged?: boolean | undefined;
  /** Also ask for the helpers that make the kernel write into its log. @default false */
  readonly full?: boolean | undefined;
  /** @default the running kernel */
  readonly kernel?: Kernel | undefined;
}

/**
 * Asks a kernel for everything that can be asked for: some thousands of system calls, half a second.
 *
 * Throws {@link PermissionError} where the process may not ask, unless `unprivileged` wants to know just that.
 */
export function surveyFeatures(options: SurveyOptions = {}): KernelFeatures {
  const { unprivileged = false } = options;
  // Names come first: without capabilities the kernel's types may be out of reach.
  const names = options.kernel === undefined ? namesOfRunningKernel() : ownNames();
  const survey = new Survey(options);
  const run = (): KernelFeatures => survey.run(names);
  return unprivileged ? withoutCapabilities(run) : run();
}

/** Names of types that are offloaded to network cards, and no others. */
const offloaded: ReadonlySet<string> = new Set(['sched_cls', 'xdp', 'hash', 'array']);

/** bpf_get_trace_printk_proto() and bpf_get_probe_write_proto() in kernel/trace/bpf_trace.c print a warning. */
const noisy: ReadonlySet<number> = new Set([
  uapi.BPF_FUNC_trace_printk,
  uapi.BPF_FUNC_trace_vprintk,
  uapi.BPF_FUNC_probe_write_user,
]);

class Survey {
  readonly #kernel: Kernel;
  readonly #device: number | undefined;
  readonly #unprivileged: boolean;
  readonly #full: boolean;
  readonly #unknown: UnknownFeature[] = [];

  constructor(options: SurveyOptions) {
    this.#kernel = options.kernel ?? systemKernel();
    this.#device = options.device;
    this.#unprivileged = options.unprivileged ?? false;
    this.#full = options.full ?? false;
  }

  run(names: { programTypes: Names; mapTypes: Names; helpers: Names }): KernelFeatures {
    const ofKernel = this.#device === undefined;
    const bpfSyscall = Feature.BpfSyscall.probe(this.#kernel);
    // What every process with CAP_BPF may do; where this may not, nothing else could be found out either.
    if (!this.#unprivileged) Feature.ProgramNames.probe(this.#kernel);
    const programTypes = this.#types('program type', names.programTypes);
    return {
      settings: ofKernel ? readKernelSettings(machineFiles) : undefined,
      bpfSyscall,
      programTypes,
      mapTypes: this.#types('map type', names.mapTypes),
      helpers: new Map(
        this.#asked(names.programTypes).map((type) => [
          type[0],
          programTypes.get(type[0]) === true ? this.#helpers(type, names.helpers) : [],
        ]),
      ),
      miscellaneous: this.#miscellaneous(),
      named: ofKernel ? this.#named() : new Map(),
      unknown: this.#unknown,
    };
  }

  #types(kind: 'program type' | 'map type', names: Names): ReadonlyMap<string, FeatureAnswer> {
    const device = this.#device;
    const make = kind === 'program type' ? programTypeFeature : mapTypeFeature;
    return new Map(
      this.#asked(names).map(([name, type]) => {
        const feature = make(`${kind} ${name}`, { type, device });
        const answer = this.#ask({ kind, name }, () => feature.probe(this.#kernel));
        if (answer !== false || feature.minKernel !== '') return [name, answer];
        const reason = 'the kernel knows more types than ts-xdp, which does not know what this one needs';
        this.#unknown.push({ kind, name, reason });
        return [name, undefined];
      }),
    );
  }

  #helpers([typeName, programType]: readonly [string, number], helpers: Names): string[] {
    const device = this.#device;
    if (!hasFixedHelpers(programType)) {
      const reason = 'they depend on what the program attaches to';
      this.#unknown.push({ kind: 'helpers', name: typeName, reason });
      return [];
    }
    const available: string[] = [];
    for (const [name, helper] of helpers) {
      if (noisy.has(helper) && !this.#full) continue;
      const { probe } = helperFeature(name, { helper, programType, device, minKernel: '' });
      const answer = this.#ask({ kind: 'helpers', name: typeName }, () => probe(this.#kernel));
      if (answer === true) available.push(name);
    }
    return available;
  }

  #miscellaneous(): Map<MiscellaneousFeature, FeatureAnswer> {
    const device = this.#device;
    return new Map(
      Object.entries(miscellaneous).map(([key, feature]) => [
        key as MiscellaneousFeature,
        this.#ask({ kind: 'feature', name: feature.name }, () =>
          device === undefined ? feature.probe(this.#kernel) : feature.probeOnDevice(this.#kernel, device),
        ),
      ]),
    );
  }

  #named(): Map<string, FeatureAnswer> {
    return new Map(
      Object.entries(Feature).map(([key, feature]) => [
        key,
        this.#ask({ kind: 'feature', name: feature.name }, () => feature.probe(this.#kernel)),
      ]),
    );
  }

  #asked(names: Names): Names {
    return this.#device === undefined ? names : names.filter(([name]) => offloaded.has(name));
  }

  /** A process without capabilities does not have what it may not use; any other cannot tell. */
  #ask(subject: Pick<UnknownFeature, 'kind' | 'name'>, probe: () => boolean): FeatureAnswer {
    try {
      return probe();
    } catch (error) {
      if (!(error instanceof PermissionError || error instanceof SyscallError)) throw error;
      if (this.#unprivileged && error instanceof PermissionError) return false;
      const known = this.#unknown.some(({ kind, name }) => kind === subject.kind && name === subject.name);
      if (!known) this.#unknown.push({ ...subject, reason: `it may not be tried here: ${error.errnoName}` });
      return undefined;
    }
  }
}
