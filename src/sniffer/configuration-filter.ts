import type { FilterConfiguration } from './configuration.ts';
import { configurationLimits } from './configuration.ts';
import type { JsonObject } from '../json/index.ts';

/** Reads `{ "mode", "excluded_ports", "included_ports", "default_action" }`, which both forms of the file have. */
export function readFilter(filter: JsonObject): FilterConfiguration {
  filter.allowOnly(['mode', 'excluded_ports', 'included_ports', 'default_action', 'version']);
  filter.optionalString('version');
  const mode = filter.has('mode')
    ? filter.choice('mode', { hybrid: 'hybrid', blacklist: 'blacklist', whitelist: 'whitelist' })
    : 'hybrid';
  const includedPorts = readPorts(filter, 'included_ports');
  if (mode === 'whitelist' && includedPorts.length === 0) {
    throw filter.error(
      'included_ports',
      'names no port, and the mode is whitelist: nothing would be captured',
    );
  }
  return {
    excludedPorts: readPorts(filter, 'excluded_ports'),
    includedPorts,
    // A whitelist that captures the rest as well would be none.
    defaultAction: filter.has('default_action')
      ? filter.choice('default_action', { capture: 'capture', drop: 'drop' })
      : mode === 'whitelist'
        ? 'drop'
        : 'capture',
  };
}

function readPorts(filter: JsonObject, name: string): number[] {
  const ports = filter.integers(name, 0xffff);
  filter.checkCount(name, ports.length, configurationLimits.ports);
  return ports;
}
