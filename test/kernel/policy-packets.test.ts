/** Frames through bpf/policy.bpf.o, run by BPF_PROG_TEST_RUN: verdicts, reasons, counters, the bound of the log. */
import t from 'tap';
import { Collection, ObjectFile } from '../../src/index.ts';
import { Feature, isSupported } from '../../src/features/index.ts';
import {
  openDenials,
  PolicyMaps,
  type Denial,
  type PolicyCounters,
  type PolicyRule,
  type PolicySettings,
} from '../../src/policy/index.ts';
import type { RingBuffer } from '../../src/ringbuf/index.ts';
import {
  concat,
  EtherType,
  ethernet,
  icmpEcho,
  IPV4_DESTINATION,
  IPV4_SOURCE,
  IPV6_DESTINATION,
  IPV6_SOURCE,
  ipv4,
  ipv6,
  padded,
  pattern,
  Protocol,
  sctp,
  tcp,
  udp,
} from '../fixtures/frames.ts';
import { packetCases } from '../fixtures/packets.ts';
import { inProject } from '../helpers/project-root.ts';
import { runOften } from '../helpers/test-runs.ts';
import { thrown } from '../helpers/thrown.ts';

const OBJECT = inProject('bpf/policy.bpf.o');
const XDP_DROP = 1;
const XDP_PASS = 2;

const variants = ['security_enforce', 'enforce_jumbo_frames'] as const;

function skipReason(program: string): string | false {
  if (process.getuid?.() !== 0) return 'loading BPF programs needs root';
  return program === 'enforce_jumbo_frames' && !isSupported(Feature.XdpFrags)
    ? 'the kernel has no xdp.frags'
    : false;
}

const BASE: PolicySettings = {
  defaultAction: 'deny',
  dryRun: false,
  ipv6: 'default',
  denialsPerSecond: 1_000_000,
};
const ANY = { source: undefined, destination: undefined, port: undefined, protocol: undefined };
const rule = (action: 'allow' | 'deny', fields: Partial<PolicyRule> = {}): PolicyRule => ({
  ...ANY,
  ...fields,
  action,
});

/** The loaded firewall, with rules and settings of one case after another. */
class Bench {
  readonly maps: PolicyMaps;
  readonly collection: Collection;
  readonly #program: string;
  readonly #ring: RingBuffer<Denial>;

  constructor(program: string) {
    this.#program = program;
    this.collection = Collection.load(ObjectFile.open(OBJECT), { programs: [program] });
    this.maps = PolicyMaps.of(this.collection);
    this.#ring = openDenials(this.collection, (denial) => denial);
  }

  use(rules: readonly PolicyRule[], settings: Partial<PolicySettings> = {}): void {
    this.maps.replace(rules);
    this.maps.settings = { ...BASE, ...settings };
  }

  run(frame: Uint8Array): number {
    return this.collection.program(this.#program).testRun({ data: frame }).returnValue;
  }

  runOften(frame: Uint8Array, times: number): void {
    runOften(this.collection.program(this.#program), { data: frame, times });
  }

  denials(): Denial[] {
    const denials: Denial[] = [];
    this.#ring.drain((denial) => denials.push(denial));
    return denials;
  }

  /** What an action adds to the counters, those that stay as they are left out. */
  counted(action: () => void): Partial<Record<keyof PolicyCounters, number>> {
    const before = this.maps.counters();
    action();
    const after = this.maps.counters();
    const names = Object.keys(after) as (keyof PolicyCounters)[];
    const grown = names.map((name) => [name, Number(after[name] - before[name])] as const);
    return Object.fromEntries(grown.filter(([, growth]) => growth !== 0));
  }

  close(): void {
    this.#ring.close();
    this.collection.close();
  }
}

const ports = { sourcePort: 40_000, destinationPort: 443 };
const packet = (fields: Parameters<typeof ipv4>[0], segment: Uint8Array): Uint8Array =>
  padded(ethernet(EtherType.Ipv4, ipv4(fields, segment)));
const tcpPacket = packet({ protocol: Protocol.Tcp }, tcp({ ...ports, flags: 2 }));
const udpPacket = packet({ protocol: Protocol.Udp }, udp(ports));
const options = Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 0);
const web = { source: IPV4_SOURCE, destination: IPV4_DESTINATION, port: 443 };
const tag = (protocol: number) => ({ protocol, tci: 7 });

interface Case {
  readonly name: string;
  readonly frame: Uint8Array;
  readonly rules?: readonly PolicyRule[];
  readonly settings?: Partial<PolicySettings>;
  /** Why it is denied, or what lets it pass. */
  readonly expected: Denial['reason'] | 'allowed by rule' | 'allowed by default' | 'not IP';
}

const allowWeb = [rule('allow', web)];

const cases: readonly Case[] = [
  { name: 'no rule at all', frame: tcpPacket, expected: 'default' },
  { name: 'no rule, and the default allows', frame: tcpPacket, settings: { defaultAction: 'allow' }, expected: 'allowed by default' },
  { name: "the original's rule: two addresses and a port, TCP", frame: tcpPacket, rules: allowWeb, expected: 'allowed by rule' },
  { name: 'the same rule and UDP, whose header is shorter than TCP’s', frame: udpPacket, rules: allowWeb, expected: 'allowed by rule' },
  { name: 'UDP shorter than a TCP header without a rule', frame: ethernet(EtherType.Ipv4, ipv4({ protocol: Protocol.Udp }, udp(ports))), expected: 'default' },
  { name: 'SCTP has ports', frame: packet({ protocol: Protocol.Sctp }, sctp(1, 443, pattern(8))), rules: allowWeb, expected: 'allowed by rule' },
  { name: 'the source port is none of the rule', frame: packet({ protocol: Protocol.Tcp }, tcp({ sourcePort: 443, destinationPort: 80, flags: 2 })), rules: allowWeb, expected: 'default' },
  { name: 'the way back is another way', frame: packet({ protocol: Protocol.Tcp, source: IPV4_DESTINATION, destination: IPV4_SOURCE }, tcp({ ...ports, flags: 2 })), rules: allowWeb, expected: 'default' },
  { name: 'a rule that denies, and the default allows', frame: tcpPacket, rules: [rule('deny', web)], settings: { defaultAction: 'allow' }, expected: 'rule' },
  { name: 'a port behind IP options', frame: packet({ protocol: Protocol.Tcp, options }, tcp({ ...ports, flags: 2 })), rules: allowWeb, expected: 'allowed by rule' },
  { name: 'IP options that look like the allowed port', frame: packet({ protocol: Protocol.Tcp, options: Uint8Array.of(0x9c, 0x40, 1, 0xbb) }, tcp({ sourcePort: 1, destinationPort: 22, flags: 2 })), rules: allowWeb, expected: 'default' },
  { name: 'ICMP whose bytes look like the allowed port', frame: packet({ protocol: Protocol.Icmp }, concat(Uint8Array.of(8, 0, 1, 0xbb), pattern(60))), rules: allowWeb, expected: 'default' },
  { name: 'ICMP by a rule without a port', frame: packet({ protocol: Protocol.Icmp }, icmpEcho(pattern(8))), rules: [rule('allow', { ...web, port: undefined })], expected: 'allowed by rule' },
  { name: 'ICMP by its protocol alone', frame: packet({ protocol: Protocol.Icmp }, icmpEcho(pattern(8))), rules: [rule('allow', { protocol: 1 })], expected: 'allowed by rule' },
  { name: 'another protocol', frame: tcpPacket, rules: [rule('allow', { ...web, protocol: 17 })], expected: 'default' },
  { name: 'behind a VLAN tag', frame: padded(ethernet(EtherType.Ipv4, ipv4({ protocol: Protocol.Tcp }, tcp({ ...ports, flags: 2 })), [tag(EtherType.Vlan)])), rules: allowWeb, expected: 'allowed by rule' },
  { name: 'behind two VLAN tags without a rule', frame: padded(ethernet(EtherType.Ipv4, ipv4({ protocol: Protocol.Tcp }, tcp({ ...ports, flags: 2 })), [tag(EtherType.QinQ), tag(EtherType.Vlan)])), expected: 'default' },
  { name: 'behind three VLAN tags: IP could hide there', frame: padded(ethernet(EtherType.Ipv4, ipv4({ protocol: Protocol.Tcp }, tcp({ ...ports, flags: 2 })), [tag(EtherType.QinQ), tag(EtherType.Vlan), tag(EtherType.Vlan)])), rules: allowWeb, settings: { defaultAction: 'allow' }, expected: 'malformed' },
  { name: 'ARP passes', frame: padded(ethernet(EtherType.Arp, pattern(28))), expected: 'not IP' },
  { name: 'ARP behind a VLAN tag passes', frame: padded(ethernet(EtherType.Arp, pattern(28), [tag(EtherType.Vlan)])), expected: 'not IP' },
  { name: 'a first fragment has its port', frame: packet({ protocol: Protocol.Tcp, moreFragments: true }, tcp({ ...ports, flags: 2 }, pattern(12))), rules: allowWeb, expected: 'allowed by rule' },
  { name: 'a first fragment of 8 bytes has its port', frame: packet({ protocol: Protocol.Tcp, moreFragments: true }, tcp({ ...ports, flags: 2 }).subarray(0, 8)), rules: allowWeb, expected: 'allowed by rule' },
  { name: 'a later fragment has none', frame: packet({ protocol: Protocol.Tcp, fragmentOffset: 4 }, tcp({ ...ports, flags: 2 })), rules: allowWeb, expected: 'fragment' },
  { name: 'a later fragment by a rule without a port', frame: packet({ protocol: Protocol.Tcp, fragmentOffset: 4 }, pattern(32)), rules: [rule('allow', { ...web, port: undefined })], expected: 'allowed by rule' },
  { name: 'a TCP header that is cut before its ports', frame: packet({ protocol: Protocol.Tcp }, pattern(3)), rules: [rule('allow', { ...web, port: undefined })], settings: { defaultAction: 'allow' }, expected: 'malformed' },
  { name: 'ports in the padding are none', frame: padded(ethernet(EtherType.Ipv4, concat(ipv4({ protocol: Protocol.Tcp, totalLength: 20 }, tcp({ ...ports, flags: 2 }))))), rules: allowWeb, expected: 'malformed' },
  { name: 'an IP header that is too short', frame: packet({ protocol: Protocol.Tcp, headerWords: 4 }, tcp({ ...ports, flags: 2 })), rules: allowWeb, settings: { defaultAction: 'allow' }, expected: 'malformed' },
  { name: 'an IP header that is not whole', frame: ethernet(EtherType.Ipv4, pattern(12)), settings: { defaultAction: 'allow' }, expected: 'malformed' },
  { name: 'IPv6 as the default has it', frame: ethernet(EtherType.Ipv6, ipv6({ nextHeader: Protocol.Udp }, udp(ports))), expected: 'default' },
  { name: 'IPv6 as the other default has it', frame: ethernet(EtherType.Ipv6, ipv6({ nextHeader: Protocol.Udp }, udp(ports))), settings: { defaultAction: 'allow' }, expected: 'allowed by default' },
  { name: 'IPv6 is allowed', frame: ethernet(EtherType.Ipv6, ipv6({ nextHeader: Protocol.Udp }, udp(ports))), settings: { ipv6: 'allow' }, expected: 'allowed by default' },
  { name: 'IPv6 is denied', frame: ethernet(EtherType.Ipv6, ipv6({ nextHeader: Protocol.Udp }, udp(ports))), settings: { ipv6: 'deny', defaultAction: 'allow' }, expected: 'ipv6' },
  { name: 'IPv6 that is none', frame: ethernet(EtherType.Ipv6, pattern(44)), settings: { ipv6: 'allow' }, expected: 'malformed' },
]; // prettier-ignore

/** The counter of what was denied, by the reason. */
const DENIED: Readonly<Record<string, keyof PolicyCounters>> = {
  rule: 'deniedByRule',
  malformed: 'deniedMalformed',
};
const ALLOWED: Readonly<Record<string, keyof PolicyCounters>> = {
  'allowed by rule': 'allowedByRule',
  'allowed by default': 'allowedByDefault',
};

for (const program of variants)
  t.test(program, { skip: skipReason(program) }, (t) => {
    const bench = new Bench(program);
    t.teardown(() => {
      bench.close();
    });
    for (const { name, frame, rules = [], settings, expected } of cases)
      t.test(name, (t) => {
        for (const dryRun of [false, true]) {
          bench.use(rules, { ...settings, dryRun });
          let verdict = 0;
          const counted = bench.counted(() => {
            verdict = bench.run(frame);
          });
          const denials = bench.denials();
          const allowed = ALLOWED[expected];
          if (expected === 'not IP') t.same(counted, { seen: 1, ignored: 1 });
          else if (allowed) t.same(counted, { seen: 1, filtered: 1, [allowed]: 1 });
          else {
            const denied = DENIED[expected] ?? 'deniedByDefault';
            t.same(counted, { seen: 1, submitted: 1, [denied]: 1, ...(dryRun && { passedDryRun: 1 }) });
            t.match(denials, [{ reason: expected, dryRun, packetSize: frame.length }]);
          }
          const passes = expected === 'not IP' || allowed !== undefined || dryRun;
          t.equal(verdict, passes ? XDP_PASS : XDP_DROP, dryRun ? 'dry run' : 'verdict');
          t.equal(denials.length, expected === 'not IP' || allowed ? 0 : 1);
        }
        t.end();
      });
    t.test('every frame of the sniffer is counted once, and none of IP passes without a rule', (t) => {
      bench.use([]);
      const frames = packetCases.filter(({ severalBuffers }) => severalBuffers !== true);
      const counted = bench.counted(() => {
        for (const { name, frame, expected } of frames) {
          const verdict = bench.run(frame);
          if (expected !== 'ignored') t.equal(verdict, XDP_DROP, name);
        }
      });
      const of = (name: keyof PolicyCounters): number => counted[name] ?? 0;
      t.equal(of('seen'), frames.length);
      t.equal(of('seen'), of('ignored') + of('deniedByDefault') + of('deniedMalformed'));
      t.equal(of('seen'), of('ignored') + of('filtered') + of('noSpace') + of('submitted'));
      t.equal(bench.denials().length, of('submitted'));
      t.end();
    });
    t.end();
  });

t.test('rules', { skip: skipReason('') }, (t) => {
  const bench = new Bench('security_enforce');
  t.teardown(() => {
    bench.close();
  });

  t.test('the more specific rule wins, in the order of the 16 shapes', (t) => {
    const full = { ...web, protocol: 6 };
    const fields = ['source', 'destination', 'port', 'protocol'] as const;
    const shapes = Array.from({ length: 16 }, (_, index) => 15 - index);
    const rules = shapes.map((shape) => {
      const said = fields.filter((_, index) => (shape & (8 >> index)) !== 0);
      return { ...ANY, ...Object.fromEntries(said.map((field) => [field, full[field]])) };
    });
    // Of all rules from one on, only the first decides, whatever the less specific ones say.
    for (let first = 0; first < 16; first++) {
      const [decisive, ...others] = rules.slice(first);
      if (!decisive) continue;
      bench.use([
        { ...decisive, action: 'allow' },
        ...others.map((one) => ({ ...one, action: 'deny' as const })),
      ]);
      t.equal(bench.run(tcpPacket), XDP_PASS, `allowed by shape ${15 - first}`);
      bench.use([
        { ...decisive, action: 'deny' },
        ...others.map((one) => ({ ...one, action: 'allow' as const })),
      ]);
      t.equal(bench.run(tcpPacket), XDP_DROP, `denied by shape ${15 - first}`);
      t.strictSame(bench.denials().map(({ rule }) => rule), [decisive], 'and the event names the rule');
    }
    t.end();
  });

  t.test('a rule without a port does not hide one with a protocol from a packet without ports', (t) => {
    bench.use([
      rule('deny', { source: IPV4_SOURCE, destination: IPV4_DESTINATION, protocol: 1 }),
      rule('allow', { source: IPV4_SOURCE, destination: IPV4_DESTINATION }),
    ]);
    t.equal(bench.run(packet({ protocol: Protocol.Icmp }, icmpEcho(pattern(8)))), XDP_DROP);
    t.equal(bench.run(tcpPacket), XDP_PASS);
    bench.denials();
    t.end();
  });

  t.test('counters of a rule are exact, outlive a change of its action, and go with it', (t) => {
    bench.use([rule('allow', web), rule('deny', { source: '10.9.9.9' })]);
    bench.runOften(tcpPacket, 300);
    bench.runOften(udpPacket, 200);
    const counters = (): unknown =>
      bench.maps.list().map(({ action, packets, bytes }) => [action, packets, bytes]);
    const bytes = BigInt(300 * tcpPacket.length + 200 * udpPacket.length);
    t.strictSame(counters(), [['allow', 500n, bytes], ['deny', 0n, 0n]]);
    t.equal(bench.maps.set(rule('deny', web)), 'changed');
    t.equal(bench.maps.set(rule('deny', web)), 'unchanged');
    bench.runOften(tcpPacket, 10);
    t.strictSame(counters(), [['deny', 510n, bytes + BigInt(10 * tcpPacket.length)], ['deny', 0n, 0n]]);
    t.ok(bench.maps.remove(rule('deny', web)));
    t.notOk(bench.maps.remove(rule('deny', web)), 'it is gone');
    t.equal(bench.maps.set(rule('allow', web)), 'added');
    t.strictSame(counters(), [['allow', 0n, 0n], ['deny', 0n, 0n]]);
    bench.denials();
    t.end();
  });

  t.test('a rule that somebody writes by its bytes, as the original did, matches and is counted', (t) => {
    bench.use([]);
    const key = concat(tcpPacket.subarray(26, 34), Uint8Array.of(1, 0xbb, 0, 0));
    bench.collection.map('security_policies').setBytes(key, Uint8Array.of(1, 0, 0, 0));
    t.equal(bench.run(tcpPacket), XDP_PASS);
    t.match(bench.maps.list(), [{ ...web, protocol: undefined, action: 'allow', packets: 1n }]);
    bench.collection.map('security_policies').setBytes(key, Uint8Array.of(7, 0, 0, 0));
    t.equal(bench.run(tcpPacket), XDP_DROP, 'an action that is not known denies');
    bench.use([]);
    const unclean = concat(key.subarray(0, 11), Uint8Array.of(1));
    bench.collection.map('security_policies').setBytes(unclean, Uint8Array.of(1, 0, 0, 0));
    t.equal(bench.run(tcpPacket), XDP_DROP, 'with padding that is not zero it does not match');
    bench.collection.map('security_policies').deleteBytes(unclean);
    bench.denials();
    t.end();
  });

  t.test('a replacement keeps what is in both', (t) => {
    bench.use([rule('allow', web), rule('allow', { port: 22 }), rule('allow', { port: 25 })]);
    bench.runOften(tcpPacket, 5);
    const changes = bench.maps.replace([rule('allow', web), rule('deny', { port: 22 }), rule('deny', { port: 23 })]);
    t.same(changes, { added: 1, changed: 1, removed: 1 });
    t.strictSame(
      bench.maps.list().map(({ port, action, packets }) => [port, action, packets]),
      [[443, 'allow', 5n], [22, 'deny', 0n], [23, 'deny', 0n]],
    );
    t.end();
  });

  t.test('100,000 rules fit, and the next one is refused', (t) => {
    const many = Array.from({ length: 100_000 }, (_, index) =>
      rule('allow', { ...web, source: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, port: 7 }),
    );
    bench.use([]);
    bench.maps.fill(many);
    t.match(thrown(() => bench.maps.set(rule('allow', web))), { errnoName: 'E2BIG' });
    t.equal(bench.run(packet({ protocol: Protocol.Udp, source: '10.1.134.159' }, udp({ sourcePort: 1, destinationPort: 7 }))), XDP_PASS);
    t.end();
  });
  t.end();
}); // prettier-ignore

t.test('maps of other sizes are not taken for those of a firewall', { skip: skipReason('') }, (t) => {
  const object = ObjectFile.open(OBJECT);
  object.map('rule_shapes').valueSize = 8;
  const collection = Collection.load(object, { programs: [] });
  t.teardown(() => {
    collection.close();
  });
  t.equal(
    thrown(() => PolicyMaps.of(collection)).message,
    'Cannot use map rule_shapes as that of a policy firewall: it has 4 bytes of key and 8 of value, not 4 and 4',
  );
  t.end();
});

t.test('denials', { skip: skipReason('') }, (t) => {
  const bench = new Bench('security_enforce');
  t.teardown(() => {
    bench.close();
  });

  t.test('every field of an event', (t) => {
    bench.use([rule('deny', { destination: IPV4_DESTINATION, port: 443 })]);
    const before = process.hrtime.bigint();
    bench.run(tcpPacket);
    bench.run(ethernet(EtherType.Ipv6, ipv6({ nextHeader: Protocol.Udp }, udp(ports))));
    bench.run(ethernet(EtherType.Ipv4, pattern(12)));
    const after = process.hrtime.bigint();
    const denials = bench.denials();
    const facts = denials.map(({ timestamp, ...rest }) => {
      t.ok(timestamp >= before && timestamp <= after, 'time');
      return rest;
    });
    // BPF_PROG_TEST_RUN has lo for the interface.
    const common = { protocol: 6, sourcePort: 40_000, destinationPort: 443, ifindex: 1, dryRun: false };
    t.strictSame(facts, [
      { ...common, reason: 'rule', family: 'ipv4', sourceAddress: IPV4_SOURCE, destinationAddress: IPV4_DESTINATION, packetSize: 60, rule: { ...ANY, destination: IPV4_DESTINATION, port: 443 } },
      { ...common, reason: 'default', family: 'ipv6', sourceAddress: IPV6_SOURCE, destinationAddress: IPV6_DESTINATION, protocol: 17, packetSize: 62, rule: undefined },
      { ...common, reason: 'malformed', family: undefined, sourceAddress: '', destinationAddress: '', protocol: 0, sourcePort: 0, destinationPort: 0, packetSize: 26, rule: undefined },
    ]);
    t.end();
  });

  t.test('a flood is logged up to the rate; the rest is counted', (t) => {
    bench.use([], { denialsPerSecond: 50 });
    const times = 3000;
    const start = performance.now();
    const counted = bench.counted(() => {
      bench.runOften(tcpPacket, times);
    });
    const seconds = Math.ceil((performance.now() - start) / 1000) + 1;
    const logged = bench.denials().length;
    t.equal(counted.deniedByDefault, times);
    t.equal(counted.submitted, logged);
    t.equal((counted.submitted ?? 0) + (counted.unlogged ?? 0) + (counted.noSpace ?? 0), times);
    // Each CPU that the test ran on has a budget of its own.
    t.ok(logged <= 50 * seconds * 2, `${logged} logged`);
    bench.use([], { denialsPerSecond: 0 });
    t.same(bench.counted(() => { bench.runOften(tcpPacket, 10); }), { seen: 10, filtered: 10, deniedByDefault: 10, unlogged: 10 });
    t.end();
  });

  t.test('a full ring loses events and counts each', (t) => {
    bench.use([]);
    const times = 2 ** 20 / 72 + 500;
    const counted = bench.counted(() => {
      bench.runOften(tcpPacket, Math.floor(times));
    });
    t.equal(bench.denials().length, counted.submitted);
    t.equal((counted.submitted ?? 0) + (counted.noSpace ?? 0), Math.floor(times));
    t.ok((counted.noSpace ?? 0) > 0);
    t.end();
  });
  t.end();
}); // prettier-ignore
