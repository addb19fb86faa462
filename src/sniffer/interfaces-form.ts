import { readFilter } from './configuration-filter.ts';
import type { InterfaceConfiguration, InterfaceModeName, SnifferConfiguration } from './configuration.ts';
import { configurationLimits } from './configuration.ts';
import { readInterfaceName } from './interface-name.ts';
import type { JsonObject } from '../json/index.ts';

const modes = {
  host_based: 'host_based',
  'host-based': 'host_based',
  gateway: 'gateway',
  disabled: 'disabled',
} as const satisfies Record<string, InterfaceModeName>;

/** `{ "interfaces": [{ "name", "mode", "is_wan", "description" }], "filter": {…} }` */
export function readInterfacesForm(root: JsonObject): SnifferConfiguration {
  root.allowOnly(['interfaces', 'filter']);
  const entries = root.objects('interfaces');
  if (entries.length === 0) throw root.error('interfaces', 'is empty: no interface is named');
  root.checkCount('interfaces', entries.length, configurationLimits.interfaces);
  const interfaces: InterfaceConfiguration[] = [];
  for (const entry of entries) {
    entry.allowOnly(['name', 'mode', 'is_wan', 'description']);
    interfaces.push({
      name: readInterfaceName(entry, interfaces),
      mode: entry.choice('mode', modes),
      isWan: entry.optionalBoolean('is_wan') ?? false,
      description: entry.optionalString('description') ?? '',
    });
  }
  return {
    interfaces,
    filter: root.has('filter') ? readFilter(root.object('filter')) : undefined,
    withoutEffect: [],
  };
}
