import type { FilterConfiguration, InterfaceConfiguration, SnifferConfiguration } from './configuration.ts';
import { configurationLimits } from './configuration.ts';

/** What goes into the array `filter_settings`. Not `configured` is the map's initial state, which captures. */
export interface FilterSettings {
  readonly configured: boolean;
  readonly defaultAction: 'capture' | 'drop';
}

/** One change of one map: `set` first, then `delete`. Interfaces go by name; their index is the map's key. */
export type ConfigurationStep =
  | {
      readonly map: 'excluded_ports' | 'included_ports';
      readonly set: readonly number[];
      readonly delete: readonly number[];
    }
  | {
      readonly map: 'filter_settings';
      readonly set: readonly FilterSettings[];
      readonly delete: readonly never[];
    }
  | {
      readonly map: 'iface_configs';
      readonly set: readonly InterfaceConfiguration[];
      readonly delete: readonly string[];
    };

/**
 * The map operations that lead from one configuration to another while the programs run, in the order to apply them.
 *
 * A lookup of the program may fall between any two of them, so the order is: first what makes it capture more, then what
 * makes it capture less. Between any two operations the maps capture at least what both configurations capture; for that
 * time they may capture more. No map ever holds more entries than it has room for. (A packet whose three lookups, some
 * 100 ns, are spread over two operations is decided by a mix of both states.)
 *
 * @param from What the maps hold; `undefined` where they are empty.
 */
export function diffConfiguration(
  from: SnifferConfiguration | undefined,
  to: SnifferConfiguration,
): ConfigurationStep[] {
  const interfaces = diffInterfaces(from?.interfaces ?? [], to.interfaces);
  const filter = diffFilter(from?.filter, to.filter);
  return [...interfaces.removed, ...interfaces.wider, ...filter, ...interfaces.narrower].filter(
    (step) => step.set.length + step.delete.length > 0,
  );
}

interface InterfaceSteps {
  readonly removed: ConfigurationStep[];
  readonly wider: ConfigurationStep[];
  readonly narrower: ConfigurationStep[];
}

const breadth = { disabled: 0, host_based: 1, gateway: 2 } as const;

/**
 * An interface that goes may go first: the other configuration captures nothing on it, and the map has 16 entries, too
 * few for both sets at a time.
 */
function diffInterfaces(
  from: readonly InterfaceConfiguration[],
  to: readonly InterfaceConfiguration[],
): InterfaceSteps {
  const before = new Map(from.map((entry) => [entry.name, entry]));
  const names = new Set(to.map((entry) => entry.name));
  const changed = to.filter(({ name, mode, isWan }) => {
    const old = before.get(name);
    return old?.mode !== mode || old.isWan !== isWan;
  });
  const isNarrower = ({ name, mode }: InterfaceConfiguration): boolean =>
    breadth[mode] < breadth[before.get(name)?.mode ?? 'disabled'];
  const set = (entries: InterfaceConfiguration[]): ConfigurationStep[] => [
    { map: 'iface_configs', set: entries, delete: [] },
  ];
  const removed = from.map(({ name }) => name).filter((name) => !names.has(name));
  return {
    removed: [{ map: 'iface_configs', set: [], delete: removed }],
    wider: set(changed.filter((entry) => !isNarrower(entry))),
    narrower: set(changed.filter(isNarrower)),
  };
}

const captureAll: FilterConfiguration = { excludedPorts: [], includedPorts: [], defaultAction: 'capture' };

function diffFilter(
  fromFilter: FilterConfiguration | undefined,
  toFilter: FilterConfiguration | undefined,
): ConfigurationStep[] {
  const from = fromFilter ?? captureAll;
  const to = toFilter ?? captureAll;
  const included = {
    added: without(to.includedPorts, from.includedPorts),
    gone: without(from.includedPorts, to.includedPorts),
  };
  const settings: ConfigurationStep = {
    map: 'filter_settings',
    set: [{ configured: toFilter !== undefined, defaultAction: to.defaultAction }],
    delete: [],
  };
  const settingsChange =
    from.defaultAction !== to.defaultAction || (fromFilter === undefined) !== (toFilter === undefined);
  if (from.includedPorts.length + included.added.length > configurationLimits.ports) {
    return [
      // There is no room for the old and the new list at once, so everything is captured while one replaces the other.
      { map: 'excluded_ports', set: [], delete: from.excludedPorts },
      { map: 'filter_settings', set: [{ configured: true, defaultAction: 'capture' }], delete: [] },
      { map: 'included_ports', set: [], delete: included.gone },
      { map: 'included_ports', set: included.added, delete: [] },
      { map: 'excluded_ports', set: to.excludedPorts, delete: [] },
      settings,
    ];
  }
  return [
    { map: 'included_ports', set: included.added, delete: [] },
    { map: 'excluded_ports', set: [], delete: without(from.excludedPorts, to.excludedPorts) },
    // The last to widen or the first to narrow, whichever it does.
    ...(settingsChange ? [settings] : []),
    { map: 'excluded_ports', set: without(to.excludedPorts, from.excludedPorts), delete: [] },
    { map: 'included_ports', set: [], delete: included.gone },
  ];
}

function without(ports: readonly number[], others: readonly number[]): number[] {
  const taken = new Set(others);
  return ports.filter((port) => !taken.has(port));
}
