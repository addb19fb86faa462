import type { XdpMode } from '../../link/index.ts';

/** What `ts-xdp monitor` was asked for. */
export interface MonitorCommandOptions {
  readonly iface: readonly string[];
  readonly mode?: readonly XdpMode[];
  readonly netns?: string;
  readonly verbose?: boolean;
  /** Milliseconds between statistics. @default 10_000 */
  readonly stats?: number;
  readonly count?: number;
  /** Milliseconds. */
  readonly duration?: number;
}
