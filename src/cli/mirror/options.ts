import type { MirrorVia } from '../../mirror/index.ts';

/** What `ts-xdp mirror` was asked for. */
export interface MirrorCommandOptions {
  readonly iface: readonly string[];
  readonly remote: readonly string[];
  readonly device: readonly string[];
  readonly vni?: number;
  readonly port?: number;
  readonly direction?: 'ingress' | 'egress' | 'both';
  readonly only: readonly string[];
  readonly netns?: string;
  readonly via?: MirrorVia;
  readonly pin?: string;
  /** Milliseconds between statistics. @default 10_000 */
  readonly stats?: number;
  /** Milliseconds. */
  readonly duration?: number;
}

export const STATISTICS_INTERVAL = 10_000;
