import { JsonObject, parseJson } from '../json/index.ts';
import type { PolicySettings } from './layout.ts';
import {
  parseRuleAddress,
  parseRulePort,
  parseRuleProtocol,
  whyNothingMatches,
  type Parsed,
} from './rule-input.ts';
import { matchKey, MAX_RULES, type PolicyAction, type PolicyRule } from './rule.ts';

/** What a file of rules says; settings that it leaves out are undefined. */
export interface RulesFile {
  readonly rules: readonly PolicyRule[];
  readonly defaultAction: PolicyAction | undefined;
  readonly ipv6: PolicySettings['ipv6'] | undefined;
  readonly dryRun: boolean | undefined;
}

const ACTIONS = { allow: 'allow', deny: 'deny' } as const;
const IPV6 = { ...ACTIONS, default: 'default' } as const;
const MATCH = ['source', 'destination', 'port', 'protocol'] as const;
/** `packets` and `bytes` are what `ts-xdp policy list --json` adds: its output is a file of rules. */
const RULE_FIELDS = [...MATCH, 'action', 'description', 'packets', 'bytes'];

/**
 * Reads a file of rules: `{"default": "deny", "rules": [{"source": "10.0.0.1", "port": 443, "protocol": "tcp", "action":
 * "allow"}]}`. A field that is left out, `null` or `"any"` is any. Keys that start with `_` are comments.
 *
 * @param file what to call it in errors
 * @throws ArgumentError whose `argument` is the path of the first wrong value: `rules[3].port`
 */
export function parseRulesFile(text: string, file: string): RulesFile {
  const root = new JsonObject(parseJson(text, file), { file, path: '' });
  root.allowOnly(['default', 'ipv6', 'dry_run', 'rules']);
  if (!root.has('rules')) throw root.error('rules', 'is missing');
  const objects = root.objects('rules');
  root.checkCount('rules', objects.length, MAX_RULES);
  return {
    rules: readRules(objects),
    defaultAction: root.has('default') ? root.choice('default', ACTIONS) : undefined,
    ipv6: root.has('ipv6') ? root.choice('ipv6', IPV6) : undefined,
    dryRun: root.optionalBoolean('dry_run'),
  };
}

function readRules(objects: readonly JsonObject[]): PolicyRule[] {
  const first = new Map<string, number>();
  return objects.map((object, index) => {
    const rule = readRule(object);
    const key = matchKey(rule);
    const before = first.get(key);
    if (before !== undefined)
      throw object.error(
        'action',
        `is of a rule that is there already: rules[${before}] is about ${key} too`,
      );
    first.set(key, index);
    return rule;
  });
}

function readRule(object: JsonObject): PolicyRule {
  object.allowOnly(RULE_FIELDS);
  const rule: PolicyRule = {
    source: read(object, 'source', parseRuleAddress),
    destination: read(object, 'destination', parseRuleAddress),
    port: read(object, 'port', parseRulePort),
    protocol: read(object, 'protocol', parseRuleProtocol),
    action: object.choice('action', ACTIONS),
  };
  const nothing = whyNothingMatches(rule);
  if (nothing !== undefined) throw object.error('port', `matches nothing: ${nothing}`);
  return rule;
}

function read<Value>(
  object: JsonObject,
  name: (typeof MATCH)[number],
  parse: (text: string) => Parsed<Value>,
): Value | undefined {
  const text = object.word(name);
  if (text === undefined) return undefined;
  const parsed = parse(text);
  if ('wanted' in parsed) throw object.unwanted(name, parsed.wanted);
  return parsed.value;
}
