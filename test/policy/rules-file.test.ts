/** Files of rules: what they say, and the exact words about what is wrong in them. */
import t from 'tap';
import { ArgumentError } from '../../src/errors.ts';
import { parseRulesFile } from '../../src/policy/index.ts';

const parse = (document: unknown): ReturnType<typeof parseRulesFile> =>
  parseRulesFile(JSON.stringify(document), 'rules.json');

t.test('what is left out, null, "any" or 0 is any', (t) => {
  const any = { source: undefined, destination: undefined, port: undefined, protocol: undefined };
  for (const fields of [
    {},
    { source: null, destination: null, port: null, protocol: null },
    { source: 'any', destination: '0.0.0.0', port: 0, protocol: 'any' },
    { port: '0', protocol: 0 },
  ])
    t.strictSame(parse({ rules: [{ ...fields, action: 'deny' }] }).rules, [{ ...any, action: 'deny' }]);
  t.end();
});

t.test('a whole file, comments and all', (t) => {
  t.strictSame(
    parse({
      _comment: 'the web server',
      default: 'allow',
      ipv6: 'deny',
      dry_run: true,
      rules: [
        {
          _why: 'https',
          source: '10.0.0.1',
          destination: '10.0.0.2',
          port: 443,
          protocol: 'tcp',
          action: 'allow',
          description: 'https',
        },
        { destination: '10.0.0.2', port: '53', protocol: 17, action: 'deny', packets: '7', bytes: '700' },
      ],
    }),
    {
      rules: [
        { source: '10.0.0.1', destination: '10.0.0.2', port: 443, protocol: 6, action: 'allow' },
        { source: undefined, destination: '10.0.0.2', port: 53, protocol: 17, action: 'deny' },
      ],
      defaultAction: 'allow',
      ipv6: 'deny',
      dryRun: true,
    },
  );
  t.strictSame(parse({ rules: [] }), {
    rules: [],
    defaultAction: undefined,
    ipv6: undefined,
    dryRun: undefined,
  });
  t.end();
});

const rule = (fields: object): object => ({ rules: [{ action: 'allow', ...fields }] });

const wrong: readonly (readonly [unknown, string, string])[] = [
  [[], 'rules.json', 'it is an array, not an object'],
  [{}, 'rules', 'rules is missing'],
  [{ rules: {} }, 'rules', 'rules is an object, not an array'],
  [{ rules: [1] }, 'rules[0]', 'rules[0] is 1, not an object'],
  [{ rules: [], rule: [] }, 'rule', 'rule is not known; the file has default, ipv6, dry_run, rules'],
  [{ rules: [], default: 'drop' }, 'default', 'default is "drop", not allow or deny'],
  [{ rules: [], ipv6: 'pass' }, 'ipv6', 'ipv6 is "pass", not allow, deny or default'],
  [{ rules: [], dry_run: 1 }, 'dry_run', 'dry_run is 1, not true or false'],
  [{ rules: [{}] }, 'rules[0].action', 'rules[0].action is missing'],
  [rule({ action: 'accept' }), 'rules[0].action', 'rules[0].action is "accept", not allow or deny'],
  [
    rule({ source: '10.0.0.0/8' }),
    'rules[0].source',
    'rules[0].source is "10.0.0.0/8", not an IPv4 address or "any"',
  ],
  [
    rule({ destination: '::1' }),
    'rules[0].destination',
    'rules[0].destination is "::1", not an IPv4 address or "any"',
  ],
  [rule({ source: ['10.0.0.1'] }), 'rules[0].source', 'rules[0].source is an array, not a string'],
  [rule({ port: 65_536 }), 'rules[0].port', 'rules[0].port is 65536, not a port from 0 to 65535 or "any"'],
  [rule({ port: -1 }), 'rules[0].port', 'rules[0].port is -1, not a port from 0 to 65535 or "any"'],
  [rule({ port: 1.5 }), 'rules[0].port', 'rules[0].port is 1.5, not a port from 0 to 65535 or "any"'],
  [
    rule({ protocol: 'tpc' }),
    'rules[0].protocol',
    'rules[0].protocol is "tpc", not a protocol (tcp, udp, icmp, a number from 0 to 255) or "any"',
  ],
  [
    rule({ protocol: 'icmp', port: 80 }),
    'rules[0].port',
    'rules[0].port matches nothing: packets of protocol icmp have no port',
  ],
  [
    rule({ prot: 'tcp' }),
    'rules[0].prot',
    'rules[0].prot is not known; rules[0] has source, destination, port, protocol, action, description, packets, bytes',
  ],
  [
    {
      rules: [
        { port: 80, action: 'allow' },
        { port: 81, action: 'allow' },
        { source: 'any', port: '80', action: 'deny' },
      ],
    },
    'rules[2].action',
    'rules[2].action is of a rule that is there already: rules[0] is about any any -> any:80 too',
  ],
];

for (const [document, argument, what] of wrong)
  t.test(what, (t) => {
    t.throws(() => parse(document), {
      argument,
      message: `Cannot use the configuration rules.json: ${what}`,
    });
    t.end();
  });

t.test('no JSON at all, and more rules than there is room for', (t) => {
  t.throws(() => parseRulesFile('{', 'rules.json'), ArgumentError);
  const rules = Array.from({ length: 100_001 }, () => ({ action: 'allow' }));
  t.throws(() => parse({ rules }), {
    message:
      'Cannot use the configuration rules.json: rules has 100001 entries, and the map in the kernel holds 100000',
  });
  t.end();
});
