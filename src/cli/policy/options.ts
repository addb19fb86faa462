import type { XdpMode } from '../../link/index.ts';
import type { PolicyAction, PolicySettings } from '../../policy/index.ts';

/** What `ts-xdp policy load` was asked for. */
export interface PolicyLoadOptions {
  readonly iface: readonly string[];
  readonly rules?: string;
  /** @default what the file of rules says, otherwise `deny` */
  readonly default?: PolicyAction;
  /** @default what the file of rules says, otherwise `default` */
  readonly ipv6?: PolicySettings['ipv6'];
  readonly dryRun?: boolean;
  readonly pin?: string;
  readonly detach?: boolean;
  readonly mode?: readonly XdpMode[];
  readonly netns?: string;
  /** Events of denials on each CPU. @default 1000 */
  readonly logRate?: number;
  /** Milliseconds between statistics. @default none in between */
  readonly stats?: number;
  readonly count?: number;
  /** Milliseconds. */
  readonly duration?: number;
}

/** The rule that `add` and `remove` are about, as the command line says it. */
export interface RuleOptions {
  readonly source?: string;
  readonly destination?: string;
  readonly port?: string;
  readonly protocol?: string;
  readonly pin?: string;
  readonly action?: PolicyAction;
}

export interface SettingOptions {
  readonly pin?: string;
  readonly default?: PolicyAction;
  readonly ipv6?: PolicySettings['ipv6'];
  readonly dryRun?: 'on' | 'off';
  readonly logRate?: number;
}

/** Where a firewall is pinned when nobody says where. */
export const DEFAULT_PIN = '/sys/fs/bpf/policy';
