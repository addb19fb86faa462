import { UnsupportedFeatureError } from '../errors.ts';
import { systemKernel } from '../sys/index.ts';
import type { Kernel } from '../sys/index.ts';

/** Something that not every kernel has, and how to find out. */
export interface Feature {
  /** To follow "this kernel has no": `ring buffer maps`. */
  readonly name: string;
  /** The first version of Linux that has it, `5.8`; for people, never compared with the running one. */
  readonly minKernel: string;
  /**
   * Tries it on the kernel and leaves nothing behind. Throws {@link PermissionError} or {@link SyscallError} where
   * the outcome says nothing about the feature.
   */
  readonly probe: (kernel: Kernel) => boolean;
}

/** Which kernel is asked. */
export interface ProbeOptions {
  /** @default the running kernel */
  readonly kernel?: Kernel | undefined;
}

/** What was found out for sure. A kernel does not change while it runs. */
const conclusions = new WeakMap<Kernel, Map<Feature, boolean>>();

/**
 * Whether the kernel has a feature, found by trying it once. The release string is not looked at: distributions port
 * features back and configurations leave them out.
 *
 * Throws {@link PermissionError} where the process may not try, and asks again next time.
 */
export function isSupported(feature: Feature, { kernel = systemKernel() }: ProbeOptions = {}): boolean {
  let known = conclusions.get(kernel);
  if (known === undefined) {
    known = new Map();
    conclusions.set(kernel, known);
  }
  let supported = known.get(feature);
  if (supported === undefined) {
    supported = feature.probe(kernel);
    known.set(feature, supported);
  }
  return supported;
}

export interface RequireOptions extends ProbeOptions {
  /** What needs it, to follow "Cannot": `create map events`. */
  readonly doing: string;
  /** What to do without it. */
  readonly hint?: string | undefined;
}

/** Throws {@link UnsupportedFeatureError} where the kernel lacks a feature. */
export function requireFeature(feature: Feature, { doing, hint, kernel }: RequireOptions): void {
  if (!isSupported(feature, { kernel })) throw unsupportedFeature(feature, { doing, hint });
}

/** What a kernel lacks: a {@link Feature}, or what shows without a probe. */
export interface MissingFeature {
  /** To follow "this kernel has no". */
  readonly name: string;
  /** Undefined where nobody knows. */
  readonly minKernel: string | undefined;
}

/** The error for what this kernel is known to lack. */
export function unsupportedFeature(
  { name, minKernel }: MissingFeature,
  context: { readonly doing: string; readonly hint?: string | undefined; readonly cause?: unknown },
): UnsupportedFeatureError {
  const { doing, ...rest } = context;
  const since = minKernel === undefined ? '' : ` (since Linux ${minKernel})`;
  const message = `Cannot ${doing}: this kernel has no ${name}${since}`;
  return new UnsupportedFeatureError(name, minKernel ?? '', message, rest);
}
