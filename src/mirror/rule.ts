import { ArgumentError } from '../errors.ts';
import { parseIpAddress } from '../netlink/index.ts';

/** Which frames are mirrored: those that have everything named here. */
export interface MirrorRule {
  /** `0x0806` is ARP. Behind VLAN tags. */
  readonly etherType?: number;
  /** The IP protocol: 6 is TCP. */
  readonly protocol?: number;
  /** Source or destination. */
  readonly port?: number;
  /** Source or destination. */
  readonly network?: { readonly address: Uint8Array; readonly prefixLength: number };
}

const NAMES: Readonly<Record<string, MirrorRule>> = {
  arp: { etherType: 0x0806 },
  ip: { etherType: 0x0800 },
  ip6: { etherType: 0x86dd },
  icmp: { etherType: 0x0800, protocol: 1 },
  icmp6: { etherType: 0x86dd, protocol: 58 },
  tcp: { protocol: 6 },
  udp: { protocol: 17 },
  sctp: { protocol: 132 },
};

const FIELDS: Readonly<Record<string, (text: string, rule: string) => MirrorRule>> = {
  ether: (text, rule) => ({ etherType: parseNumber(text, { most: 0xffff, rule }) }),
  proto: (text, rule) => ({ protocol: parseNumber(text, { most: 0xff, rule }) }),
  port: (text, rule) => ({ port: parseNumber(text, { most: 0xffff, rule }) }),
  host: (text, rule) => ({ network: parseNetwork(text, rule) }),
};

/**
 * `tcp,port=443`, `arp`, `host=10.0.0.0/8`: names (arp, ip, ip6, icmp, icmp6, tcp, udp, sctp) and `ether=`, `proto=`, `port=`,
 * `host=`, all of which hold.
 *
 * @throws ArgumentError
 */
export function parseMirrorRule(text: string): MirrorRule {
  let rule: MirrorRule = {};
  for (const part of text.split(',').map((word) => word.trim())) {
    const more = parsePart(part, text);
    for (const [field, value] of Object.entries(more)) {
      const before = rule[field as keyof MirrorRule];
      if (before !== undefined && before !== value)
        throw wrongRule(text, `${part} contradicts what is before it`);
    }
    rule = { ...rule, ...more };
  }
  return rule;
}

function parsePart(part: string, rule: string): MirrorRule {
  const at = part.indexOf('=');
  const [name, value] = at < 0 ? [part, undefined] : [part.slice(0, at), part.slice(at + 1)];
  if (value === undefined && Object.hasOwn(NAMES, name)) return NAMES[name] ?? {};
  if (value !== undefined && Object.hasOwn(FIELDS, name)) return FIELDS[name]?.(value, rule) ?? {};
  throw wrongRule(rule, `${JSON.stringify(part)} is not known`);
}

function parseNumber(text: string, { most, rule }: { most: number; rule: string }): number {
  const value = /^(?:\d+|0x[\da-f]+)$/i.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= most) return value;
  throw wrongRule(rule, `${JSON.stringify(text)} is no number from 1 to ${String(most)}`);
}

function parseNetwork(text: string, rule: string): { address: Uint8Array; prefixLength: number } {
  const [host = '', length, ...rest] = text.split('/');
  const address = tryAddress(host);
  const most = (address?.length ?? 0) * 8;
  const prefixLength = length === undefined ? most : /^\d{1,3}$/.test(length) ? Number(length) : -1;
  if (address && rest.length === 0 && prefixLength >= 0 && prefixLength <= most)
    return { address, prefixLength };
  throw wrongRule(rule, `${JSON.stringify(text)} is neither an address nor a network`);
}

function tryAddress(text: string): Uint8Array | undefined {
  try {
    return parseIpAddress(text);
  } catch (error) {
    if (error instanceof ArgumentError) return undefined;
    throw error;
  }
}

function wrongRule(rule: string, why: string): ArgumentError {
  return new ArgumentError('rule', `Cannot mirror by the rule ${JSON.stringify(rule)}: ${why}`, {
    hint: 'a rule is a list of arp, ip, ip6, icmp, icmp6, tcp, udp, sctp, ether=N, proto=N, port=N and host=ADDRESS[/BITS]',
  });
}
