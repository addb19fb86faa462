import {
  describeDenial,
  describeMatch,
  policyProtocolName,
  type CountedRule,
  type Denial,
  type PolicyCounters,
  type PolicyMatch,
  type PolicySettings,
  type RuleChanges,
} from '../../policy/index.ts';
import { WallClock } from '../../sys/index.ts';
import type { Json } from '../output/error-report.ts';

type Fields = { [name: string]: Json };

/** What a rule looks at, as JSON: `null` is any, protocols are names where they have one. */
export function matchDocument({ source, destination, port, protocol }: PolicyMatch): Fields {
  return {
    source: source ?? null,
    destination: destination ?? null,
    port: port ?? null,
    protocol: protocol === undefined ? null : policyProtocolName(protocol),
  };
}

export function ruleDocument({ action, packets, bytes, ...match }: CountedRule): Fields {
  return { ...matchDocument(match), action, packets: packets.toString(), bytes: bytes.toString() };
}

/** `allow tcp 10.0.0.1 -> 10.0.0.2:443  12 packets, 720 bytes` */
export function ruleLine({ action, packets, bytes, ...match }: CountedRule): string {
  return `${action.padEnd(5)} ${describeMatch(match)}  ${packets.toString()} packets, ${bytes.toString()} bytes`;
}

/** `added 1, changed 0, removed 2` */
export function changesText({ added, changed, removed }: RuleChanges): string {
  return `added ${added}, changed ${changed}, removed ${removed}`;
}

export function settingsDocument({ defaultAction, ipv6, dryRun }: PolicySettings): Fields {
  return { default: defaultAction, ipv6, dry_run: dryRun };
}

export function settingsLine({ defaultAction, ipv6, dryRun }: PolicySettings): string {
  const six = ipv6 === 'default' ? '' : `, IPv6 ${ipv6}`;
  return `default ${defaultAction}${six}${dryRun ? '; dry run, everything passes' : ''}`;
}

export function countersDocument(counters: PolicyCounters): Fields {
  return {
    seen: counters.seen.toString(),
    not_ip: counters.ignored.toString(),
    allowed_by_rule: counters.allowedByRule.toString(),
    allowed_by_default: counters.allowedByDefault.toString(),
    denied_by_rule: counters.deniedByRule.toString(),
    denied_by_default: counters.deniedByDefault.toString(),
    denied_malformed: counters.deniedMalformed.toString(),
    passed_dry_run: counters.passedDryRun.toString(),
    logged: counters.submitted.toString(),
    unlogged: counters.unlogged.toString(),
    lost: counters.noSpace.toString(),
  };
}

export function countersLine(counters: PolicyCounters): string {
  const { allowedByRule, allowedByDefault, deniedByRule, deniedByDefault, deniedMalformed } = counters;
  const allowed = allowedByRule + allowedByDefault;
  const denied = deniedByRule + deniedByDefault + deniedMalformed;
  const part = (count: bigint, what: string): string => `${count.toString()} ${what}`;
  const dry =
    counters.passedDryRun > 0n ? `, of which passed by dry run ${counters.passedDryRun.toString()}` : '';
  return (
    `${part(counters.seen, 'packets')}: ` +
    `allowed ${allowed.toString()} (${part(allowedByRule, 'by rule')}, ${part(allowedByDefault, 'by default')}), ` +
    `denied ${denied.toString()} (${part(deniedByRule, 'by rule')}, ${part(deniedByDefault, 'by default')}, ` +
    `${part(deniedMalformed, 'malformed')})${dry}, ${part(counters.ignored, 'not IP')}; ` +
    `denials logged: ${counters.submitted.toString()}, over the rate: ${counters.unlogged.toString()}, ` +
    `lost: ${counters.noSpace.toString()}`
  );
}

/** Prints denials with the time on the wall and the name of the interface. */
export class DenialText {
  readonly #clock = WallClock.ofKernel();
  readonly #names: ReadonlyMap<number, string>;

  /** `names` are those of the interfaces, by their indexes. */
  constructor(names: ReadonlyMap<number, string>) {
    this.#names = names;
  }

  document(denial: Denial): Json {
    const { family, rule } = denial;
    return {
      type: 'denial',
      time: this.#clock.toIso(denial.timestamp),
      reason: denial.reason,
      interface: this.#names.get(denial.ifindex) ?? null,
      ifindex: denial.ifindex,
      family: family ?? null,
      protocol: denial.protocol,
      protocol_name: policyProtocolName(denial.protocol),
      src_ip: family ? denial.sourceAddress : null,
      src_port: denial.sourcePort,
      dst_ip: family ? denial.destinationAddress : null,
      dst_port: denial.destinationPort,
      packet_size: denial.packetSize,
      rule: rule ? matchDocument(rule) : null,
      dry_run: denial.dryRun,
      timestamp: denial.timestamp.toString(),
    };
  }

  line(denial: Denial): string {
    const name = this.#names.get(denial.ifindex) ?? `interface ${denial.ifindex}`;
    const by = denial.rule ? `, by the rule ${describeMatch(denial.rule)}` : '';
    return `${this.#clock.toIso(denial.timestamp)} denied on ${name}: ${describeDenial(denial)}${by}`;
  }
}
