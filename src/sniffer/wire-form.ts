import { Writer } from 'protobufjs/minimal.js';
import type { CapturedEvent } from './captured-event.ts';
import { TcpFlag } from './protocol-names.ts';
import { splitUnixNanoseconds } from '../sys/index.ts';
import type {
  FieldTable,
  NetworkFeaturesMessage,
  NetworkSecurityEventMessage,
  MessageOf,
  Timestamp,
  Uint64,
  ValueTypes,
  WireType,
} from './wire-fields.ts';
import { networkFeatures, networkSecurityEvent } from './wire-fields.ts';

// Loading this module loads protobufjs (about 10 ms): index.ts imports it when the first encoder is made, not before.

/** The version of the original's schema that its consumers check. */
const schemaVersion = 31;
const protobufVersion = '3.1.0';

/** What an event does not know about itself. */
export interface SecurityEventContext {
  /** Who saw it, for `originating_node_id`. */
  readonly nodeId: string;
  /** Unique among all events of all nodes. */
  readonly eventId: string;
  /** Wall-clock time in nanoseconds since 1970-01-01T00:00:00Z. */
  readonly time: bigint;
}

/** One event as a `protobuf.NetworkSecurityEvent`. The bytes are the caller's. */
export function encodeSecurityEvent(event: CapturedEvent, context: SecurityEventContext): Uint8Array {
  return writeMessage(securityEvent(event, context), networkSecurityEvent, Writer.create()).finish();
}

/** The same after its length as a varint, as protobuf's `writeDelimitedTo` and `parseDelimitedFrom` frame a stream. */
export function encodeDelimitedSecurityEvent(
  event: CapturedEvent,
  context: SecurityEventContext,
): Uint8Array {
  const writer = Writer.create().fork();
  return writeMessage(securityEvent(event, context), networkSecurityEvent, writer).ldelim().finish();
}

/** An integer in the form that protobufjs encodes as it is, modulo 2^64. */
export function uint64(value: number | bigint): Uint64 {
  if (typeof value === 'number')
    return { low: value | 0, high: Math.floor(value / 2 ** 32) | 0, unsigned: true };
  return {
    low: Number(BigInt.asIntN(32, value)),
    high: Number(BigInt.asIntN(32, value >> 32n)),
    unsigned: true,
  };
}

function securityEvent(event: CapturedEvent, context: SecurityEventContext): NetworkSecurityEventMessage {
  const timestamp = splitUnixNanoseconds(context.time);
  return {
    event_id: context.eventId,
    event_timestamp: timestamp,
    originating_node_id: context.nodeId,
    network_features: packetFeatures(event, timestamp),
    correlation_id: context.eventId,
    schema_version: schemaVersion,
    protobuf_version: protobufVersion,
  };
}

/** The features of a flow that consists of this packet: all of it is forward, so deviations and backward fields are 0. */
function packetFeatures(event: CapturedEvent, timestamp: Timestamp): NetworkFeaturesMessage {
  const length = uint64(event.packetLength);
  const count = (flag: number): number => ((event.tcpFlags & flag) === 0 ? 0 : 1);
  return {
    source_ip: event.sourceAddress,
    destination_ip: event.destinationAddress,
    source_port: event.sourcePort,
    destination_port: event.destinationPort,
    protocol_number: event.protocol,
    protocol_name: event.protocolName,
    interface_mode: event.interfaceMode,
    is_wan_facing: event.isWanFacing,
    source_ifindex: event.interfaceIndex,
    source_interface: event.interfaceName,
    flow_start_time: timestamp,
    total_forward_packets: onePacket,
    total_forward_bytes: length,
    forward_packet_length_max: length,
    forward_packet_length_min: length,
    forward_packet_length_mean: event.packetLength,
    average_packet_size: event.packetLength,
    average_forward_segment_size: event.packetLength,
    fin_flag_count: count(TcpFlag.Fin),
    syn_flag_count: count(TcpFlag.Syn),
    rst_flag_count: count(TcpFlag.Rst),
    psh_flag_count: count(TcpFlag.Psh),
    ack_flag_count: count(TcpFlag.Ack),
    urg_flag_count: count(TcpFlag.Urg),
    // CWE is CICFlowMeter's spelling of CWR, which the original took over.
    cwe_flag_count: count(TcpFlag.Cwr),
    ece_flag_count: count(TcpFlag.Ece),
    forward_psh_flags: count(TcpFlag.Psh),
    forward_urg_flags: count(TcpFlag.Urg),
    forward_header_length: event.ipHeaderLength + event.transportHeaderLength,
    minimum_packet_length: length,
    maximum_packet_length: length,
    packet_length_mean: event.packetLength,
  };
}

const onePacket = uint64(1);

/** Wire types of the encoding: 0 varint, 1 eight bytes, 2 length-delimited. */
const wireTypes: Readonly<Record<WireType, number>> = {
  uint32: 0,
  uint64: 0,
  bool: 0,
  double: 1,
  string: 2,
  timestamp: 2,
  features: 2,
};

const writeValue: { readonly [Type in WireType]: (writer: Writer, value: ValueTypes[Type]) => void } = {
  uint32: (writer, value) => writer.uint32(value),
  uint64: (writer, value) => writer.uint64(value),
  bool: (writer, value) => writer.bool(value),
  double: (writer, value) => writer.double(value),
  string: (writer, value) => writer.string(value),
  timestamp: (writer, value) => writeTimestamp(writer.fork(), value).ldelim(),
  features: (writer, value) => writeMessage(value, networkFeatures, writer.fork()).ldelim(),
};

/** Fields that hold the default of their type are left out, as every proto3 encoder does. */
function writeMessage<Table extends FieldTable>(
  message: MessageOf<Table>,
  table: Table,
  writer: Writer,
): Writer {
  for (const name in table) {
    const value: unknown = message[name];
    if (isDefault(value)) continue;
    const [number, type] = table[name] as FieldTable[string];
    writer.uint32((number << 3) | wireTypes[type]);
    // The table has just said that this is the value's type; TypeScript does not follow the pair through the lookup.
    (writeValue[type] as (writer: Writer, value: unknown) => void)(writer, value);
  }
  return writer;
}

function isDefault(value: unknown): boolean {
  if (typeof value === 'object' && value !== null && 'high' in value && 'low' in value) {
    return value.high === 0 && value.low === 0;
  }
  return value === undefined || value === 0 || value === '' || value === false;
}

/** google.protobuf.Timestamp: int64 seconds = 1, int32 nanos = 2. */
function writeTimestamp(writer: Writer, { seconds, nanoseconds }: Timestamp): Writer {
  if (seconds !== 0n) writer.uint32(1 << 3).int64(uint64(seconds));
  if (nanoseconds !== 0) writer.uint32(2 << 3).int32(nanoseconds);
  return writer;
}
