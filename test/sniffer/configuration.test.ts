import t from 'tap';
import { ArgumentError } from '../../src/errors.ts';
import { parseSnifferConfiguration } from '../../src/sniffer/index.ts';
import type { FilterConfiguration, SnifferConfiguration } from '../../src/sniffer/index.ts';

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
