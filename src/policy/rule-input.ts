import { isIPv4 } from 'node:net';
import { policyProtocolNumber, PROTOCOLS_WITH_PORTS, policyProtocolName, type PolicyMatch } from './rule.ts';

/** What a text means: a value, undefined for any, or why it means nothing. */
export type Parsed<Value> = { readonly value: Value | undefined } | { readonly wanted: string };

const ANY = 'any';

/** `10.0.0.1`; `any` and 0.0.0.0 are any. */
export function parseRuleAddress(text: string): Parsed<string> {
  if (text === ANY || text === '0.0.0.0') return { value: undefined };
  return isIPv4(text) ? { value: text } : { wanted: 'an IPv4 address or "any"' };
}

/** `443`; `any` and 0 are any. */
export function parseRulePort(text: string): Parsed<number> {
  if (text === ANY) return { value: undefined };
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 0xffff) return { wanted: 'a port from 0 to 65535 or "any"' };
  return { value: port === 0 ? undefined : port };
}

/** `tcp` or `6`; `any` and 0 are any. */
export function parseRuleProtocol(text: string): Parsed<number> {
  if (text === ANY) return { value: undefined };
  const protocol = /^\d{1,3}$/.test(text) ? Number(text) : policyProtocolNumber(text);
  if (protocol === undefined || protocol > 255)
    return { wanted: 'a protocol (tcp, udp, icmp, a number from 0 to 255) or "any"' };
  return { value: protocol === 0 ? undefined : protocol };
}

/** Why no packet could ever match; undefined where one can. */
export function whyNothingMatches({ port, protocol }: PolicyMatch): string | undefined {
  if (port === undefined || protocol === undefined || PROTOCOLS_WITH_PORTS.includes(protocol))
    return undefined;
  return `packets of protocol ${policyProtocolName(protocol)} have no port`;
}
