/** `ts-xdp load --protobuf`: read back with protobufjs by the schema that is shipped. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import t from 'tap';
import { EtherType, Protocol, ethernet, ipv4, pattern, udp } from '../fixtures/frames.ts';
import { packetCases } from '../fixtures/packets.ts';
import { Cli, notRoot, pause, projectRoot } from '../helpers/cli.ts';
import { runHosted } from '../helpers/command-host.ts';
import { ip } from '../helpers/kernel-objects.ts';
import { snifferObject } from '../helpers/sniffer-events.ts';
import { withVethPair } from '../helpers/veth.ts';
import type { VethPair } from '../helpers/veth.ts';

const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-protobuf-'));
t.teardown(() => {
  rmSync(folder, { recursive: true });
});

const place = (pair: VethPair): string[] => ['--netns', String(pair.namespaceName), '--json'];

function send(pair: VethPair, ...frames: Uint8Array[]): void {
  const socket = pair.openPacketSocket();
  for (const frame of frames) socket.send(frame);
  socket.close();
}

function toPort(destinationPort: number): Uint8Array {
  const datagram = udp({ sourcePort: 40000, destinationPort }, pattern(8));
  return ethernet(EtherType.Ipv4, ipv4({ protocol: Protocol.Udp }, datagram));
}

interface WireEvent {
  readonly [field: string]: unknown;
  readonly networkFeatures: Record<string, unknown>;
}

/** The file read with protobufjs and the schema that is shipped. */
function decode(bytes: Uint8Array): WireEvent[] {
  const root = protobuf.loadSync(join(projectRoot, 'proto/network_security.proto'));
  const type = root.lookupType('protobuf.NetworkSecurityEvent');
  const reader = protobuf.Reader.create(bytes);
  const events: WireEvent[] = [];
  while (reader.pos < reader.len) {
    events.push(type.toObject(type.decodeDelimited(reader), { longs: Number, defaults: true }) as WireEvent);
  }
  return events;
}

t.test('--protobuf writes what the schema says', { skip: notRoot }, (t) =>
  withVethPair(
    async (pair) => {
      const { receiver } = pair;
      const path = join(folder, 'events.pb');
      const frames = packetCases.filter(
        ({ expected, severalBuffers }) =>
          expected !== 'ignored' && expected.map === 'events' && !severalBuffers,
      );
      const cli = new Cli([
        'load',
        snifferObject,
        '--iface',
        receiver.name,
        '--protobuf',
        path,
        ...place(pair),
      ]);
      await cli.attached();
      send(pair, ...frames.map(({ frame }) => frame));
      await cli.until(({ events }) => events.length === frames.length);
      const { code, lines } = await cli.stop();
      t.equal(code, 0);
      const written = decode(readFileSync(path));
      t.equal(written.length, frames.length);
      const printed = lines.filter(({ type }) => type === 'event');
      written.forEach((event, index) => {
        const { expected } = frames[index]!;
        if (expected === 'ignored') return;
        const { time } = printed[index]!;
        const { seconds, nanos } = event['eventTimestamp'] as { seconds: number; nanos: number };
        const iso = `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(nanos).padStart(9, '0')}Z`;
        const features = event.networkFeatures;
        t.strictSame(
          [
            event['schemaVersion'],
            event['protobufVersion'],
            event['originatingNodeId'],
            iso,
            features['sourceIp'],
            features['destinationIp'],
            features['sourcePort'],
            features['destinationPort'],
            features['protocolNumber'],
            features['interfaceMode'],
            features['sourceIfindex'],
            features['sourceInterface'],
            features['totalForwardPackets'],
            features['totalForwardBytes'],
            features['forwardHeaderLength'],
            features['synFlagCount'],
          ],
          [
            31,
            '3.1.0',
            hostname(),
            time,
            dotted(expected.src_ip as number),
            dotted(expected.dst_ip as number),
            expected.src_port,
            expected.dst_port,
            expected.protocol,
            2,
            receiver.index,
            receiver.name,
            1,
            expected.packet_len,
            expected.ip_header_len + expected.l4_header_len,
            (expected.tcp_flags >> 1) & 1,
          ],
        );
      });
      t.equal(new Set(written.map(({ eventId }) => eventId)).size, frames.length, 'no event id twice');
    },
    { mtu: 3000 },
  ),
);

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => String((address >>> shift) & 0xff)).join('.');
}

t.test('--protobuf - leaves standard output to the events', { skip: notRoot }, (t) =>
  withVethPair(async (pair) => {
    const path = join(folder, 'stdout.pb');
    const { receiver } = pair;
    const to = ['--iface', receiver.name, '--netns', String(pair.namespaceName), '--protobuf', '-'];
    const script = `exec "$0" "$@" > '${path}'`;
    const cli = new Cli(['load', snifferObject, ...to, '--count', '3'], { prefix: ['sh', '-c', script] });
    await cli.until(() => ip(`-d link show dev ${receiver.name}`, pair.namespaceName).includes('prog/xdp'));
    await pause(50);
    send(pair, toPort(1), toPort(2), toPort(3));
    const { code, stderr } = await cli.ended;
    t.equal(code, 0);
    t.same(
      decode(readFileSync(path)).map(({ networkFeatures }) => networkFeatures['destinationPort']),
      [1, 2, 3],
    );
    t.match(stderr, "note: filled the sniffer's maps");
    const failed = await runHosted([
      'load',
      snifferObject,
      '--iface',
      'nonesuch',
      '--protobuf',
      '-',
      '--json',
    ]);
    t.same([failed.code, failed.stdout], [1, '']);
    t.match(failed.stderr, 'error: Cannot find interface nonesuch: there is none of that name\n');
  }),
);
