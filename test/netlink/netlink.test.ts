import t from 'tap';
import { ArgumentError, BoundsError, NetlinkError, TsXdpError } from '../../src/errors.ts';
import {
  Attributes,
  concatenate,
  decodeDone,
  decodeError,
  decodeInterface,
  decodeMessages,
  encodeAttributes,
  encodeMessage,
  formatIpAddress,
  formatMacAddress,
  netlinkError,
  numberAttribute,
  parseIpAddress,
  parseMacAddress,
  stringAttribute,
} from '../../src/netlink/index.ts';
import type { Message } from '../../src/netlink/index.ts';
import {
  IFF_UP,
  IFLA_ADDRESS,
  IFLA_ALT_IFNAME,
  IFLA_IFNAME,
  IFLA_INFO_KIND,
  IFLA_LINK,
  IFLA_LINKINFO,
  IFLA_MTU,
  IFLA_OPERSTATE,
  IFLA_PROP_LIST,
  IFLA_XDP,
  IFLA_XDP_ATTACHED,
  IFLA_XDP_DRV_PROG_ID,
  IFLA_XDP_PROG_ID,
  IFLA_XDP_SKB_PROG_ID,
  NLMSGERR_ATTR_MSG,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLM_F_MULTI,
  ifinfomsg,
  nlmsgerr,
  nlmsghdr,
} from '../../src/uapi/index.ts';
import { thrown } from '../helpers/thrown.ts';

const byte = (type: number, value: number): { type: number; value: Uint8Array } => ({
  type,
  value: Uint8Array.of(value),
});

const interfaceBody = concatenate([
  ifinfomsg.encode({ ifi_index: 7, ifi_flags: IFF_UP }),
  encodeAttributes([
    stringAttribute(IFLA_IFNAME, 'eth0'),
    numberAttribute(IFLA_MTU, 9000),
    numberAttribute(IFLA_LINK, 7),
    { type: IFLA_ADDRESS, value: parseMacAddress('02:00:00:00:00:01') },
    byte(IFLA_OPERSTATE, 6),
    {
      type: IFLA_PROP_LIST,
      value: [stringAttribute(IFLA_ALT_IFNAME, 'first'), stringAttribute(IFLA_ALT_IFNAME, 'second')],
    },
    { type: IFLA_LINKINFO, value: [{ type: IFLA_INFO_KIND, value: new TextEncoder().encode('veth') }] },
    {
      type: IFLA_XDP,
      value: [
        byte(IFLA_XDP_ATTACHED, 4),
        numberAttribute(IFLA_XDP_DRV_PROG_ID, 11),
        numberAttribute(IFLA_XDP_SKB_PROG_ID, 12),
      ],
    },
  ]),
]);

t.test('an interface is read from its message', (t) => {
  t.strictSame(decodeInterface(interfaceBody), {
    index: 7,
    name: 'eth0',
    alternativeNames: ['first', 'second'],
    up: true,
    running: false,
    operationalState: 'up',
    mtu: 9000,
    address: '02:00:00:00:00:01',
    kind: 'veth',
    master: undefined,
    peer: undefined,
    peerNamespace: undefined,
    receiveQueues: undefined,
    transmitQueues: undefined,
    xdp: { attached: 'multiple', programs: { native: 11, generic: 12 } },
  });
  t.end();
});

t.test('the one program id of old kernels belongs to the mode that is attached', (t) => {
  const xdp = { type: IFLA_XDP, value: [byte(IFLA_XDP_ATTACHED, 2), numberAttribute(IFLA_XDP_PROG_ID, 5)] };
  const body = concatenate([ifinfomsg.encode({ ifi_index: 1 }), encodeAttributes([xdp])]);
  t.strictSame(decodeInterface(body).xdp, { attached: 'generic', programs: { generic: 5 } });
  t.end();
});

t.test('attributes are padded to four bytes and nest', (t) => {
  const bytes = encodeAttributes([
    stringAttribute(3, 'ab'),
    { type: 5, value: [numberAttribute(1, 0xffff_fffe)] },
  ]);
  t.equal(Buffer.from(bytes).toString('hex'), '07000300616200000c00058008000100feffffff');
  const parsed = Attributes.parse(bytes);
  t.equal(parsed.string(3), 'ab');
  t.equal(parsed.nested(5)?.u32(1), 0xffff_fffe);
  t.equal(parsed.nested(5)?.i32(1), -2);
  t.equal(parsed.u32(9), undefined);
  t.throws(() => parsed.u32(3), BoundsError, 'three bytes are no number of four');
  t.equal(parsed.strings(3).length, 1);
  t.throws(() => encodeAttributes([{ type: 1, value: new Uint8Array(65533) }]), BoundsError);
  t.end();
});

t.test('attributes that are too short or too long are refused', (t) => {
  const table: [string, string][] = [
    ['a length below the header', '03000100'],
    ['a length past the end', '0900010061626300'],
    ['a length of zero', '0000000000000000'],
  ];
  for (const [name, hex] of table) {
    t.equal(thrown(() => Attributes.parse(Buffer.from(hex, 'hex'))).code, 'OUT_OF_BOUNDS', name);
  }
  t.end();
});

t.test('several messages are read from one datagram', (t) => {
  const first = encodeMessage({ type: 16, flags: NLM_F_MULTI, sequence: 5, body: Uint8Array.of(1, 2, 3) });
  const second = encodeMessage({
    type: NLMSG_DONE,
    flags: NLM_F_MULTI,
    sequence: 5,
    body: new Uint8Array(4),
  });
  const messages = decodeMessages(concatenate([first, second]));
  t.strictSame(
    messages.map(({ type, sequence, body }) => [type, sequence, [...body]]),
    [
      [16, 5, [1, 2, 3]],
      [NLMSG_DONE, 5, [0, 0, 0, 0]],
    ],
  );
  t.throws(() => decodeMessages(first.subarray(0, 17)), BoundsError);
  t.end();
});

t.test('an error gives errno and the words of the kernel, with the request whole or capped', (t) => {
  const text = encodeAttributes([stringAttribute(NLMSGERR_ATTR_MSG, 'Peer MTU is too large to set XDP')]);
  const message = (flags: number, parts: Uint8Array[]): Message => ({
    type: NLMSG_ERROR,
    flags,
    sequence: 1,
    port: 1,
    body: concatenate(parts),
  });
  const quoted = nlmsghdr.encode({ nlmsg_len: 16 + 10 });
  const error = nlmsgerr.encode({ error: -34, msg: nlmsghdr.decode(quoted) });
  const expected = { errno: 34, extack: 'Peer MTU is too large to set XDP' };
  t.strictSame(decodeError(message(NLM_F_CAPPED | NLM_F_ACK_TLVS, [error, text])), expected);
  t.strictSame(decodeError(message(NLM_F_ACK_TLVS, [error, new Uint8Array(12), text])), expected);
  t.strictSame(decodeError(message(NLM_F_CAPPED, [error])), { errno: 34, extack: undefined });
  t.strictSame(decodeError(message(0, [nlmsgerr.encode({})])), { errno: 0, extack: undefined });
  t.strictSame(decodeDone(message(0, [])), { errno: 0, extack: undefined });
  t.strictSame(
    decodeDone(
      message(
        NLM_F_ACK_TLVS,
        [Int32Array.of(-22) as unknown as Uint8Array].map((v) => new Uint8Array(v.buffer)).concat(text),
      ),
    ),
    {
      errno: 22,
      extack: 'Peer MTU is too large to set XDP',
    },
  );
  t.throws(() => decodeError(message(0, [new Uint8Array(3)])), BoundsError);
  t.end();
});

t.test('a refusal is told with the words of the kernel, or of the errno', (t) => {
  const name = { request: 'RTM_SETLINK', doing: 'attach XDP to veth0 in native mode' };
  const told = netlinkError(name, { errno: 34, extack: 'Peer MTU is too large to set XDP.' });
  t.ok(told instanceof NetlinkError);
  t.equal(
    told.message,
    'Cannot attach XDP to veth0 in native mode: Peer MTU is too large to set XDP (ERANGE)',
  );
  t.strictSame(told.facts(), {
    request: 'RTM_SETLINK',
    errno: 34,
    errnoName: 'ERANGE',
    extack: 'Peer MTU is too large to set XDP.',
  });
  const silent = netlinkError(name, { errno: 95, extack: undefined });
  t.equal(silent.message, 'Cannot attach XDP to veth0 in native mode: EOPNOTSUPP (operation not supported)');
  t.end();
});

t.test('20,000 mutated messages give a value or BoundsError, and nothing else', (t) => {
  const datagram = encodeMessage({ type: 16, flags: NLM_F_MULTI, sequence: 1, body: interfaceBody });
  let seed = 7;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fff_ffff;
    return (seed >>> 8) % below;
  };
  let read = 0;
  let refused = 0;
  for (let round = 0; round < 20_000; round++) {
    const mutant = datagram.slice(0, random(4) === 0 ? random(datagram.length) : datagram.length);
    for (let change = 0; change <= random(4) && mutant.length > 0; change++)
      mutant[random(mutant.length)] = random(256);
    try {
      for (const message of decodeMessages(mutant)) {
        decodeInterface(message.body);
        decodeError(message);
        decodeDone(message);
      }
      read++;
    } catch (error) {
      if (!(error instanceof TsXdpError) || error.code !== 'OUT_OF_BOUNDS') throw error;
      refused++;
    }
  }
  t.ok(read > 1000, `${String(read)} were read`);
  t.ok(refused > 1000, `${String(refused)} were refused`);
  t.end();
});

t.test('IP addresses have the form of RFC 5952', (t) => {
  const table = [
    '10.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '2001:db8::1',
    'fe80::1:0:0:1',
    '2001:db8:0:1:1:1:1:1',
    '1::',
    '::ffff:10.0.0.1',
  ];
  for (const text of table) t.equal(formatIpAddress(parseIpAddress(text)), text);
  const other: [string, string][] = [
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['::10.0.0.1', '::a00:1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ];
  for (const [given, expected] of other) t.equal(formatIpAddress(parseIpAddress(given)), expected);
  for (const wrong of ['', '10.0.0', '10.0.0.256', '1::2::3', 'fe80::1%eth0', 'eth0']) {
    t.throws(() => parseIpAddress(wrong), ArgumentError, wrong);
  }
  t.throws(() => formatIpAddress(new Uint8Array(5)), BoundsError);
  t.end();
});

t.test('1,000 random IPv6 addresses are written as the URL standard writes them', (t) => {
  let seed = 99;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fff_ffff;
    return (seed >>> 8) % below;
  };
  const wrong: string[] = [];
  for (let round = 0; round < 1000; round++) {
    const groups = Array.from({ length: 8 }, () => (random(2) === 0 ? 0 : random(0x10000)));
    // Mapped IPv4 is written with dots by RFC 5952 and without by the URL standard.
    groups[0] ||= 1;
    const text = groups.map((group) => group.toString(16)).join(':');
    const expected = new URL(`http://[${text}]/`).hostname.slice(1, -1);
    if (formatIpAddress(parseIpAddress(text)) !== expected) wrong.push(text);
  }
  t.strictSame(wrong, []);
  t.end();
});

t.test('MAC addresses', (t) => {
  t.equal(formatMacAddress(parseMacAddress('02:00:5E:00:00:ff')), '02:00:5e:00:00:ff');
  for (const wrong of ['', '02:00:00:00:00', '2:0:0:0:0:1', '02-00-00-00-00-01', '02:00:00:00:00:01:02']) {
    t.equal(
      thrown(() => parseMacAddress(wrong)).message,
      `Cannot use ${JSON.stringify(wrong)} as a MAC address: 02:00:00:00:00:01 is the form`,
    );
  }
  t.end();
});
