/**
 * The field numbers and types of `proto/network_security.proto`, one table per message, in ascending order of numbers.
 *
 * A table and not the static module that protobufjs-cli would generate: the encoder's types are derived from it (a field
 * that does not exist, or a bigint for a `uint64`, does not compile), it is 100 lines in place of several thousand that
 * would have to be parsed before the first event, and `tsc` copies no generated JavaScript into the package. What a
 * generator would guarantee, a test does: every entry is compared with the schema as protobufjs' own parser reads it.
 */

/** A 64-bit integer in the form that protobufjs takes. It encodes a bigint as 0 without a word. */
export interface Uint64 {
  readonly low: number;
  readonly high: number;
  readonly unsigned: true;
}

/** Content of google.protobuf.Timestamp: seconds since 1970-01-01T00:00:00Z, and 0 to 999,999,999 nanoseconds. */
export interface Timestamp {
  readonly seconds: bigint;
  readonly nanoseconds: number;
}

/** The TypeScript type of each wire type. */
export interface ValueTypes {
  readonly string: string;
  readonly bool: boolean;
  readonly uint32: number;
  readonly uint64: Uint64;
  readonly double: number;
  readonly timestamp: Timestamp;
  readonly features: NetworkFeaturesMessage;
}

export type WireType = keyof ValueTypes;

export type FieldTable = Readonly<Record<string, readonly [number: number, type: WireType]>>;

export type MessageOf<Table extends FieldTable> = {
  readonly [Name in keyof Table]?: ValueTypes[Table[Name][1]];
};

export type NetworkFeaturesMessage = MessageOf<typeof networkFeatures>;
export type NetworkSecurityEventMessage = MessageOf<typeof networkSecurityEvent>;

export const networkFeatures = {
  source_ip: [1, 'string'],
  destination_ip: [2, 'string'],
  source_port: [3, 'uint32'],
  destination_port: [4, 'uint32'],
  protocol_number: [5, 'uint32'],
  protocol_name: [6, 'string'],
  interface_mode: [7, 'uint32'],
  is_wan_facing: [8, 'bool'],
  source_ifindex: [9, 'uint32'],
  source_interface: [10, 'string'],
  flow_start_time: [11, 'timestamp'],
  total_forward_packets: [14, 'uint64'],
  total_backward_packets: [15, 'uint64'],
  total_forward_bytes: [16, 'uint64'],
  total_backward_bytes: [17, 'uint64'],
  forward_packet_length_max: [20, 'uint64'],
  forward_packet_length_min: [21, 'uint64'],
  forward_packet_length_mean: [22, 'double'],
  forward_packet_length_std: [23, 'double'],
  average_packet_size: [45, 'double'],
  average_forward_segment_size: [46, 'double'],
  fin_flag_count: [70, 'uint32'],
  syn_flag_count: [71, 'uint32'],
  rst_flag_count: [72, 'uint32'],
  psh_flag_count: [73, 'uint32'],
  ack_flag_count: [74, 'uint32'],
  urg_flag_count: [75, 'uint32'],
  cwe_flag_count: [76, 'uint32'],
  ece_flag_count: [77, 'uint32'],
  forward_psh_flags: [78, 'uint32'],
  forward_urg_flags: [80, 'uint32'],
  forward_header_length: [85, 'double'],
  minimum_packet_length: [95, 'uint64'],
  maximum_packet_length: [96, 'uint64'],
  packet_length_mean: [97, 'double'],
  packet_length_std: [98, 'double'],
  packet_length_variance: [99, 'double'],
} as const satisfies FieldTable;

export const networkSecurityEvent = {
  event_id: [1, 'string'],
  event_timestamp: [2, 'timestamp'],
  originating_node_id: [3, 'string'],
  network_features: [4, 'features'],
  correlation_id: [20, 'string'],
  schema_version: [25, 'uint32'],
  protobuf_version: [28, 'string'],
} as const satisfies FieldTable;
