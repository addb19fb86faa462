/** The protocols a reader of packet lists expects by name; numbers are IANA's. */
const protocolNames: Readonly<Record<number, string>> = {
  1: 'ICMP',
  2: 'IGMP',
  4: 'IPIP',
  6: 'TCP',
  17: 'UDP',
  33: 'DCCP',
  41: 'IPv6',
  47: 'GRE',
  50: 'ESP',
  51: 'AH',
  58: 'ICMPv6',
  89: 'OSPF',
  103: 'PIM',
  112: 'VRRP',
  132: 'SCTP',
  136: 'UDPLite',
  255: 'Reserved',
};

/** `TCP` for 6; `PROTO_n` where the number has no name here. */
export function protocolName(protocol: number): string {
  return protocolNames[protocol] ?? `PROTO_${String(protocol)}`;
}

/** Bits of the thirteenth byte of the TCP header (RFC 9293, RFC 3168). */
export const TcpFlag = {
  Fin: 0x01,
  Syn: 0x02,
  Rst: 0x04,
  Psh: 0x08,
  Ack: 0x10,
  Urg: 0x20,
  Ece: 0x40,
  Cwr: 0x80,
} as const;

/** The names of the flags that are set, lowest bit first: `['SYN', 'ACK']`. */
export function tcpFlagNames(flags: number): string[] {
  return Object.entries(TcpFlag)
    .filter(([, bit]) => (flags & bit) !== 0)
    .map(([name]) => name.toUpperCase());
}
