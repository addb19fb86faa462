import type { CommandDeclaration, CommandGroup, OptionDeclaration } from '../command.ts';
import { UsageError } from '../exit-code.ts';
import { parseCount, parseDuration, parseList } from '../parse-option.ts';

const ACTIONS = ['allow', 'deny'];

/** A number that a u32 of the kernel holds; 0 is none. */
function parseRate(text: string): number {
  const rate = Number(text);
  if (/^\d{1,10}$/.test(text) && rate <= 0xffff_ffff) return rate;
  throw new UsageError(`${text} is no rate: a whole number from 0 to 4294967295 is wanted`);
}

const PIN: OptionDeclaration = {
  flags: '--pin <directory>',
  description: 'where the firewall is pinned (default: /sys/fs/bpf/policy)',
};

/** What they mean is found out by the command: it takes what this file must not import. */
const RULE: readonly OptionDeclaration[] = [
  { flags: '--source <address>', description: 'IPv4 address (default: any)' },
  { flags: '--destination <address>', description: 'IPv4 address (default: any)' },
  { flags: '--port <n>', description: 'destination port (default: any)' },
  { flags: '--protocol <name|n>', description: 'tcp, udp, icmp, … (default: any)' },
];

const SETTINGS: readonly OptionDeclaration[] = [
  { flags: '--default <action>', description: 'what happens to IP packets without a rule', choices: ACTIONS },
  {
    flags: '--ipv6 <action>',
    description: 'what happens to IPv6 packets, for which there are no rules',
    choices: [...ACTIONS, 'default'],
  },
  {
    flags: '--log-rate <n>',
    description: 'how many denials a second are logged on each CPU (default: 1000)',
    parse: parseRate,
  },
];

type Run = (
  options: never,
  output: Parameters<Awaited<ReturnType<CommandDeclaration['load']>>>[1],
) => unknown;

/** Only the command that was chosen is imported. */
function loader(importRun: () => Promise<Run>): CommandDeclaration['load'] {
  return async () => {
    const run = await importRun();
    return async ({ options }, output) => (await run(options as never, output)) as number;
  };
}

/** `ts-xdp policy` */
export const policyCommands: CommandGroup = {
  name: 'policy',
  summary: 'a firewall by rules: load it, change its rules while it runs, show what they matched',
  commands: [
    {
      name: 'load',
      summary: 'deny what no rule allows on an interface, and show what is denied',
      options: [
        { flags: '--iface <name>', description: 'guard this network interface', repeatable: true },
        { flags: '--rules <file>', description: 'rules and settings, as JSON' },
        ...SETTINGS,
        { flags: '--dry-run', description: 'count and show what would be denied, and let it pass' },
        { flags: '--pin <directory>', description: 'pin it there: it stays when the command ends' },
        {
          flags: '--detach',
          description: 'leave it attached and return at once; pins to /sys/fs/bpf/policy without --pin',
        },
        {
          flags: '--mode <list>',
          description: 'XDP modes to try in order: native, generic, offload (default: native,generic)',
          parse: (text) => parseList(text, ['native', 'generic', 'offload']),
        },
        { flags: '--netns <name|pid|path>', description: 'the network namespace of the interfaces' },
        { flags: '--stats <time>', description: 'show statistics as often', parse: parseDuration },
        { flags: '--count <n>', description: 'end after this many denials', parse: parseCount },
        {
          flags: '--duration <time>',
          description: 'end after this time: 500ms, 5s, 2m',
          parse: parseDuration,
        },
      ],
      examples: [
        'ts-xdp policy load --iface eth0 --rules rules.json --dry-run',
        'ts-xdp policy load --iface eth0 --rules rules.json --pin /sys/fs/bpf/policy --detach',
      ],
      load: loader(async () => (await import('../policy/load.ts')).loadPolicy),
    },
    {
      name: 'add',
      summary: 'add a rule, or change its action',
      options: [PIN, ...RULE, { flags: '--action <action>', description: 'allow or deny', choices: ACTIONS }],
      examples: ['ts-xdp policy add --source 10.0.0.1 --destination 10.0.0.2 --port 443 --action allow'],
      load: loader(async () => (await import('../policy/rules.ts')).addRule),
    },
    {
      name: 'remove',
      summary: 'remove a rule',
      options: [PIN, ...RULE],
      examples: ['ts-xdp policy remove --source 10.0.0.1 --destination 10.0.0.2 --port 443'],
      load: loader(async () => (await import('../policy/rules.ts')).removeRule),
    },
    {
      name: 'replace',
      summary: 'have the rules of a file and no others, without a moment in which a rule is missing',
      options: [PIN, { flags: '--rules <file>', description: 'rules and settings, as JSON' }],
      examples: ['ts-xdp policy replace --rules rules.json'],
      load: loader(async () => (await import('../policy/rules.ts')).replaceRules),
    },
    {
      name: 'list',
      aliases: ['show'],
      summary: 'show the rules and what they have matched; its JSON is a file of rules',
      options: [PIN],
      examples: ['ts-xdp policy list', 'ts-xdp policy list --json > rules.json'],
      load: loader(async () => (await import('../policy/rules.ts')).listRules),
    },
    {
      name: 'stats',
      summary: 'show what became of all packets',
      options: [PIN],
      examples: ['ts-xdp policy stats --json'],
      load: loader(async () => (await import('../policy/rules.ts')).showCounters),
    },
    {
      name: 'set',
      summary: 'change a setting of the running firewall',
      options: [
        PIN,
        ...SETTINGS,
        { flags: '--dry-run <state>', description: 'on: everything passes', choices: ['on', 'off'] },
      ],
      examples: ['ts-xdp policy set --dry-run off', 'ts-xdp policy set --default allow'],
      load: loader(async () => (await import('../policy/rules.ts')).changeSettings),
    },
  ],
};
