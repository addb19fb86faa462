/**
 * Every packet case through bpf/monitor.bpf.o, run by BPF_PROG_TEST_RUN: what is read from the rings, by the reader of the
 * command and by BTF, and what is counted.
 */
import t from 'tap';
import type { Test as TapTest } from 'tap';
import { Collection, ObjectFile, RingBuffer } from '../../src/index.ts';
import { Feature, isSupported } from '../../src/features/index.ts';
import { PerCpuMap } from '../../src/maps/index.ts';
import {
  openPacketRings,
  packetFromIpv4,
  packetFromIpv6,
  PacketCounters,
  type MonitoredPacket,
} from '../../src/monitor/index.ts';
import { sumCounters } from '../../src/sniffer/index.ts';
import { kindOf, monitoredCases, type MonitoredCase } from '../fixtures/monitored-packets.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { inProject } from '../helpers/project-root.ts';
import { runOften } from '../helpers/test-runs.ts';

const OBJECT = inProject('bpf/monitor.bpf.o');
const XDP_PASS = 2;
/** Less than the object has, which would take a while to fill. */
const RING_SIZE = 2 ** 16;
/** Records of 40 bytes behind headers of 8; one byte at least stays free. */
const RING_CAPACITY = Math.floor((RING_SIZE - 1) / 48);

const variants = [
  { program: 'capture_packet_data', severalBuffers: false },
  { program: 'capture_jumbo_packet_data', severalBuffers: true },
];

/** The loaded monitor, its rings, and one packet at a time. */
class Bench {
  readonly collection: Collection;
  readonly rings: readonly RingBuffer<MonitoredPacket>[];
  readonly #program: string;
  readonly #counters: PacketCounters;

  constructor(program: string, { wantsEvents = true }: { wantsEvents?: boolean } = {}) {
    this.#program = program;
    const object = ObjectFile.open(OBJECT);
    if (!wantsEvents) object.variable('wants_events').set(0);
    for (const ring of object.anchors.events.keys()) object.map(ring).maxEntries = RING_SIZE;
    this.collection = Collection.load(object, { programs: [program] });
    this.rings = openPacketRings(this.collection, { ipv4: packetFromIpv4, ipv6: packetFromIpv6 });
    this.#counters = new PacketCounters(this.collection);
  }

  run(frame: Uint8Array, times = 1): number {
    const program = this.collection.program(this.#program);
    runOften(program, { data: frame, times: times - 1 });
    return program.testRun({ data: frame }).returnValue;
  }

  packets(): MonitoredPacket[] {
    const packets: MonitoredPacket[] = [];
    for (const ring of this.rings) ring.drain((packet) => packets.push(packet));
    return packets;
  }

  totals(): Record<string, number> {
    const entries = Object.entries(this.#counters.read()) as [string, bigint | undefined][];
    return Object.fromEntries(entries.map(([name, count]) => [name, Number(count)]));
  }

  outcomes(): Record<string, number> {
    const sums = Object.entries(sumCounters(this.collection.map('packet_counters')));
    return Object.fromEntries(sums.map(([name, count]) => [name, Number(count)]));
  }

  close(): void {
    for (const ring of this.rings) ring.close();
    this.collection.close();
  }
}

function skipReason(program: string): string | false {
  if (process.getuid?.() !== 0) return 'loading BPF programs needs root';
  const tooOld = program === 'capture_jumbo_packet_data' && !isSupported(Feature.XdpFrags);
  return tooOld ? 'the kernel has no xdp.frags' : false;
}

for (const { program, severalBuffers } of variants) {
  t.test(program, { skip: skipReason(program) }, (t) => {
    const bench = new Bench(program);
    t.teardown(() => {
      bench.close();
    });
    t.test('every packet becomes the event it should, and is counted once', (t) => {
      const cases = monitoredCases.filter((one) => severalBuffers || !one.severalBuffers);
      const expected = { total: 0, tcp: 0, udp: 0, other: 0, lost: 0 };
      for (const one of cases) {
        checkPacket(t, bench, one);
        expected.total++;
        expected[kindOf(one)]++;
        t.strictSame(bench.totals(), expected, `${one.name}: counted`);
      }
      const ignored = cases.filter(({ expected }) => expected === 'ignored').length;
      t.strictSame(bench.outcomes(), {
        seen: cases.length,
        ignored,
        filtered: 0,
        no_space: 0,
        submitted: cases.length - ignored,
      });
      t.end();
    });
    t.test('a full ring loses events and counts every one', (t) => {
      const before = bench.outcomes();
      const lostBefore = bench.totals()['lost'] ?? 0;
      const packet = monitoredCases.find(({ name }) => name === 'TCP with payload')!;
      const times = RING_CAPACITY + 1000;
      bench.run(packet.frame, times);
      const after = bench.outcomes();
      const read = bench.packets().length;
      t.equal((after['submitted'] ?? 0) - (before['submitted'] ?? 0), read, 'read = submitted');
      t.equal(read, RING_CAPACITY, 'as many as there is room for');
      t.equal((after['no_space'] ?? 0) - (before['no_space'] ?? 0), times - read, 'the rest had no space');
      t.equal((bench.totals()['lost'] ?? 0) - lostBefore, times - read, 'which is the loss');
      t.end();
    });
    t.end();
  });
}

function checkPacket(t: TapTest, bench: Bench, { name, frame, expected }: MonitoredCase): void {
  const before = process.hrtime.bigint();
  t.equal(bench.run(frame), XDP_PASS, `${name}: passes`);
  const after = process.hrtime.bigint();
  const packets = bench.packets();
  t.equal(packets.length, expected === 'ignored' ? 0 : 1, `${name}: events`);
  const [packet] = packets;
  if (expected === 'ignored' || !packet) return;
  const { timestamp, ...rest } = packet;
  t.strictSame(
    rest,
    {
      family: expected.family,
      sourceAddress: expected.src_ip,
      destinationAddress: expected.dst_ip,
      sourcePort: expected.src_port,
      destinationPort: expected.dst_port,
      protocol: expected.protocol,
      packetSize: expected.packet_size,
      flags: expected.flags,
    },
    `${name}: every field`,
  );
  t.ok(timestamp >= before && timestamp <= after, `${name}: time`);
}

t.test('the padding of a record is zero, whatever lay there before', { skip: skipReason('') }, (t) => {
  const bench = new Bench('capture_packet_data');
  t.teardown(() => {
    bench.close();
  });
  for (const ring of bench.rings) ring.close();
  const packet = monitoredCases.find(({ name }) => name === 'TCP with payload')!;
  const raw = RingBuffer.bytes(bench.collection.map('packet_ringbuf'));
  // More than the ring holds, so that the last ones lie where others lay.
  for (let round = 0; round < 3; round++) {
    bench.run(packet.frame, Math.ceil(RING_CAPACITY / 2));
    raw.drain((bytes) => {
      if (bytes.length !== 40) t.fail(`a record of ${String(bytes.length)} bytes`);
      const padding = [...bytes.subarray(20, 24), ...bytes.subarray(36, 40)];
      if (padding.some((byte) => byte !== 0)) t.fail(`padding ${padding.join(' ')}`);
    });
  }
  raw.close();
  t.end();
});

t.test('what was opened is given back', { skip: skipReason('') }, (t) => {
  const open = (): void => {
    const bench = new Bench('capture_packet_data');
    bench.run(monitoredCases[0]!.frame);
    t.equal(bench.packets().length, 1);
    bench.close();
  };
  open();
  const before = openDescriptors();
  for (let round = 0; round < 3; round++) open();
  t.same(openDescriptors(), before);
  t.end();
});

t.test('without events frames are counted all the same', { skip: skipReason('') }, (t) => {
  const bench = new Bench('capture_packet_data', { wantsEvents: false });
  t.teardown(() => {
    bench.close();
  });
  const cases = monitoredCases.filter(({ severalBuffers }) => !severalBuffers);
  for (const { frame } of cases) bench.run(frame);
  t.same(bench.packets(), []);
  const ignored = cases.filter(({ expected }) => expected === 'ignored').length;
  t.strictSame(bench.outcomes(), {
    seen: cases.length,
    ignored,
    filtered: cases.length - ignored,
    no_space: 0,
    submitted: 0,
  });
  t.match(bench.totals(), {
    total: cases.length,
    tcp: cases.filter((one) => kindOf(one) === 'tcp').length,
    udp: cases.filter((one) => kindOf(one) === 'udp').length,
    lost: 0,
  });
  t.end();
});

t.test(
  'an object without the counter of lost events has lost nobody knows how many',
  { skip: skipReason('') },
  (t) => {
    const bench = new Bench('capture_packet_data');
    t.teardown(() => {
      bench.close();
    });
    const { collection } = bench;
    const maps = new Map([...collection.maps].filter(([name]) => name !== 'packet_counters'));
    const without = Object.create(collection, { maps: { value: maps } }) as Collection;
    t.equal(new PacketCounters(without).read().lost, undefined);
    t.equal(new PerCpuMap(collection.map('stats_map')).sum(0), 0n);
    t.end();
  },
);
