import { PermissionError } from '../errors.ts';
import { Feature, isSupported } from '../features/index.ts';
import type { Kernel } from '../sys/index.ts';
import type { Check } from './check.ts';
import type { MachineFiles } from './machine-files.ts';

/** A feature, and what goes without it. */
interface Use {
  readonly feature: Feature;
  /** Undefined where the main job goes without it. */
  readonly without?: string;
}

const uses: readonly Use[] = [
  { feature: Feature.BpfSyscall },
  { feature: Feature.XdpProgram },
  { feature: Feature.RingBuffer },
  { feature: Feature.RingBufferReserve },
  { feature: Feature.GlobalData },
  { feature: Feature.MmapableArray },
  { feature: Feature.MapNames },
  { feature: Feature.ProgramNames },
  { feature: Feature.Btf },
  { feature: Feature.BtfFunctions },
  { feature: Feature.BtfGlobalFunctions },
  { feature: Feature.BtfDataSections },
  {
    feature: Feature.BtfFloat,
    without: 'The BTF of objects with floating-point types is loaded with others in their place.',
  },
  {
    feature: Feature.BtfDeclTag,
    without: 'The BTF of objects with declaration tags is loaded with others in their place.',
  },
  {
    feature: Feature.BtfTypeTag,
    without: 'The BTF of objects with type tags is loaded with others in their place.',
  },
  {
    feature: Feature.BtfEnum64,
    without: 'The BTF of objects with 64-bit enums is loaded with others in their place.',
  },
  {
    feature: Feature.XdpLink,
    without: 'Programs are attached by netlink, and stay attached when the process is killed.',
  },
  { feature: Feature.XdpFrags, without: 'Native XDP is refused on interfaces with large frames.' },
  { feature: Feature.XdpLoadBytes, without: 'The sniffer copies payloads word by word.' },
  { feature: Feature.DeviceBoundXdp, without: 'XDP programs cannot read metadata of the hardware.' },
  { feature: Feature.BatchOperations, without: 'Batches of map entries are refused.' },
];

/** How the features that the main job needs came out. */
export interface FeatureFindings {
  readonly checks: readonly Check[];
  /** Needed, and the kernel does not have them. */
  readonly unsupported: readonly Feature[];
  /** Needed, and the process may not even try them. */
  readonly refusal: PermissionError | undefined;
}

/** Tries every feature on the kernel. */
export function checkFeatures(kernel: Kernel): FeatureFindings {
  const checks: Check[] = [];
  const unsupported: Feature[] = [];
  let refusal: PermissionError | undefined;
  for (const use of uses) {
    const { feature, without } = use;
    const answer = ask(feature, kernel);
    if (answer === false && without === undefined) unsupported.push(feature);
    // What may not be tried is said once, where it first matters; the rest follows from it.
    const first = refusal === undefined && without === undefined;
    if (answer instanceof PermissionError && first) refusal = answer;
    checks.push(describe(use, { answer, first }));
  }
  return { checks, unsupported, refusal };
}

type Answer = boolean | PermissionError;

function ask(feature: Feature, kernel: Kernel): Answer {
  try {
    return isSupported(feature, { kernel });
  } catch (error) {
    if (error instanceof PermissionError) return error;
    throw error;
  }
}

function describe({ feature, without }: Use, found: { answer: Answer; first: boolean }): Check {
  const { answer, first } = found;
  const { name, minKernel } = feature;
  const check = { name, group: 'features' };
  if (answer === true) return { ...check, status: 'ok', value: true, text: `supported (since ${minKernel})` };
  if (answer instanceof PermissionError) {
    const text = 'not permitted to find out';
    if (!first) return { ...check, status: 'info', value: null, text };
    return { ...check, status: 'missing', value: null, text, advice: answer.hint };
  }
  return {
    ...check,
    status: without === undefined ? 'missing' : 'warning',
    value: false,
    text: 'not supported',
    advice: `${without ?? 'The main job needs it.'} It is there since Linux ${minKernel}.`,
  };
}

/** Below this a ring buffer and a few maps do not fit. */
const ampleMemoryLock = 64 * 1024 * 1024;

/** Whether RLIMIT_MEMLOCK stands in the way of maps. */
export function checkMemoryLock(kernel: Kernel, files: MachineFiles): Check {
  const feature = Feature.MemoryCgroupAccounting;
  const { minKernel } = feature;
  const check = { name: 'locked memory', group: 'memory' };
  const limit = /^Max locked memory\s+(\S+)/m.exec(files.read('/proc/self/limits') ?? '')?.[1];
  const text = `the limit is ${limit ?? 'unknown'}${limit === 'unlimited' ? '' : ' bytes'}`;
  const value = limit === undefined ? null : limit === 'unlimited' ? limit : Number(limit);
  const answer = ask(feature, kernel);
  if (answer === true) {
    return {
      ...check,
      status: 'ok',
      value,
      text: `counted by cgroup (since ${minKernel}), ${text} and does not matter`,
    };
  }
  if (answer === false && typeof value === 'number' && value < ampleMemoryLock) {
    return {
      ...check,
      status: 'warning',
      value,
      text,
      advice: `Kernels before ${minKernel} count maps against it: raise it with ulimit -l unlimited, or give the process CAP_SYS_RESOURCE.`,
    };
  }
  return { ...check, status: answer === false ? 'ok' : 'info', value, text };
}
