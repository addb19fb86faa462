import type { Collection } from '../loader/index.ts';
import { requireValue, type BpfMap } from '../maps/index.ts';
import type { InterfaceModeName } from './configuration.ts';
import type { ConfigurationStep, FilterSettings } from './configuration-difference.ts';
import { InterfaceMode } from './captured-event.ts';

const MODE_NUMBERS: Record<InterfaceModeName, number> = {
  disabled: InterfaceMode.Disabled,
  host_based: InterfaceMode.HostBased,
  gateway: InterfaceMode.Gateway,
};

/** An interface as the kernel program is told of it. */
export interface WatchedInterface {
  readonly index: number;
  readonly name: string;
  readonly mode: InterfaceModeName;
  readonly isWan: boolean;
}

/**
 * The maps of a sniffer object in the kernel, by which user space says what to capture. Objects that have
 * `iface_configs` are sniffers; the names and addresses are an addition to the original, and optional.
 */
export class SnifferMaps {
  readonly #interfaces: BpfMap;
  readonly #names: BpfMap | undefined;
  readonly #addresses: BpfMap | undefined;
  readonly #collection: Collection;

  private constructor(collection: Collection, interfaces: BpfMap) {
    this.#collection = collection;
    this.#interfaces = interfaces;
    this.#names = collection.maps.get('iface_names');
    this.#addresses = collection.maps.get('local_addresses');
  }

  /** Undefined for a collection that is no sniffer. */
  static of(collection: Collection): SnifferMaps | undefined {
    const interfaces = collection.maps.get('iface_configs');
    return interfaces && new SnifferMaps(collection, interfaces);
  }

  /** Starts, changes or (mode `disabled`) stops capturing on an interface. */
  setInterface({ index, name, mode, isWan }: WatchedInterface): void {
    // The name first: the first event already carries it.
    this.setName(index, name);
    this.#interfaces.set(index, { ifindex: index, mode: MODE_NUMBERS[mode], is_wan: isWan ? 1 : 0 });
  }

  /** The name that events carry; interfaces can be renamed while they are watched. */
  setName(index: number, name: string): void {
    this.#names?.set(index, { name: name.slice(0, 15) });
  }

  removeInterface(index: number): void {
    this.#interfaces.delete(index);
    this.#names?.delete(index);
  }

  /** What mode `host_based` takes for this host: 4 or 16 bytes in network order. */
  addLocalAddress(address: Uint8Array): void {
    this.#addresses?.set(addressKey(address), 1);
  }

  removeLocalAddress(address: Uint8Array): void {
    this.#addresses?.delete(addressKey(address));
  }

  /** Applies one step from one configuration to another. Interfaces that do not exist now are passed over. */
  apply(step: ConfigurationStep, indexOf: (name: string) => number | undefined): void {
    if (step.map === 'iface_configs') this.#applyInterfaces(step, indexOf);
    else if (step.map === 'filter_settings') for (const settings of step.set) this.#setFilter(settings);
    else {
      const ports = this.#collection.map(step.map);
      for (const port of step.set) ports.set(port, 1);
      for (const port of step.delete) ports.delete(port);
    }
  }

  #applyInterfaces(
    step: Extract<ConfigurationStep, { map: 'iface_configs' }>,
    indexOf: (name: string) => number | undefined,
  ): void {
    for (const { name, mode, isWan } of step.set) {
      const index = indexOf(name);
      if (index !== undefined) this.setInterface({ index, name, mode, isWan });
    }
    for (const name of step.delete) {
      const index = indexOf(name);
      if (index !== undefined) this.removeInterface(index);
    }
  }

  #setFilter({ configured, defaultAction }: FilterSettings): void {
    const reserved = new Uint8Array(7);
    // An array's entry that nobody wrote reads as "drop": the mark says that somebody did.
    reserved[0] = configured ? 1 : 0;
    this.#collection
      .map('filter_settings')
      .set(0, { default_action: defaultAction === 'capture' ? 1 : 0, reserved });
  }
}

/** IPv4 addresses stand in the map as IPv4-mapped IPv6 ones. */
function addressKey(address: Uint8Array): { bytes: Uint8Array } {
  if (address.length === 16) return { bytes: address };
  const bytes = new Uint8Array(16);
  bytes.set([0xff, 0xff], 10);
  bytes.set(address, 12);
  return { bytes };
}

/** What a counting map says in all, by field: the sum over CPUs for a per-CPU map. */
export function sumCounters(map: BpfMap): Record<string, bigint> {
  const value = requireValue(map, 0);
  const sum: Record<string, bigint> = {};
  for (const one of Array.isArray(value) ? value : [value]) {
    for (const [field, count] of Object.entries(one as Record<string, unknown>)) {
      if (typeof count === 'bigint' || typeof count === 'number')
        sum[field] = (sum[field] ?? 0n) + BigInt(count);
    }
  }
  return sum;
}
