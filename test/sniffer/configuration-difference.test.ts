import t from 'tap';
import { configurationLimits, diffConfiguration } from '../../src/sniffer/index.ts';
import type {
  ConfigurationStep,
  FilterConfiguration,
  FilterSettings,
  InterfaceConfiguration,
  InterfaceModeName,
  SnifferConfiguration,
} from '../../src/sniffer/index.ts';

const configuration = (
  interfaces: readonly (readonly [name: string, mode: InterfaceModeName])[],
  filter?: Partial<FilterConfiguration>,
): SnifferConfiguration => ({
  interfaces: interfaces.map(([name, mode]) => ({ name, mode, isWan: false, description: '' })),
  filter: filter && { excludedPorts: [], includedPorts: [], defaultAction: 'capture', ...filter },
  withoutEffect: [],
});

t.test('the steps of some changes', (t) => {
  const before = configuration([['eth0', 'gateway']], {
    excludedPorts: [22, 80],
    includedPorts: [443, 8443],
  });
  t.strictSame(diffConfiguration(before, before), []);
  t.strictSame(
    diffConfiguration(undefined, before),
    [
      { map: 'iface_configs', set: before.interfaces, delete: [] },
      { map: 'included_ports', set: [443, 8443], delete: [] },
      { map: 'filter_settings', set: [{ configured: true, defaultAction: 'capture' }], delete: [] },
      { map: 'excluded_ports', set: [22, 80], delete: [] },
    ],
    'from empty maps',
  );
  const after = configuration(
    [
      ['eth1', 'host_based'],
      ['eth0', 'host_based'],
    ],
    {
      excludedPorts: [80, 23],
      includedPorts: [443, 53],
      defaultAction: 'drop',
    },
  );
  t.strictSame(
    diffConfiguration(before, after),
    [
      { map: 'iface_configs', set: [after.interfaces[0]], delete: [] },
      { map: 'included_ports', set: [53], delete: [] },
      { map: 'excluded_ports', set: [], delete: [22] },
      { map: 'filter_settings', set: [{ configured: true, defaultAction: 'drop' }], delete: [] },
      { map: 'excluded_ports', set: [23], delete: [] },
      { map: 'included_ports', set: [], delete: [8443] },
      { map: 'iface_configs', set: [after.interfaces[1]], delete: [] },
    ],
    'what captures more comes before what captures less',
  );
  t.strictSame(
    diffConfiguration(after, configuration([['eth0', 'host_based']])),
    [
      { map: 'iface_configs', set: [], delete: ['eth1'] },
      { map: 'excluded_ports', set: [], delete: [80, 23] },
      { map: 'filter_settings', set: [{ configured: false, defaultAction: 'capture' }], delete: [] },
      { map: 'included_ports', set: [], delete: [443, 53] },
    ],
    'to no filter',
  );
  const renamed: SnifferConfiguration = {
    ...before,
    interfaces: before.interfaces.map((entry) => ({ ...entry, description: 'new' })),
  };
  t.strictSame(diffConfiguration(before, renamed), [], 'a description is in no map');
  const wan: SnifferConfiguration = {
    ...before,
    interfaces: before.interfaces.map((entry) => ({ ...entry, isWan: true })),
  };
  t.strictSame(diffConfiguration(before, wan), [{ map: 'iface_configs', set: wan.interfaces, delete: [] }]);
  t.end();
});

/** The maps of the kernel program and its decision, as bpf/include/sniffer/filter.h takes it. */
class FakeMaps {
  readonly interfaces = new Map<string, InterfaceConfiguration>();
  readonly excluded = new Set<number>();
  readonly included = new Set<number>();
  settings: FilterSettings = { configured: false, defaultAction: 'drop' };

  /** Applies a step one map operation at a time. */
  *apply(step: ConfigurationStep): Generator<1> {
    for (const entry of step.set) {
      if (step.map === 'filter_settings') this.settings = entry as FilterSettings;
      else if (step.map === 'iface_configs')
        this.interfaces.set((entry as InterfaceConfiguration).name, entry as never);
      else this.#ports(step.map).add(entry as number);
      yield 1;
    }
    for (const key of step.delete) {
      if (step.map === 'iface_configs') this.interfaces.delete(key as string);
      else if (step.map !== 'filter_settings') this.#ports(step.map).delete(key as number);
      yield 1;
    }
  }

  captures(packet: Packet): boolean {
    const mode = this.interfaces.get(packet.interface)?.mode ?? 'disabled';
    if (mode === 'disabled' || (mode === 'host_based' && !packet.isLocal)) return false;
    if (packet.ports.some((port) => this.included.has(port))) return true;
    if (packet.ports.some((port) => this.excluded.has(port))) return false;
    return !this.settings.configured || this.settings.defaultAction === 'capture';
  }

  get overflows(): boolean {
    const { interfaces, ports } = configurationLimits;
    return this.interfaces.size > interfaces || this.included.size > ports || this.excluded.size > ports;
  }

  #ports(map: 'excluded_ports' | 'included_ports'): Set<number> {
    return map === 'excluded_ports' ? this.excluded : this.included;
  }
}

interface Packet {
  readonly interface: string;
  readonly isLocal: boolean;
  readonly ports: readonly number[];
}

function filled(from: SnifferConfiguration | undefined): FakeMaps {
  const maps = new FakeMaps();
  from?.interfaces.forEach((entry) => maps.interfaces.set(entry.name, entry));
  from?.filter?.excludedPorts.forEach((port) => maps.excluded.add(port));
  from?.filter?.includedPorts.forEach((port) => maps.included.add(port));
  if (from?.filter) maps.settings = { configured: true, defaultAction: from.filter.defaultAction };
  return maps;
}

/** Goes from one to the other; returns the operations done, or what went wrong on the way. */
function walk(
  from: SnifferConfiguration | undefined,
  to: SnifferConfiguration,
  packets: readonly Packet[],
): number | string {
  const maps = filled(from);
  const goal = filled(to);
  const wanted = packets.filter((packet) => maps.captures(packet) && goal.captures(packet));
  let operations = 0;
  for (const step of diffConfiguration(from, to)) {
    for (const count of maps.apply(step)) {
      operations += count;
      if (maps.overflows) return `a map overflows after ${String(operations)} operations`;
      const lost = wanted.find((packet) => !maps.captures(packet));
      if (lost) return `${JSON.stringify(lost)} is lost after ${String(operations)} operations`;
    }
  }
  const wrong = packets.find((packet) => maps.captures(packet) !== goal.captures(packet));
  return wrong ? `${JSON.stringify(wrong)} is decided wrongly at the end` : operations;
}

/** Marsaglia's xorshift with 32 bits. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

t.test('no packet that both configurations capture is missed between two map operations', (t) => {
  const random = generator(20261120);
  const names = ['eth0', 'eth1', 'eth2'];
  const packets: Packet[] = [];
  for (const name of names) {
    for (const isLocal of [false, true]) {
      packets.push({ interface: name, isLocal, ports: [] });
      for (let a = 0; a < 4; a++)
        for (let b = a; b < 4; b++) packets.push({ interface: name, isLocal, ports: [a, b] });
    }
  }
  const randomConfiguration = (): SnifferConfiguration => {
    const some = (): number[] => [0, 1, 2, 3].filter(() => random(2) === 0);
    const modes = ['disabled', 'host_based', 'gateway'] as const;
    return configuration(
      names.filter(() => random(4) > 0).map((name) => [name, modes[random(3)] ?? 'disabled'] as const),
      random(5) === 0
        ? undefined
        : {
            excludedPorts: some(),
            includedPorts: some(),
            defaultAction: random(2) === 0 ? 'capture' : 'drop',
          },
    );
  };
  let operations = 0;
  for (let round = 0; round < 2000; round++) {
    const from = round % 10 === 0 ? undefined : randomConfiguration();
    const to = randomConfiguration();
    const result = walk(from, to, packets);
    if (typeof result === 'string') t.fail(result, { from, to });
    else operations += result;
  }
  t.ok(operations > 10_000, `${String(operations)} states were looked at`);
  t.end();
});

t.test('full maps are replaced without overflowing and without a gap', (t) => {
  const ports = (start: number, count: number): number[] =>
    Array.from({ length: count }, (_, index) => start + index);
  const links = (prefix: string): [string, InterfaceModeName][] => [
    ['eth0', 'gateway'],
    ...ports(0, 15).map((index): [string, InterfaceModeName] => [`${prefix}${String(index)}`, 'gateway']),
  ];
  const from = configuration(links('old'), {
    includedPorts: ports(0, 1024),
    excludedPorts: ports(3000, 1024),
    defaultAction: 'drop',
  });
  const to = configuration(links('new'), {
    includedPorts: ports(1000, 1024),
    excludedPorts: ports(0, 1000),
    defaultAction: 'drop',
  });
  // 5 is only in the old list, 1500 only in the new one: together they are captured by both, each time for another reason.
  const packets = [
    [5, 1500],
    [1010, 9000],
    [5, 3500],
    [1500, 3500],
    [2, 1023],
  ].map((pair) => ({
    interface: 'eth0',
    isLocal: false,
    ports: pair,
  }));
  t.equal(walk(from, to, packets), 15 + 15 + 1024 + 1 + 1000 + 1000 + 1000 + 1);
  t.end();
});
