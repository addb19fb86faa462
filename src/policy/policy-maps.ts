import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ArgumentError, MapBatchError, NotFoundError, SyscallError } from '../errors.ts';
import type { Collection } from '../loader/index.ts';
import { ArrayMap, BpfMap, HashMap, PerCpuMap } from '../maps/index.ts';
import {
  actionCodec,
  countersCodec,
  keyCodec,
  ruleCountersCodec,
  settingsCodec,
  shapeOf,
  SHAPES,
  sumPolicyCounters,
  wordCodec,
  type PolicyCounters,
  type PolicySettings,
  type RuleCounters,
} from './layout.ts';
import type { RulesFile } from './rules-file.ts';
import { matchKey, type PolicyAction, type PolicyMatch, type PolicyRule } from './rule.ts';

/** A rule and what it has matched. */
export interface CountedRule extends PolicyRule, RuleCounters {}

/** What a replacement of all rules has changed. */
export interface RuleChanges {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

const NONE: RuleCounters = { packets: 0n, bytes: 0n };
const COUNTER_ATTEMPTS = 100;
/** Milliseconds. */
const COUNTER_PAUSE = 2;
const MAPS = [
  'security_policies',
  'rule_counters',
  'rule_shapes',
  'policy_settings',
  'policy_counters',
] as const;

/** Rules, settings and counters of a policy firewall in the kernel, whether it runs already or not. */
export class PolicyMaps {
  readonly #rules: HashMap<PolicyMatch, PolicyAction, PolicyMatch, PolicyAction>;
  readonly #ruleCounters: PerCpuMap<PolicyMatch, RuleCounters, PolicyMatch, RuleCounters>;
  readonly #shapes: ArrayMap<number, number>;
  readonly #settings: ArrayMap<PolicySettings, PolicySettings>;
  readonly #counters: PerCpuMap<number, PolicyCounters, number, PolicyCounters>;
  readonly #owned: readonly BpfMap[];

  private constructor(maps: ReadonlyMap<string, BpfMap>, owned: readonly BpfMap[]) {
    const [rules, ruleCounters, shapes, settings, counters] = MAPS.map((name) => mapOf(maps, name)) as [
      BpfMap,
      BpfMap,
      BpfMap,
      BpfMap,
      BpfMap,
    ];
    checkSizes([
      [rules, keyCodec.size, actionCodec.size],
      [ruleCounters, keyCodec.size, ruleCountersCodec.size],
      [shapes, wordCodec.size, wordCodec.size],
      [settings, wordCodec.size, settingsCodec.size],
      [counters, wordCodec.size, countersCodec.size],
    ]);
    this.#rules = new HashMap(rules, { key: keyCodec, value: actionCodec });
    this.#ruleCounters = new PerCpuMap(ruleCounters, { key: keyCodec, value: ruleCountersCodec });
    this.#shapes = new ArrayMap(shapes, { value: wordCodec });
    this.#settings = new ArrayMap(settings, { value: settingsCodec });
    this.#counters = new PerCpuMap(counters, { key: wordCodec, value: countersCodec });
    this.#owned = owned;
  }

  /** Those of a firewall that was loaded here, which closes them. @throws NotFoundError for another object */
  static of(collection: Collection): PolicyMaps {
    return new PolicyMaps(collection.maps, []);
  }

  /**
   * Opens the maps that were pinned below a directory, as `ts-xdp policy load --pin` does; `close()` closes them.
   *
   * @throws NotFoundError (PIN_NOT_FOUND), PermissionError
   */
  static fromPins(directory: string): PolicyMaps {
    const folder = join(directory, 'maps');
    checkFolder(directory, folder);
    const maps = new Map<string, BpfMap>();
    try {
      for (const name of MAPS) maps.set(name, BpfMap.fromPin(join(folder, name)));
      return new PolicyMaps(maps, [...maps.values()]);
    } catch (error) {
      for (const map of maps.values()) map.close();
      throw error;
    }
  }

  get settings(): PolicySettings {
    const settings = this.#settings.get(0);
    if (!settings)
      throw new NotFoundError('KEY_NOT_FOUND', '0', 'Cannot read policy_settings: it has no entry');
    return settings;
  }

  /** In effect from the next packet on. */
  set settings(settings: PolicySettings) {
    this.#settings.set(0, settings);
  }

  /** Over all CPUs, since it was loaded. */
  counters(): PolicyCounters {
    return sumPolicyCounters(this.#counters.get(0) ?? []);
  }

  /**
   * Adds a rule, or changes its action; its counters go on then, and no packet finds it missing.
   *
   * @throws SyscallError with E2BIG where there are 100,000 rules
   */
  set({ action, ...match }: PolicyRule): 'added' | 'changed' | 'unchanged' {
    const before = this.#rules.get(match);
    if (before === action) return 'unchanged';
    // Counters and shape before the rule: from its first packet on everything is there.
    if (before === undefined) {
      this.#makeCounters([match]);
      this.#shapes.set(shapeOf(match), 1);
    }
    this.#rules.set(match, action);
    return before === undefined ? 'added' : 'changed';
  }

  /** Removes a rule and its counters; false where there is none. */
  remove(match: PolicyMatch): boolean {
    const removed = this.#rules.delete(match);
    // A packet that found the rule may count after this: adding it again starts from 0 all the same.
    this.#ruleCounters.delete(match);
    return removed;
  }

  /** The rules in the order in which they are looked at, and by their text. */
  list(): CountedRule[] {
    // By batches: a system call for each rule's counters would cost ten times as much.
    const counters = new Map<string, RuleCounters>();
    for (const [match, values] of this.#ruleCounters.entries())
      counters.set(matchKey(match), values.reduce(addCounters, NONE));
    return [...this.#rules.entries()]
      .map(([match, action]) => ({ key: matchKey(match), shape: shapeOf(match), match, action }))
      .sort((one, other) => other.shape - one.shape || compare(one.key, other.key))
      .map(({ key, match, action }) => ({ ...match, action, ...(counters.get(key) ?? NONE) }));
  }

  /**
   * Has these rules and no others. New and changed ones are written first, then the others removed: at no time is a rule
   * missing that is in both, and the counters of those go on.
   */
  replace(rules: readonly PolicyRule[]): RuleChanges {
    const wanted = new Set(rules.map(matchKey));
    const extra = [...this.#rules.keys()].filter((match) => !wanted.has(matchKey(match)));
    const changes = { added: 0, changed: 0, removed: 0 };
    for (const rule of rules) {
      const change = this.set(rule);
      if (change !== 'unchanged') changes[change]++;
    }
    for (const match of extra) if (this.remove(match)) changes.removed++;
    return changes;
  }

  /** {@link replace} by what a file says, and its settings; those that it leaves out stay. */
  apply(file: RulesFile): RuleChanges {
    const changes = this.replace(file.rules);
    const { settings } = this;
    this.settings = {
      ...settings,
      defaultAction: file.defaultAction ?? settings.defaultAction,
      ipv6: file.ipv6 ?? settings.ipv6,
      dryRun: file.dryRun ?? settings.dryRun,
    };
    return changes;
  }

  /** Writes the rules of a firewall that has none and is not attached yet, in few system calls. */
  fill(rules: readonly PolicyRule[]): void {
    this.#makeCounters(rules);
    const shapes = new Set(rules.map(shapeOf));
    for (let shape = 0; shape < SHAPES; shape++) this.#shapes.set(shape, shapes.has(shape) ? 1 : 0);
    this.#rules.setMany(rules.map((rule) => [rule, rule.action] as const));
  }

  /**
   * Linux 6.1 was seen to have no memory for more after 96,565 of them in one go: it is got in the background
   * (bpf_mem_refill() in kernel/bpf/memalloc.c), so it is tried again. Rules that are left without counters get them with their
   * first packet.
   */
  #makeCounters(rules: readonly PolicyMatch[]): void {
    const zeros = Array.from({ length: this.#ruleCounters.cpus }, () => NONE);
    let done = 0;
    for (let attempt = 0; attempt < COUNTER_ATTEMPTS; attempt++) {
      try {
        this.#ruleCounters.setMany(rules.slice(done).map((rule) => [rule, zeros] as const));
        return;
      } catch (error) {
        if (!(error instanceof MapBatchError && error.cause instanceof SyscallError)) throw error;
        // Whether there is room for the rule is for the map of rules to say.
        if (error.cause.errnoName === 'E2BIG') return;
        if (error.cause.errnoName !== 'ENOMEM') throw error;
        done += error.done;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, COUNTER_PAUSE);
      }
    }
  }

  close(): void {
    for (const map of this.#owned) map.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function addCounters(total: RuleCounters, one: RuleCounters): RuleCounters {
  return { packets: total.packets + one.packets, bytes: total.bytes + one.bytes };
}

function mapOf(maps: ReadonlyMap<string, BpfMap>, name: string): BpfMap {
  const map = maps.get(name);
  if (map) return map;
  throw new NotFoundError(
    'MAP_NOT_FOUND',
    name,
    `Cannot use this as a policy firewall: it has no map ${name}`,
  );
}

/** Whatever is pinned under these names, its bytes are read as those of the shipped object. @throws ArgumentError */
function checkSizes(maps: readonly (readonly [map: BpfMap, keySize: number, valueSize: number])[]): void {
  for (const [{ name, keySize, valueSize }, key, value] of maps) {
    if (keySize === key && valueSize === value) continue;
    throw new ArgumentError(
      'map',
      `Cannot use map ${name} as that of a policy firewall: it has ${keySize} bytes of key and ${valueSize} of value, not ${key} and ${value}`,
    );
  }
}

function checkFolder(directory: string, folder: string): void {
  try {
    readdirSync(folder);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    if (code !== 'ENOENT' && code !== 'ENOTDIR')
      throw new ArgumentError('pin', `Cannot read ${directory}: ${code}`, { cause });
    throw new NotFoundError(
      'PIN_NOT_FOUND',
      directory,
      `Cannot use ${directory}: no policy firewall is pinned there`,
      { hint: 'pin one with: ts-xdp policy load --pin DIRECTORY' },
    );
  }
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
