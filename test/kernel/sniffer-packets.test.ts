/**
 * Every packet and filter case through the shipped object, loaded by this library and run by BPF_PROG_TEST_RUN: what is
 * read from the rings, by BTF, is compared field by field with what the packet says.
 */
import t from 'tap';
import type { Test as TapTest } from 'tap';
import { Collection, ObjectFile, RingBuffer } from '../../src/index.ts';
import type { BtfValue } from '../../src/btf/index.ts';
import { Feature, isSupported } from '../../src/features/index.ts';
import { sumCounters } from '../../src/sniffer/index.ts';
import { filterCases, InterfaceMode } from '../fixtures/filters.ts';
import type { FilterCase } from '../fixtures/filters.ts';
import { addressKey } from '../fixtures/frames.ts';
import { packetCases } from '../fixtures/packets.ts';
import type { PacketCase } from '../fixtures/packets.ts';
import { inProject } from '../helpers/project-root.ts';
import { runOften } from '../helpers/test-runs.ts';

const OBJECT = inProject('bpf/sniffer.bpf.o');
/** BPF_PROG_TEST_RUN delivers through the loopback device, whose index is 1. */
const LOOPBACK = 1;
const XDP_PASS = 2;
const TC_ACT_UNSPEC = 0xffff_ffff;

interface Variant {
  readonly name: string;
  readonly program: string;
  readonly useLoadBytes: 0 | 1;
  readonly returns: number;
  readonly takes: (packet: PacketCase) => boolean;
}

const variants: readonly Variant[] = [
  {
    name: 'XDP with bpf_xdp_load_bytes',
    program: 'xdp_sniffer_enhanced',
    useLoadBytes: 1,
    returns: XDP_PASS,
    takes: (packet) => packet.severalBuffers !== true,
  },
  {
    name: 'XDP with the loop for kernels before 5.18',
    program: 'xdp_sniffer_enhanced',
    useLoadBytes: 0,
    returns: XDP_PASS,
    takes: (packet) => packet.severalBuffers !== true,
  },
  {
    name: 'XDP with frags',
    program: 'xdp_frags_sniffer',
    useLoadBytes: 1,
    returns: XDP_PASS,
    takes: () => true,
  },
  {
    name: 'tc egress',
    program: 'tc_sniffer_egress',
    useLoadBytes: 1,
    returns: TC_ACT_UNSPEC,
    takes: (packet) => packet.severalBuffers !== true && packet.incompleteHeader !== true,
  },
];

/** The loaded sniffer, its rings, and one packet at a time. */
class Bench {
  readonly collection: Collection;
  readonly #variant: Variant;
  readonly #rings: readonly { map: string; ring: RingBuffer<BtfValue> }[];

  constructor(variant: Variant) {
    this.#variant = variant;
    const object = ObjectFile.open(OBJECT);
    for (const program of object.programs.values()) program.autoload = program.name === variant.program;
    object.variable('use_load_bytes').set(variant.useLoadBytes);
    this.collection = Collection.load(object);
    this.#rings = [...object.anchors.events].map(([map, typeId]) => ({
      map,
      ring: RingBuffer.typed(this.collection.map(map), { btf: object.btf!, typeId }),
    }));
  }

  run(frame: Uint8Array, times = 1): { returned: number; counters: Record<string, number> } {
    const before = this.counters();
    const program = this.collection.program(this.#variant.program);
    runOften(program, { data: frame, times: times - 1 });
    const { returnValue } = program.testRun({ data: frame });
    const after = this.counters();
    const counters = Object.fromEntries(
      Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)]),
    );
    return { returned: returnValue, counters };
  }

  counters(): Record<string, number> {
    return Object.fromEntries(
      Object.entries(sumCounters(this.collection.map('stats'))).map(([name, count]) => [name, Number(count)]),
    );
  }

  events(): { map: string; event: Record<string, unknown> }[] {
    const events: { map: string; event: Record<string, unknown> }[] = [];
    for (const { map, ring } of this.#rings) {
      ring.drain((event) => events.push({ map, event: event as Record<string, unknown> }));
    }
    return events;
  }

  configure({
    mode,
    includedPorts = [],
    excludedPorts = [],
    settings,
    localAddresses = [],
  }: Partial<FilterCase>): void {
    const { collection } = this;
    for (const name of ['iface_configs', 'included_ports', 'excluded_ports', 'local_addresses']) {
      const map = collection.map(name);
      for (const key of [...map.keys()]) map.delete(key);
    }
    if (mode !== undefined)
      collection.map('iface_configs').set(LOOPBACK, { ifindex: LOOPBACK, mode, is_wan: 1 });
    collection.map('iface_names').set(LOOPBACK, { name: 'lo0' });
    for (const port of includedPorts) collection.map('included_ports').set(port, 1);
    for (const port of excludedPorts) collection.map('excluded_ports').set(port, 1);
    for (const address of localAddresses) {
      collection.map('local_addresses').set({ bytes: addressKey(address) }, 1);
    }
    const reserved = new Uint8Array(7);
    reserved[0] = settings?.configured ?? 0;
    collection.map('filter_settings').set(0, { default_action: settings?.defaultAction ?? 0, reserved });
  }

  close(): void {
    for (const { ring } of this.#rings) ring.close();
    this.collection.close();
  }
}

function skipReason(variant: Variant): string | false {
  if (process.getuid?.() !== 0) return 'loading BPF programs needs root';
  if (variant.program === 'xdp_frags_sniffer' && !isSupported(Feature.XdpFrags))
    return 'the kernel has no xdp.frags';
  if (variant.useLoadBytes === 1 && variant.program.startsWith('xdp') && !isSupported(Feature.XdpLoadBytes)) {
    return 'the kernel has no bpf_xdp_load_bytes';
  }
  return false;
}

for (const variant of variants) {
  t.test(variant.name, { skip: skipReason(variant) }, (t) => {
    const bench = new Bench(variant);
    t.teardown(() => {
      bench.close();
    });
    t.test('every packet becomes the event it should', (t) => {
      bench.configure({ mode: InterfaceMode.Gateway });
      for (const packet of packetCases.filter(variant.takes)) checkPacket(t, { bench, packet, variant });
      t.end();
    });
    t.test('modes and filters let through what they should', (t) => {
      const onEgress = variant.program.startsWith('tc');
      for (const filter of filterCases) {
        bench.configure(filter);
        const { counters } = bench.run(filter.frame);
        const events = bench.events().length;
        const outcome = onEgress ? filter.onEgress : filter.onIngress;
        t.match(counters, { seen: 1, [outcome === 'captured' ? 'submitted' : outcome]: 1 }, filter.name);
        t.equal(events, outcome === 'captured' ? 1 : 0, `${filter.name}: events`);
      }
      t.end();
    });
    t.test('a full ring loses events and counts every one', (t) => {
      bench.configure({ mode: InterfaceMode.Gateway });
      const packet = packetCases.find(({ name }) => name === 'UDP with 512 bytes of payload')!;
      const { counters } = bench.run(packet.frame, 5000);
      const read = bench.events().length;
      t.equal(counters['seen'], 5000);
      t.equal(counters['submitted'], read, 'read = submitted');
      t.ok((counters['no_space'] ?? 0) > 0, 'some were lost');
      t.equal(
        (counters['ignored'] ?? 0) + (counters['filtered'] ?? 0) + (counters['no_space'] ?? 0) + read,
        5000,
        'seen = ignored + filtered + no_space + submitted',
      );
      t.end();
    });
    t.end();
  });
}

function checkPacket(
  t: TapTest,
  { bench, packet, variant }: { bench: Bench; packet: PacketCase; variant: Variant },
): void {
  const { returned, counters } = bench.run(packet.frame);
  const events = bench.events();
  t.equal(returned, variant.returns, `${packet.name}: passes`);
  const ignored = packet.expected === 'ignored';
  const outcome = ignored ? { ignored: 1, submitted: 0 } : { ignored: 0, submitted: 1 };
  t.match(
    counters,
    { seen: 1, ...outcome, vlan: packet.tagged ? 1 : 0, payload_unreadable: 0 },
    `${packet.name}: counted`,
  );
  t.equal(events.length, ignored ? 0 : 1, `${packet.name}: events`);
  if (packet.expected === 'ignored' || !events[0]) return;
  const { map, payload, ...fields } = packet.expected;
  const { event } = events[0];
  t.equal(events[0].map, map, `${packet.name}: ring`);
  const whole = new Uint8Array(512);
  whole.set(payload);
  t.strictSame(
    { ...event, timestamp: 0n },
    {
      ...fields,
      payload_len: payload.length,
      payload: whole,
      timestamp: 0n,
      interface_mode: InterfaceMode.Gateway,
      is_wan_facing: 1,
      source_ifindex: LOOPBACK,
      source_interface: 'lo0',
    },
    `${packet.name}: every field`,
  );
  t.ok((event['timestamp'] as bigint) > 0n, `${packet.name}: time`);
}
