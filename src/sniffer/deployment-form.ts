import { readFilter } from './configuration-filter.ts';
import type {
  FilterConfiguration,
  InterfaceConfiguration,
  InterfaceModeName,
  SnifferConfiguration,
} from './configuration.ts';
import { readInterfaceName } from './interface-name.ts';
import type { JsonObject } from '../json/index.ts';

/** Which of the two interfaces a deployment watches. */
const deployments = {
  'host-only': ['host_interface'],
  'gateway-only': ['gateway_interface'],
  dual: ['host_interface', 'gateway_interface'],
  // The original replays captures into the host interface here; what it watches is the same as in host-only.
  validation: ['host_interface'],
} as const;

const slotModes = {
  host_interface: { host_based: 'host_based', 'host-based': 'host_based', disabled: 'disabled' },
  gateway_interface: { gateway: 'gateway', disabled: 'disabled' },
} as const;

/**
 * Names that the original's file has for other parts of its pipeline. They are listed, so that a file of its is read as it
 * is, a misspelt name is still an error, and what has no effect here can be said.
 */
const foreign = {
  root: words(
    'component version node_id cluster_name profiles profile interface buffers threading kernel_space user_space',
    'feature_groups sniffer_time_windows time_windows network zmq transport etcd etcd_crypto processing auto_tuner',
    'monitoring logging protobuf security backpressure ml_defender fast_detector identity plugins features performance',
    'build distributed crypto',
  ),
  deployment: words('network_settings performance detection hardware_requirements validation_mode'),
  interface: words('xdp_mode promiscuous capture_direction'),
  capture: words(
    'mode interface kernel_interface user_interface xdp_flags promiscuous_mode filter_expression buffer_size',
    'min_packet_size max_packet_size included_protocols af_xdp',
  ),
};

function words(...lines: string[]): string[] {
  return lines.join(' ').split(' ');
}

/** The original's `{ "deployment": { "mode", "host_interface", "gateway_interface" }, "capture": { "filter" } }`. */
export function readDeploymentForm(root: JsonObject): SnifferConfiguration {
  root.allowOnly(['deployment', 'capture', ...foreign.root]);
  const withoutEffect = among(root, foreign.root);
  const deployment = root.object('deployment');
  deployment.allowOnly(['mode', 'host_interface', 'gateway_interface', ...foreign.deployment]);
  withoutEffect.push(...among(deployment, foreign.deployment));
  const watched: readonly (keyof typeof slotModes)[] = deployment.choice('mode', deployments);
  const interfaces: InterfaceConfiguration[] = [];
  for (const slot of ['host_interface', 'gateway_interface'] as const) {
    if (!watched.includes(slot)) {
      if (deployment.has(slot)) withoutEffect.push(deployment.path(slot));
      continue;
    }
    const entry = deployment.object(slot);
    entry.allowOnly(['name', 'role', 'mode', 'description', ...foreign.interface]);
    withoutEffect.push(...among(entry, foreign.interface));
    interfaces.push({
      name: readInterfaceName(entry, interfaces),
      mode: entry.has('mode') ? entry.choice<InterfaceModeName>('mode', slotModes[slot]) : defaultMode[slot],
      isWan: entry.has('role') && entry.choice('role', { wan: true, lan: false }),
      description: entry.optionalString('description') ?? '',
    });
  }
  return { interfaces, filter: readCaptureFilter(root, withoutEffect), withoutEffect };
}

const defaultMode = { host_interface: 'host_based', gateway_interface: 'gateway' } as const;

function readCaptureFilter(root: JsonObject, withoutEffect: string[]): FilterConfiguration | undefined {
  if (!root.has('capture')) return undefined;
  const capture = root.object('capture');
  capture.allowOnly(['filter', ...foreign.capture]);
  withoutEffect.push(...among(capture, foreign.capture));
  return capture.has('filter') ? readFilter(capture.object('filter')) : undefined;
}

function among(object: JsonObject, names: readonly string[]): string[] {
  return object
    .names()
    .filter((name) => names.includes(name))
    .map((name) => object.path(name));
}
