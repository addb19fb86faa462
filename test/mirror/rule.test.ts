import t from 'tap';
import { parseMirrorRule, type MirrorRule } from '../../src/mirror/index.ts';

const understood: [text: string, rule: MirrorRule][] = [
  ['arp', { etherType: 0x0806 }],
  ['tcp', { protocol: 6 }],
  ['icmp', { etherType: 0x0800, protocol: 1 }],
  ['ip6, udp ,port=53', { etherType: 0x86dd, protocol: 17, port: 53 }],
  ['ether=0x88CC', { etherType: 0x88cc }],
  ['proto=255', { protocol: 255 }],
  ['tcp,proto=6', { protocol: 6 }],
  ['host=10.1.2.3', { network: { address: Uint8Array.of(10, 1, 2, 3), prefixLength: 32 } }],
  ['host=10.0.0.0/8', { network: { address: Uint8Array.of(10, 0, 0, 0), prefixLength: 8 } }],
  ['host=::/0', { network: { address: new Uint8Array(16), prefixLength: 0 } }],
];

for (const [text, rule] of understood) {
  t.test(`understood: ${text}`, (t) => {
    t.strictSame(parseMirrorRule(text), rule);
    t.end();
  });
}

const refused: [text: string, why: string][] = [
  ['', '"" is not known'],
  ['tcp,', '"" is not known'],
  ['tpc', '"tpc" is not known'],
  ['tcp=1', '"tcp=1" is not known'],
  ['port', '"port" is not known'],
  ['toString', '"toString" is not known'],
  ['toString=1', '"toString=1" is not known'],
  ['tcp,udp', 'udp contradicts what is before it'],
  ['port=1,port=2', 'port=2 contradicts what is before it'],
  ['port=0', '"0" is no number from 1 to 65535'],
  ['port=65536', '"65536" is no number from 1 to 65535'],
  ['port=1e3', '"1e3" is no number from 1 to 65535'],
  ['proto=256', '"256" is no number from 1 to 255'],
  ['host=10.0.0.0/33', '"10.0.0.0/33" is neither an address nor a network'],
  ['host=10.0.0.0/', '"10.0.0.0/" is neither an address nor a network'],
  ['host=10.0.0.0/8/9', '"10.0.0.0/8/9" is neither an address nor a network'],
  ['host=example.org', '"example.org" is neither an address nor a network'],
];

for (const [text, why] of refused) {
  t.test(`refused: ${JSON.stringify(text)}`, (t) => {
    t.throws(() => parseMirrorRule(text), {
      code: 'ARGUMENT_INVALID',
      argument: 'rule',
      message: `Cannot mirror by the rule ${JSON.stringify(text)}: ${why}`,
    });
    t.end();
  });
}
