import { NotFoundError } from '../../errors.ts';
import {
  describeMatch,
  parseRuleAddress,
  parseRulePort,
  parseRuleProtocol,
  PolicyMaps,
  whyNothingMatches,
  type Parsed,
  type PolicyMatch,
} from '../../policy/index.ts';
import { ExitCode, UsageError } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { DEFAULT_PIN, type RuleOptions, type SettingOptions } from './options.ts';
import { readRulesFile } from './rules-file.ts';
import {
  changesText,
  countersDocument,
  countersLine,
  matchDocument,
  ruleDocument,
  ruleLine,
  settingsDocument,
  settingsLine,
} from './text.ts';

/** `ts-xdp policy add` */
export function addRule(options: RuleOptions, output: Output): number {
  const match = matchOf(options, 'add');
  const { action } = options;
  if (action === undefined) throw new UsageError('policy add needs --action allow or --action deny');
  const nothing = whyNothingMatches(match);
  if (nothing !== undefined) throw new UsageError(`the rule would match nothing: ${nothing}`);
  using maps = PolicyMaps.fromPins(options.pin ?? DEFAULT_PIN);
  const result = maps.set({ ...match, action });
  output.result(
    { result, rule: { ...matchDocument(match), action } },
    `${result} ${action} ${describeMatch(match)}`,
  );
  return ExitCode.Done;
}

/** `ts-xdp policy remove`. @throws NotFoundError (KEY_NOT_FOUND) */
export function removeRule(options: RuleOptions, output: Output): number {
  const match = matchOf(options, 'remove');
  using maps = PolicyMaps.fromPins(options.pin ?? DEFAULT_PIN);
  const text = describeMatch(match);
  if (!maps.remove(match)) {
    const hint = 'ts-xdp policy list shows the rules; a rule is named by all of its fields';
    throw new NotFoundError('KEY_NOT_FOUND', text, `Cannot remove ${text}: there is no such rule`, { hint });
  }
  output.result({ result: 'removed', rule: matchDocument(match) }, `removed ${text}`);
  return ExitCode.Done;
}

/** `ts-xdp policy list`: its JSON is a file of rules. */
export async function listRules({ pin }: Pick<RuleOptions, 'pin'>, output: Output): Promise<number> {
  using maps = PolicyMaps.fromPins(pin ?? DEFAULT_PIN);
  const { settings } = maps;
  const rules = maps.list();
  output.result(
    { ...settingsDocument(settings), rules: rules.map(ruleDocument) },
    [...rules.map(ruleLine), settingsLine(settings)].join('\n'),
  );
  await output.flush();
  return ExitCode.Done;
}

/** `ts-xdp policy replace` */
export function replaceRules(
  { pin, rules }: Pick<RuleOptions, 'pin'> & { readonly rules?: string },
  output: Output,
): number {
  if (rules === undefined) throw new UsageError('policy replace needs --rules FILE');
  const file = readRulesFile(rules);
  using maps = PolicyMaps.fromPins(pin ?? DEFAULT_PIN);
  const changes = maps.apply(file);
  output.result(
    { ...changes, ...settingsDocument(maps.settings) },
    `${changesText(changes)}; ${settingsLine(maps.settings)}`,
  );
  return ExitCode.Done;
}

/** `ts-xdp policy set` */
export function changeSettings(options: SettingOptions, output: Output): number {
  using maps = PolicyMaps.fromPins(options.pin ?? DEFAULT_PIN);
  const { settings } = maps;
  maps.settings = {
    defaultAction: options.default ?? settings.defaultAction,
    ipv6: options.ipv6 ?? settings.ipv6,
    dryRun: options.dryRun === undefined ? settings.dryRun : options.dryRun === 'on',
    denialsPerSecond: options.logRate ?? settings.denialsPerSecond,
  };
  output.result(settingsDocument(maps.settings), settingsLine(maps.settings));
  return ExitCode.Done;
}

/** `ts-xdp policy stats` */
export function showCounters({ pin }: Pick<RuleOptions, 'pin'>, output: Output): number {
  using maps = PolicyMaps.fromPins(pin ?? DEFAULT_PIN);
  const counters = maps.counters();
  output.result(
    { ...settingsDocument(maps.settings), ...countersDocument(counters) },
    countersLine(counters),
  );
  return ExitCode.Done;
}

/** A rule without any field is a catch-all, which must be meant: one field at least is said, if only as `any`. */
function matchOf(options: RuleOptions, command: string): PolicyMatch {
  const fields = ['source', 'destination', 'port', 'protocol'] as const;
  if (fields.every((field) => !Object.hasOwn(options, field)))
    throw new UsageError(`policy ${command} needs a rule: --source, --destination, --port, --protocol`);
  return {
    source: read(options.source, parseRuleAddress),
    destination: read(options.destination, parseRuleAddress),
    port: read(options.port, parseRulePort),
    protocol: read(options.protocol, parseRuleProtocol),
  };
}

/** What was not said is any. @throws UsageError */
function read<Value>(text: string | undefined, parse: (text: string) => Parsed<Value>): Value | undefined {
  if (text === undefined) return undefined;
  const parsed = parse(text);
  if ('wanted' in parsed) throw new UsageError(`${text} is not ${parsed.wanted}`);
  return parsed.value;
}
