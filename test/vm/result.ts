/** The lines of `results.jsonl`, by which a guest tells what came out. */

export interface FeatureResult {
  readonly kind: 'feature';
  readonly name: string;
  readonly minKernel: string;
  readonly supported: boolean;
}

export interface TestResult {
  readonly kind: 'test';
  /** `test/kernel/load-events`. */
  readonly file: string;
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped. */
  readonly reason?: string;
}

export interface DoctorResult {
  readonly kind: 'doctor';
  readonly exitCode: number;
  /** Whether the main job can be done. */
  readonly able: boolean;
  /** What it finds fault with, by name. */
  readonly faults: readonly { readonly name: string; readonly status: string }[];
}

export type GuestResult = FeatureResult | TestResult | DoctorResult;
