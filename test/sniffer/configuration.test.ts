import t from 'tap';
import { ArgumentError } from '../../src/errors.ts';
import {
  configurationLimits,
  diffConfiguration,
  parseSnifferConfiguration,
} from '../../src/sniffer/index.ts';
import type {
  ConfigurationStep,
  FilterConfiguration,
  FilterSettings,
  InterfaceConfiguration,
  InterfaceModeName,
  SnifferConfiguration,
} from '../../src/sniffer/index.ts';

const parse = (value: unknown): SnifferConfiguration =>
  parseSnifferConfiguration(JSON.stringify(value), 'sniffer.json');

const eth0 = { name: 'eth0', mode: 'host_based', is_wan: true, description: 'towards the internet' };
const eth1 = { name: 'eth1', mode: 'gateway' };

/** The parts of the original's own file that this reader knows, with what surrounds them. */
const original = {
  _header: 'a comment',
  component: { name: 'cpp_evolutionary_sniffer', mode: 'kernel_user_hybrid' },
  deployment: {
    _comment: 'another',
    mode: 'dual',
    _mode_options: ['host-only', 'gateway-only', 'dual', 'validation'],
    host_interface: {
      name: 'eth1',
      role: 'wan',
      mode: 'host-based',
      description: 'WAN-facing',
      xdp_mode: 'native',
      promiscuous: true,
      capture_direction: 'ingress_only',
      _behavior: 'only packets for this host',
    },
    gateway_interface: { name: 'eth2', role: 'lan', mode: 'gateway', description: 'LAN-facing' },
    network_settings: { enable_ip_forwarding: true, mtu: 1500 },
  },
  node_id: 'cpp_sniffer_v33',
  capture: {
    mode: 'ebpf_skb',
    filter: {
      version: '1.0',
      mode: 'hybrid',
      excluded_ports: [22],
      included_ports: [],
      default_action: 'capture',
    },
    buffer_size: 65536,
  },
  zmq: { worker_threads: 1 },
};

t.test('the form with interfaces', (t) => {
  t.strictSame(
    parse({
      _comment: 'not read',
      interfaces: [
        eth0,
        eth1,
        { name: 'lo', mode: 'disabled', is_wan: false },
        { name: 'wlan0', mode: 'host-based' },
      ],
      filter: {
        mode: 'hybrid',
        excluded_ports: [22, 4444, 22],
        included_ports: [8000],
        default_action: 'drop',
      },
    }),
    {
      interfaces: [
        { name: 'eth0', mode: 'host_based', isWan: true, description: 'towards the internet' },
        { name: 'eth1', mode: 'gateway', isWan: false, description: '' },
        { name: 'lo', mode: 'disabled', isWan: false, description: '' },
        { name: 'wlan0', mode: 'host_based', isWan: false, description: '' },
      ],
      filter: { excludedPorts: [22, 4444], includedPorts: [8000], defaultAction: 'drop' },
      withoutEffect: [],
    },
  );
  t.equal(parse({ interfaces: [eth1] }).filter, undefined);
  t.end();
});

t.test('the default action follows from the mode of the filter where it is not given', (t) => {
  const filter = (value: object): FilterConfiguration | undefined =>
    parse({ interfaces: [eth1], filter: value }).filter;
  t.strictSame(filter({}), { excludedPorts: [], includedPorts: [], defaultAction: 'capture' });
  t.equal(filter({ mode: 'blacklist', excluded_ports: [22] })?.defaultAction, 'capture');
  t.equal(filter({ mode: 'whitelist', included_ports: [443] })?.defaultAction, 'drop');
  t.equal(
    filter({ mode: 'whitelist', included_ports: [443], default_action: 'capture' })?.defaultAction,
    'capture',
  );
  t.strictSame(filter({ excluded_ports: [0, 65535] })?.excludedPorts, [0, 65535]);
  t.end();
});

t.test("the original's form", (t) => {
  const host = { name: 'eth1', mode: 'host_based', isWan: true, description: 'WAN-facing' };
  const gateway = { name: 'eth2', mode: 'gateway', isWan: false, description: 'LAN-facing' };
  const common = {
    filter: { excludedPorts: [22], includedPorts: [], defaultAction: 'capture' },
  };
  const pipeline = ['component', 'node_id', 'zmq', 'deployment.network_settings'];
  const onHost = ['xdp_mode', 'promiscuous', 'capture_direction'].map(
    (name) => `deployment.host_interface.${name}`,
  );
  const capture = ['capture.mode', 'capture.buffer_size'];
  t.strictSame(parse(original), {
    interfaces: [host, gateway],
    ...common,
    withoutEffect: [...pipeline, ...onHost, ...capture],
  });
  for (const mode of ['host-only', 'validation']) {
    t.strictSame(
      parse({ ...original, deployment: { ...original.deployment, mode } }),
      {
        interfaces: [host],
        ...common,
        withoutEffect: [...pipeline, ...onHost, 'deployment.gateway_interface', ...capture],
      },
      mode,
    );
  }
  t.strictSame(
    parse({ ...original, deployment: { ...original.deployment, mode: 'gateway-only' } }),
    {
      interfaces: [gateway],
      ...common,
      withoutEffect: [...pipeline, 'deployment.host_interface', ...capture],
    },
    'gateway-only',
  );
  t.strictSame(
    parse({
      deployment: {
        mode: 'dual',
        host_interface: { name: 'a', mode: 'disabled' },
        gateway_interface: { name: 'b' },
      },
    }),
    {
      interfaces: [
        { name: 'a', mode: 'disabled', isWan: false, description: '' },
        { name: 'b', mode: 'gateway', isWan: false, description: '' },
      ],
      filter: undefined,
      withoutEffect: [],
    },
    'the least that is needed',
  );
  t.end();
});

t.test('the first wrong value is named by its path', (t) => {
  const deployment = (change: object): object => ({ deployment: { ...original.deployment, ...change } });
  const filter = (value: unknown): object => ({ interfaces: [eth0], filter: value });
  const many = (length: number): number[] => Array.from({ length }, (_, index) => index);
  const cases: [why: string, file: unknown, path: string, what: string | undefined][] = [
    ['not an object', [], 'sniffer.json', 'it is an array, not an object'],
    [
      'neither form',
      { filter: {} },
      'interfaces',
      'interfaces is missing, and so is deployment: no interface is named',
    ],
    [
      'both forms',
      { interfaces: [eth0], deployment: {} },
      'deployment',
      'deployment is given together with interfaces; a file has one of them',
    ],
    [
      'a misspelt section',
      { interfaces: [eth0], filters: {} },
      'filters',
      'filters is not known; the file has interfaces, filter',
    ],
    ['interfaces as an object', { interfaces: {} }, 'interfaces', 'interfaces is an object, not an array'],
    ['no interface', { interfaces: [] }, 'interfaces', 'interfaces is empty: no interface is named'],
    [
      'an interface as text',
      { interfaces: ['eth0'] },
      'interfaces[0]',
      'interfaces[0] is "eth0", not an object',
    ],
    [
      'an interface without a name',
      { interfaces: [eth0, { mode: 'gateway' }] },
      'interfaces[1].name',
      'interfaces[1].name is missing',
    ],
    [
      'a name with a slash',
      { interfaces: [{ ...eth0, name: '../eth0' }] },
      'interfaces[0].name',
      'interfaces[0].name is "../eth0", which cannot be the name of an interface',
    ],
    [
      'a name of 16 bytes',
      { interfaces: [{ ...eth0, name: 'sixteen-bytes-aa' }] },
      'interfaces[0].name',
      'interfaces[0].name is "sixteen-bytes-aa", which cannot be the name of an interface',
    ],
    [
      'an interface twice',
      { interfaces: [eth0, eth1, { ...eth1, name: 'eth0' }] },
      'interfaces[2].name',
      'interfaces[2].name is "eth0" again',
    ],
    [
      'an unknown mode',
      { interfaces: [{ ...eth0, mode: 'toString' }] },
      'interfaces[0].mode',
      'interfaces[0].mode is "toString", not host_based, host-based, gateway or disabled',
    ],
    ['no mode', { interfaces: [{ name: 'eth0' }] }, 'interfaces[0].mode', 'interfaces[0].mode is missing'],
    [
      'text for a boolean',
      { interfaces: [{ ...eth0, is_wan: 'yes' }] },
      'interfaces[0].is_wan',
      'interfaces[0].is_wan is "yes", not true or false',
    ],
    [
      'an unknown field of an interface',
      { interfaces: [{ ...eth0, wan: true }] },
      'interfaces[0].wan',
      'interfaces[0].wan is not known; interfaces[0] has name, mode, is_wan, description',
    ],
    [
      '17 interfaces',
      { interfaces: many(17).map((index) => ({ ...eth1, name: `eth${String(index)}` })) },
      'interfaces',
      'interfaces has 17 entries, and the map in the kernel holds 16',
    ],
    ['a filter that is null', filter(null), 'filter', 'filter is null, not an object'],
    [
      'a port above 65535',
      filter({ excluded_ports: [1, 2, 3, 70000] }),
      'filter.excluded_ports[3]',
      'filter.excluded_ports[3] is 70000, not an integer from 0 to 65535',
    ],
    [
      'a negative port',
      filter({ included_ports: [-1] }),
      'filter.included_ports[0]',
      'filter.included_ports[0] is -1, not an integer from 0 to 65535',
    ],
    [
      'a port as text',
      filter({ included_ports: ['443'] }),
      'filter.included_ports[0]',
      'filter.included_ports[0] is "443", not an integer from 0 to 65535',
    ],
    [
      '1,025 ports',
      filter({ excluded_ports: many(1025) }),
      'filter.excluded_ports',
      'filter.excluded_ports has 1025 entries, and the map in the kernel holds 1024',
    ],
    [
      'a whitelist of nothing',
      filter({ mode: 'whitelist' }),
      'filter.included_ports',
      'filter.included_ports names no port, and the mode is whitelist: nothing would be captured',
    ],
    [
      'an unknown action',
      filter({ default_action: 'pass' }),
      'filter.default_action',
      'filter.default_action is "pass", not capture or drop',
    ],
    [
      'an unknown filter mode',
      filter({ mode: 'grey' }),
      'filter.mode',
      'filter.mode is "grey", not hybrid, blacklist or whitelist',
    ],
    [
      'a deployment without a mode',
      { deployment: { host_interface: { name: 'eth1' } } },
      'deployment.mode',
      'deployment.mode is missing',
    ],
    [
      'an unknown deployment',
      deployment({ mode: 'triple' }),
      'deployment.mode',
      'deployment.mode is "triple", not host-only, gateway-only, dual or validation',
    ],
    [
      'a deployment that lacks its interface',
      { deployment: { mode: 'gateway-only', host_interface: { name: 'eth1' } } },
      'deployment.gateway_interface',
      'deployment.gateway_interface is missing',
    ],
    [
      'an interface in the other slot',
      deployment({ host_interface: { name: 'eth1', mode: 'gateway' } }),
      'deployment.host_interface.mode',
      'deployment.host_interface.mode is "gateway", not host_based, host-based or disabled',
    ],
    [
      'one interface in both slots',
      deployment({ gateway_interface: { name: 'eth1' } }),
      'deployment.gateway_interface.name',
      'deployment.gateway_interface.name is "eth1" again',
    ],
    [
      'an unknown role',
      deployment({ host_interface: { name: 'eth1', role: 'dmz' } }),
      'deployment.host_interface.role',
      'deployment.host_interface.role is "dmz", not wan or lan',
    ],
    ['a filter outside of capture', { deployment: original.deployment, filter: {} }, 'filter', undefined],
    [
      'the port list of an older form, which would be ignored',
      { deployment: original.deployment, capture: { excluded_ports: [22] } },
      'capture.excluded_ports',
      undefined,
    ],
    [
      'a port in the filter of the capture',
      { deployment: original.deployment, capture: { filter: { included_ports: [1.5] } } },
      'capture.filter.included_ports[0]',
      'capture.filter.included_ports[0] is 1.5, not an integer from 0 to 65535',
    ],
  ];
  for (const [why, file, path, what] of cases) {
    const error = thrownBy(() => parse(file));
    t.type(error, ArgumentError, why);
    t.equal((error as ArgumentError).argument, path, `${why}: the path`);
    if (what === undefined) {
      t.match(
        (error as ArgumentError).message,
        `Cannot use the configuration sniffer.json: ${path} is not known; `,
        why,
      );
    } else {
      t.equal((error as ArgumentError).message, `Cannot use the configuration sniffer.json: ${what}`, why);
    }
  }
  t.end();
});

t.test('text that is not JSON is an error of the file, with what the parser says', (t) => {
  const parserError = thrownBy(() => JSON.parse('{ "interfaces": [') as unknown) as Error;
  const error = thrownBy(() => parseSnifferConfiguration('{ "interfaces": [', 'a.json')) as ArgumentError;
  t.type(error, ArgumentError);
  t.equal(error.argument, 'a.json');
  t.equal(error.message, `Cannot use the configuration a.json: it is not JSON: ${parserError.message}`);
  t.type(error.cause, SyntaxError);
  t.end();
});

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

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
