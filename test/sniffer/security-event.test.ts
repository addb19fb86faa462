import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import type { Type } from 'protobufjs';
import t from 'tap';
import { createSecurityEventEncoder } from '../../src/sniffer/index.ts';
import { WallClock } from '../../src/sys/index.ts';
import type { CapturedEvent } from '../../src/sniffer/index.ts';
import type { FieldTable } from '../../src/sniffer/wire-fields.ts';
import { inProject } from '../helpers/project-root.ts';

const schemaPath = inProject('proto/network_security.proto');

/** MONOTONIC 0 is 2026-11-20T11:14:57.000000001Z. */
const startSeconds = Date.UTC(2026, 10, 20, 11, 14, 57) / 1000;
const wallClock = new WallClock({
  monotonic: () => 0n,
  realtime: () => BigInt(startSeconds) * 1_000_000_000n + 1n,
});

const tcp: CapturedEvent = {
  family: 'ipv4',
  sourceAddress: '192.0.2.1',
  destinationAddress: '10.0.0.1',
  sourcePort: 49152,
  destinationPort: 443,
  protocol: 6,
  protocolName: 'TCP',
  tcpFlags: 0xff,
  packetLength: 1514,
  ipHeaderLength: 24,
  transportHeaderLength: 32,
  timestamp: 123_456_788n,
  payload: new Uint8Array(0),
  interfaceMode: 2,
  isWanFacing: true,
  interfaceIndex: 7,
  interfaceName: 'veth0',
  ipv6: undefined,
};

const expectedTcp = {
  event_id: 'run-1',
  event_timestamp: { seconds: String(startSeconds), nanos: 123_456_789 },
  originating_node_id: 'node-a',
  network_features: {
    source_ip: '192.0.2.1',
    destination_ip: '10.0.0.1',
    source_port: 49152,
    destination_port: 443,
    protocol_number: 6,
    protocol_name: 'TCP',
    interface_mode: 2,
    is_wan_facing: true,
    source_ifindex: 7,
    source_interface: 'veth0',
    flow_start_time: { seconds: String(startSeconds), nanos: 123_456_789 },
    total_forward_packets: '1',
    total_forward_bytes: '1514',
    forward_packet_length_max: '1514',
    forward_packet_length_min: '1514',
    forward_packet_length_mean: 1514,
    average_packet_size: 1514,
    average_forward_segment_size: 1514,
    fin_flag_count: 1,
    syn_flag_count: 1,
    rst_flag_count: 1,
    psh_flag_count: 1,
    ack_flag_count: 1,
    urg_flag_count: 1,
    cwe_flag_count: 1,
    ece_flag_count: 1,
    forward_psh_flags: 1,
    forward_urg_flags: 1,
    forward_header_length: 56,
    minimum_packet_length: '1514',
    maximum_packet_length: '1514',
    packet_length_mean: 1514,
  },
  correlation_id: 'run-1',
  schema_version: 31,
  protobuf_version: '3.1.0',
};

/** An ICMPv6 packet has neither ports nor flags; proto3 leaves out what is 0, empty or false. */
const icmp: CapturedEvent = {
  ...tcp,
  family: 'ipv6',
  sourceAddress: 'fe80::1',
  destinationAddress: 'ff02::1',
  sourcePort: 0,
  destinationPort: 0,
  protocol: 58,
  protocolName: 'ICMPv6',
  tcpFlags: 0,
  packetLength: 118,
  ipHeaderLength: 40,
  transportHeaderLength: 8,
  timestamp: 999_999_999n,
  interfaceMode: 0,
  isWanFacing: false,
  interfaceName: '',
};

const expectedIcmp = {
  event_id: 'run-2',
  event_timestamp: { seconds: String(startSeconds + 1) },
  originating_node_id: 'node-a',
  network_features: {
    source_ip: 'fe80::1',
    destination_ip: 'ff02::1',
    protocol_number: 58,
    protocol_name: 'ICMPv6',
    source_ifindex: 7,
    flow_start_time: { seconds: String(startSeconds + 1) },
    total_forward_packets: '1',
    total_forward_bytes: '118',
    forward_packet_length_max: '118',
    forward_packet_length_min: '118',
    forward_packet_length_mean: 118,
    average_packet_size: 118,
    average_forward_segment_size: 118,
    forward_header_length: 48,
    minimum_packet_length: '118',
    maximum_packet_length: '118',
    packet_length_mean: 118,
  },
  correlation_id: 'run-2',
  schema_version: 31,
  protobuf_version: '3.1.0',
};

function loadedFromProtobufjs(): string[] {
  return Object.keys(createRequire(import.meta.url).cache).filter((path) =>
    path.includes('/node_modules/protobufjs/'),
  );
}

async function loadSchema(): Promise<{ event: Type; features: Type }> {
  const { default: protobuf } = await import('protobufjs');
  const root = await new protobuf.Root().load(schemaPath, { keepCase: true });
  root.resolveAll();
  return {
    event: root.lookupType('protobuf.NetworkSecurityEvent'),
    features: root.lookupType('protobuf.NetworkFeatures'),
  };
}

// The first test of the file, since what follows loads protobufjs.
t.test('protobufjs is loaded with the first encoder and not with the sniffer', async (t) => {
  t.strictSame(loadedFromProtobufjs(), []);
  await createSecurityEventEncoder({ wallClock });
  t.ok(loadedFromProtobufjs().some((path) => path.endsWith('/protobufjs/minimal.js')));
  t.notOk(
    loadedFromProtobufjs().some((path) => path.endsWith('/protobufjs/src/parse.js')),
    'only its runtime',
  );
});

t.test("the field tables agree with the schema as protobufjs' parser reads it", async (t) => {
  const { networkFeatures, networkSecurityEvent } = await import('../../src/sniffer/wire-fields.ts');
  const { event, features } = await loadSchema();
  const schemaTypes: Record<string, string> = {
    timestamp: 'google.protobuf.Timestamp',
    features: 'NetworkFeatures',
  };
  const tables: [type: Type, table: FieldTable][] = [
    [features, networkFeatures],
    [event, networkSecurityEvent],
  ];
  for (const [type, table] of tables) {
    let last = 0;
    for (const [name, [number, wireType]] of Object.entries(table)) {
      const field = type.get(name) as { id: number; type: string; repeated: boolean } | null;
      t.strictSame(
        { number: field?.id, type: field?.type, repeated: field?.repeated },
        { number, type: schemaTypes[wireType] ?? wireType, repeated: false },
        name,
      );
      t.ok(number > last, 'in ascending order');
      last = number;
    }
  }
});

t.test('what the schema leaves out of the original is reserved', async (t) => {
  const { event, features } = await loadSchema();
  for (const number of [5, 6, 7, 8, 9, 10, 11, 12, 31, 34, 35])
    t.ok(event.isReservedId(number), `event ${String(number)}`);
  for (const number of [106, 112, 113, 114, 115, 116])
    t.ok(features.isReservedId(number), `features ${String(number)}`);
  t.equal(event.fieldsArray.length, 18);
  t.equal(features.fieldsArray.length, 80);
});

t.test('every field of an event arrives, and no other', async (t) => {
  const { event: type } = await loadSchema();
  const encoder = await createSecurityEventEncoder({ wallClock, nodeId: 'node-a', eventIdPrefix: 'run' });
  for (const [event, expected] of [
    [tcp, expectedTcp],
    [icmp, expectedIcmp],
  ] as const) {
    const bytes = encoder.encode(event);
    const message = type.decode(bytes);
    t.strictSame(type.toObject(message, { longs: String }), expected);
    t.strictSame(
      Buffer.from(type.encode(message).finish()),
      Buffer.from(bytes),
      'byte for byte what protobufjs encodes',
    );
  }
});

t.test('a stream of delimited events is read back message by message', async (t) => {
  const { event: type } = await loadSchema();
  const { default: protobuf } = await import('protobufjs');
  const encoder = await createSecurityEventEncoder({ wallClock, nodeId: 'node-a', eventIdPrefix: 'run' });
  const stream = Buffer.concat([encoder.encodeDelimited(tcp), encoder.encodeDelimited(icmp)]);
  const reader = protobuf.Reader.create(stream);
  t.strictSame(type.toObject(type.decodeDelimited(reader), { longs: String }), expectedTcp);
  t.strictSame(type.toObject(type.decodeDelimited(reader), { longs: String }), expectedIcmp);
  t.equal(reader.pos, stream.length);
});

t.test('event ids are counted, and differ from run to run; the node is the host', async (t) => {
  const { event: type } = await loadSchema();
  const ids = new Set<unknown>();
  for (let run = 0; run < 2; run++) {
    const encoder = await createSecurityEventEncoder({ wallClock });
    for (let index = 1; index <= 50; index++) {
      const { event_id, originating_node_id } = type.toObject(type.decode(encoder.encode(tcp)));
      t.match(event_id, new RegExp(`^[0-9a-f]{16}-${String(index)}$`));
      t.equal(originating_node_id, hostname());
      ids.add(event_id);
    }
  }
  t.equal(ids.size, 100);
});

t.test('64-bit integers are written as they are, which bigints are not', async (t) => {
  const { default: protobuf } = await import('protobufjs');
  const { uint64 } = await import('../../src/sniffer/wire-form.ts');
  const roundTrip = (value: Parameters<typeof protobuf.Writer.prototype.uint64>[0]): string => {
    const { low, high } = protobuf.Reader.create(protobuf.Writer.create().uint64(value).finish()).uint64();
    return String((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));
  };
  for (const value of [
    0n,
    1n,
    0x7fff_ffffn,
    0x8000_0000n,
    0xffff_ffffn,
    1n << 32n,
    1n << 63n,
    (1n << 64n) - 1n,
  ]) {
    t.equal(roundTrip(uint64(value)), String(value), String(value));
  }
  for (const value of [0, 1, 0x8000_0000, 0xffff_ffff, 2 ** 32, 2 ** 52 + 1, Number.MAX_SAFE_INTEGER]) {
    t.equal(roundTrip(uint64(value)), String(value), String(value));
  }
  t.equal(roundTrip(5n as never), '0', 'the reason for it: protobufjs takes a bigint and writes 0');
});

const protoc = (process.env['PATH'] ?? '')
  .split(':')
  .map((directory) => `${directory}/protoc`)
  .find((path) => existsSync(path));

t.test(
  'protoc decodes it with the same schema',
  { skip: protoc === undefined && 'no protoc in PATH' },
  async (t) => {
    // Its package may come without the well-known types.
    const time = (name: string): string =>
      `syntax = "proto3"; package google.protobuf; message ${name} { int64 seconds = 1; int32 nanos = 2; }`;
    const directory = t.testdir({
      'network_security.proto': readFileSync(schemaPath, 'utf8'),
      google: { protobuf: { 'timestamp.proto': time('Timestamp'), 'duration.proto': time('Duration') } },
    });
    const encoder = await createSecurityEventEncoder({ wallClock, nodeId: 'node-a', eventIdPrefix: 'run' });
    const text = execFileSync(
      protoc ?? '',
      [`-I${directory}`, '--decode=protobuf.NetworkSecurityEvent', `${directory}/network_security.proto`],
      { input: encoder.encode(tcp), encoding: 'utf8' },
    );
    const lines = (message: object, indent = ''): string[] =>
      Object.entries(message).flatMap(([name, value]: [string, unknown]) => {
        if (typeof value === 'object' && value !== null)
          return [`${indent}${name} {`, ...lines(value, `${indent}  `), `${indent}}`];
        const isText =
          typeof value === 'string' && !/^(seconds|total_|.*_length_(min|max)$|.*imum_)/.test(name);
        return [`${indent}${name}: ${isText ? JSON.stringify(value) : String(value)}`];
      });
    t.strictSame(text.trimEnd().split('\n'), lines(expectedTcp));
  },
);
