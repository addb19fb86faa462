/** What is captured on an interface: nothing, what is addressed to this host, or everything. */
export type InterfaceModeName = 'disabled' | 'host_based' | 'gateway';

export interface InterfaceConfiguration {
  readonly name: string;
  readonly mode: InterfaceModeName;
  /** Whether it faces the internet; events carry it. */
  readonly isWan: boolean;
  readonly description: string;
}

/**
 * Which ports are captured. A packet matches a list when either of its ports is in it; included ports win over excluded
 * ones, and the default decides about the rest. `drop` means "do not capture": no packet is ever dropped.
 */
export interface FilterConfiguration {
  readonly excludedPorts: readonly number[];
  readonly includedPorts: readonly number[];
  readonly defaultAction: 'capture' | 'drop';
}

export interface SnifferConfiguration {
  readonly interfaces: readonly InterfaceConfiguration[];
  /** Absent: everything is captured. */
  readonly filter: FilterConfiguration | undefined;
  /** Paths of settings in the file that belong to other parts of the original's pipeline and have no effect here. */
  readonly withoutEffect: readonly string[];
}

/** Entries that the maps of the kernel program hold. */
export const configurationLimits = { interfaces: 16, ports: 1024 } as const;
