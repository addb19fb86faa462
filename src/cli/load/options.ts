import type { ExistingMapReference } from '../../loader/index.ts';
import type { XdpMode, XdpVia } from '../../link/index.ts';

/** What `ts-xdp load` was asked for. */
export interface LoadCommandOptions {
  readonly iface: readonly string[];
  readonly cgroup?: string;
  readonly pid?: number;
  readonly target: readonly string[];
  readonly prog: readonly string[];
  readonly mode?: readonly XdpMode[];
  readonly via?: XdpVia;
  readonly replace?: boolean;
  readonly multi?: boolean;
  readonly priority?: number;
  readonly netns?: string;
  readonly event: readonly { name: string; value: string }[];
  readonly count?: number;
  /** Milliseconds. */
  readonly duration?: number;
  readonly detach?: boolean;
  readonly set: readonly { map: string; key: string; value: string }[];
  readonly var: readonly { name: string; value: string }[];
  readonly map: readonly { name: string; reference: ExistingMapReference }[];
  readonly pinRoot?: string;
  readonly pin?: string;
  readonly config?: string;
  readonly trace?: boolean;
  readonly protobuf?: string;
  readonly verbose?: boolean;
}
