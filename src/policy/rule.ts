/** Whether packets pass. */
export type PolicyAction = 'allow' | 'deny';

/** What a rule looks at; undefined is any. */
export interface PolicyMatch {
  /** IPv4, dotted text. */
  readonly source: string | undefined;
  readonly destination: string | undefined;
  /** Of the destination, 1 to 65,535. Packets without ports are matched only by rules without one. */
  readonly port: number | undefined;
  /** IANA number of the protocol above IP. */
  readonly protocol: number | undefined;
}

export interface PolicyRule extends PolicyMatch {
  readonly action: PolicyAction;
}

/** Entries of `security_policies`. */
export const MAX_RULES = 100_000;

/** Protocols whose packets have ports here: TCP, UDP, SCTP, UDP-Lite. */
export const PROTOCOLS_WITH_PORTS: readonly number[] = [6, 17, 132, 136];

/** Those with a name here; numbers are IANA's. */
const PROTOCOL_NUMBERS: Readonly<Record<string, number>> = {
  icmp: 1,
  igmp: 2,
  ipip: 4,
  tcp: 6,
  udp: 17,
  ipv6: 41,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  ospf: 89,
  vrrp: 112,
  sctp: 132,
  udplite: 136,
};

const PROTOCOL_NAMES = new Map(Object.entries(PROTOCOL_NUMBERS).map(([name, number]) => [number, name]));

/** `tcp` for 6, the number as text where it has no name here. */
export function policyProtocolName(protocol: number): string {
  return PROTOCOL_NAMES.get(protocol) ?? String(protocol);
}

/** The number of `tcp`; undefined for a name that is not known here. */
export function policyProtocolNumber(name: string): number | undefined {
  const known = name.toLowerCase();
  return Object.hasOwn(PROTOCOL_NUMBERS, known) ? PROTOCOL_NUMBERS[known] : undefined;
}

/** `tcp 10.0.0.1 -> 10.0.0.2:443`, `any` for what is not said. */
export function describeMatch({ source, destination, port, protocol }: PolicyMatch): string {
  const name = protocol === undefined ? 'any' : policyProtocolName(protocol);
  const to = `${destination ?? 'any'}${port === undefined ? '' : `:${String(port)}`}`;
  return `${name} ${source ?? 'any'} -> ${to}`;
}

/** Two rules of one key are about the same packets. */
export function matchKey(match: PolicyMatch): string {
  return describeMatch(match);
}
