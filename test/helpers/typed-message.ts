/** What test/fixtures/typed-events.bpf.c is sent, and what it makes of it. */
import { EtherType, Protocol, ethernet, ipv4, udp } from '../fixtures/frames.ts';

/** `struct message` of the fixture, packed and little-endian. */
export interface Message {
  readonly kind: number;
  readonly name: string;
  readonly key: readonly number[];
  readonly balance: number;
  readonly total: bigint;
  readonly parts: readonly bigint[];
  readonly latitude: number;
  readonly longitude: number;
  readonly bits: number;
}

export const MESSAGE_SIZE = 1 + 12 + 4 + 4 + 8 + 24 + 4 + 1;

export function encode(message: Message): Uint8Array {
  const bytes = Buffer.alloc(MESSAGE_SIZE);
  bytes.writeUInt8(message.kind, 0);
  bytes.write(message.name, 1, 12, 'utf8');
  bytes.set(message.key, 13);
  bytes.writeInt32LE(message.balance, 17);
  bytes.writeBigUInt64LE(message.total, 21);
  message.parts.forEach((part, index) => bytes.writeBigUInt64LE(part, 29 + index * 8));
  bytes.writeInt16LE(message.latitude, 53);
  bytes.writeInt16LE(message.longitude, 55);
  bytes.writeUInt8(message.bits, 57);
  return bytes;
}

export function packet(port: number, message: Message): Uint8Array {
  const datagram = udp({ sourcePort: 40000, destinationPort: port }, encode(message));
  return ethernet(EtherType.Ipv4, ipv4({ protocol: Protocol.Udp }, datagram));
}

export const modest: Message = {
  kind: 1,
  name: 'alice',
  key: [0, 1, 0xfe, 0xff],
  balance: -20,
  total: 5n,
  parts: [1n, 2n, 3n],
  latitude: -90,
  longitude: 180,
  bits: 0b10101_011,
};
/** What does not fit into a double, and a name that fills its array to the last byte. */
export const extreme: Message = {
  kind: 255,
  name: 'twelve-bytes',
  key: [0xde, 0xad, 0xbe, 0xef],
  balance: -0x8000_0000,
  total: 0xffff_ffff_ffff_fff0n,
  parts: [0x7fff_ffff_ffff_ffffn, 9_007_199_254_740_993n, 0n],
  latitude: -0x8000,
  longitude: 0x7fff,
  bits: 0xff,
};

export interface Setting {
  readonly offset: bigint;
  readonly sample: number;
  readonly rules: Readonly<Record<number, { verdict: string; weight: number }>>;
}

/** The fixture's program in TypeScript. */
export function expected(port: number, message: Message, setting: Setting): Record<string, unknown> {
  const rule = setting.rules[port];
  return {
    total: BigInt.asUintN(64, message.total + setting.offset).toString(),
    parts: message.parts.map(String),
    negative: BigInt.asIntN(64, -message.total).toString(),
    balance: message.balance,
    verdict: rule?.verdict ?? 'VERDICT_UNKNOWN',
    name: message.name,
    key: Buffer.from(message.key).toString('hex'),
    place: { latitude: message.latitude, longitude: message.longitude },
    low: message.bits & 7,
    high: message.bits >> 3,
    flagged: (rule?.weight ?? 0) > 100,
    port,
    sample: setting.sample,
  };
}
