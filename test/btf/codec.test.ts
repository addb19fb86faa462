import t, { type Test } from 'tap';
import { Btf, BtfBuilder, createCodec, parseValue, toJson } from '../../src/btf/index.ts';
import type { BtfType, BtfValue, Codec } from '../../src/btf/index.ts';
import { ValueError } from '../../src/errors.ts';
import { thrown } from '../helpers/thrown.ts';
import { compileFixture } from './compiled-object.ts';

/** What the initialisers of test/fixtures/btf/types.c say. */
const values: Record<string, BtfValue> = {
  scalars: {
    u8: 255,
    s8: -128,
    yes: true,
    no: false,
    u16: 65535,
    s16: -32768,
    u32: 4294967295,
    s32: -2147483648,
    u64: 18446744073709551615n,
    s64: -9223372036854775808n,
    u128: 0x0123456789abcdeffedcba9876543210n,
    s128: -2n,
    letter: 65,
    single_precision: 1.5,
    double_precision: -0.1,
    color: 'RED',
    same: 'GREEN',
    unknown: 77,
    balance: 'PROFIT',
    small: 'TWO',
    pointer: 0x1122334455667788n,
  },
  nested: {
    origin: { x: -1, y: 2 },
    low: 3,
    high: 4,
    address: 0x0100000a,
    octets: bytes(10, 0, 0, 1),
    first: 10,
    second: 256,
    named: { whole: 0x0004000300020001n, part: { x: 1, y: 2 } },
    points: 0n,
  },
  arrays: {
    name: 'café',
    full: 'full',
    broken: 'a\ufffdb',
    names: ['eth0', 'lo'],
    mac: bytes(2, 0, 0, 0xab, 0xcd, 0xef),
    raw: [bytes(1, 2, 3), bytes(4, 5, 6)],
    deltas: [-1, 0, 1],
    flags: [true, false],
    ports: [22, 80, 443],
    matrix: [
      [1, 2, 3],
      [4, 5, 6],
    ],
    corners: [
      { x: 1, y: 2 },
      { x: 3, y: 4 },
    ],
    colors: ['GREEN', 'LAST'],
    empty: [],
    tail: [],
  },
  bits: {
    one: 1,
    seven: 100,
    minus: -9,
    across: 0x1abcd,
    nibble: 9,
    color: 'GREEN',
    flag: true,
    wide: 0x1fedcba9876n,
    narrow: 5,
    negative: -500000,
    after: 200,
  },
  packed: { version: 1, length: 0x01020304, kind: 5 },
};

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

for (const target of ['bpfel', 'bpfeb']) {
  t.test(`values that clang has laid out for ${target}`, (t) => {
    const object = compileFixture('types.c', { target });
    const btf = Btf.parse(object.section('.BTF'));
    for (const [name, value] of Object.entries(values)) {
      const section = Uint8Array.from(object.section(`.rodata.${name}`));
      const codec = createCodec(btf, btf.find(name, 'variable')!);
      const expected = target === 'bpfeb' ? inBigEndian(name, value) : value;
      t.equal(codec.size, section.length, `${name} has the size of its section`);
      const read = codec.read(viewOf(section), 0);
      t.strictSame(read, expected, `${name} is read`);
      t.strictSame(Object.keys(read), Object.keys(expected), `${name} has its fields in C's order`);
      // What is no UTF-8 has been replaced, and cannot come back.
      if (name === 'arrays') Object.assign(read, { broken: 'a' });
      const expectedBytes =
        name === 'arrays' ? section.map((byte, at) => (at === 21 || at === 22 ? 0 : byte)) : section;
      const written = new Uint8Array(section.length + 16).fill(0xee);
      codec.write(viewOf(written), 8, read);
      t.same(written.subarray(8, -8), expectedBytes, `${name} is written as clang has it, padding zero`);
      t.ok(
        written.subarray(0, 8).every((byte) => byte === 0xee),
        'and nothing before it',
      );
      t.ok(
        written.subarray(-8).every((byte) => byte === 0xee),
        'nor after it',
      );
    }
    object.remove();
    t.end();
  });
}

/** Unions show the byte order. */
function inBigEndian(name: string, value: BtfValue): BtfValue {
  if (name !== 'nested') return value;
  const named = { whole: 0x0004000300020001n, part: { x: 4, y: 3 } };
  return { ...(value as object), address: 0x0a000001, first: 0x0a00, second: 1, named };
}

const object = compileFixture('types.c');
t.teardown(() => {
  object.remove();
});
const btf = Btf.parse(object.section('.BTF'));

function codecOf(name: string, field?: string): Codec {
  const id = btf.find(name)!;
  const type = btf.type(id);
  if (field === undefined || type.kind !== 'struct') return createCodec(btf, id);
  return createCodec(btf, type.members.find((member) => member.name === field)!.typeId);
}

function written(codec: Codec, value: unknown): string {
  const target = new Uint8Array(codec.size).fill(0xee);
  codec.write(viewOf(target), 0, value);
  return Buffer.from(target).toString('hex');
}

t.test('values are taken as JSON and a command line have them', (t) => {
  const cases: [string, [struct: string, field?: string], unknown, string][] = [
    ['a decimal string', ['scalars', 'u16'], '443', 'bb01'],
    ['a hexadecimal string', ['scalars', 'u16'], '0x1BB', 'bb01'],
    ['a negative string', ['scalars', 's16'], '-1', 'ffff'],
    ['a negative hexadecimal string', ['scalars', 's16'], '-0x2', 'feff'],
    ['a bigint for a small integer', ['scalars', 'u8'], 7n, '07'],
    ['a number for a large integer', ['scalars', 'u64'], 258, '0201000000000000'],
    ['the largest integer as text', ['scalars', 'u64'], '18446744073709551615', 'ffffffffffffffff'],
    [
      '16 bytes of hexadecimal',
      ['scalars', 'u128'],
      '0x000102030405060708090a0b0c0d0e0f',
      '0f0e0d0c0b0a09080706050403020100',
    ],
    ['a boolean', ['scalars', 'yes'], true, '01'],
    ['a boolean as text', ['scalars', 'yes'], 'false', '00'],
    ['a boolean as a number', ['scalars', 'yes'], 1, '01'],
    ['a boolean as digits', ['scalars', 'yes'], '0', '00'],
    ['an enumerator', ['scalars', 'color'], 'LAST', 'ff000000'],
    ['the second name of an enumerator', ['scalars', 'color'], 'BLUE', '05000000'],
    ['the number of an enumerator', ['scalars', 'color'], 5, '05000000'],
    ['a number that is no enumerator', ['scalars', 'color'], '0x7f', '7f000000'],
    ['a negative enumerator of an enum that BTF calls unsigned', ['scalars', 'balance'], 'DEBT', 'f9ffffff'],
    ['a negative number for such an enum', ['scalars', 'balance'], -7, 'f9ffffff'],
    ['a float as text', ['scalars', 'single_precision'], '1.5', '0000c03f'],
    ['infinity', ['scalars', 'single_precision'], Infinity, '0000807f'],
    ['a string that fills its array', ['arrays', 'full'], 'abcd', '61626364'],
    ['a shorter string', ['arrays', 'full'], 'a', '61000000'],
    ['bytes as hexadecimal', ['arrays', 'mac'], '0200000aFf01', '0200000aff01'],
    ['bytes after 0x', ['arrays', 'mac'], '0x0200000aff01', '0200000aff01'],
    ['bytes between colons', ['arrays', 'mac'], '02:00:00:0a:ff:01', '0200000aff01'],
    ['bytes as bpftool takes them', ['arrays', 'mac'], '02 00 00 0a ff 01', '0200000aff01'],
    ['bytes as numbers', ['arrays', 'mac'], [1, 2, 3, 4, 5, 255], '0102030405ff'],
    ['arrays of what else is taken', ['arrays', 'ports'], ['22', 80, 443n], '16005000bb01'],
    ['a struct, missing fields zero', ['point'], { y: 1 }, '00000100'],
    ['a struct, undefined fields zero', ['point'], { x: undefined, y: 1 }, '00000100'],
    ['an empty struct', ['packed'], {}, '00000000000000'],
  ];
  for (const [name, [struct, field], value, expected] of cases) {
    t.equal(written(codecOf(struct, field), value), expected, name);
  }
  t.end();
});

t.test('values that do not fit are refused, with place and reason', (t) => {
  const cases: [
    string,
    [struct: string, field?: string],
    unknown,
    [path: string, type: string, message: string],
  ][] = [
    [
      'too large',
      ['scalars'],
      { u16: 70000 },
      ['.u16', '__u16', 'Cannot store 70000 as __u16 at .u16: it must be between 0 and 65535'],
    ],
    [
      'too small, at the top',
      ['scalars', 's8'],
      -129n,
      ['', '__s8', 'Cannot store -129 as __s8: it must be between -128 and 127'],
    ],
    [
      'one past 64 bits',
      ['scalars', 'u64'],
      '18446744073709551616',
      [
        '',
        '__u64',
        'Cannot store "18446744073709551616" as __u64: it must be between 0 and 18446744073709551615',
      ],
    ],
    [
      'a number that has lost digits already',
      ['scalars', 'u64'],
      2 ** 60,
      [
        '',
        '__u64',
        'Cannot store 1152921504606847000 as __u64: numbers above 2^53 must be given as bigint or text',
      ],
    ],
    ['a fraction', ['scalars', 'u8'], 1.5, ['', '__u8', 'Cannot store 1.5 as __u8: it must be an integer']],
    ['no number', ['scalars', 'u8'], NaN, ['', '__u8', 'Cannot store NaN as __u8: it must be an integer']],
    ['a word', ['scalars', 'u8'], 'ten', ['', '__u8', 'Cannot store "ten" as __u8: it must be an integer']],
    ['nothing', ['scalars', 'u8'], '', ['', '__u8', 'Cannot store "" as __u8: it must be an integer']],
    ['null', ['scalars', 'u8'], null, ['', '__u8', 'Cannot store null as __u8: it must be an integer']],
    [
      'a boolean for an integer',
      ['scalars', 'u8'],
      true,
      ['', '__u8', 'Cannot store true as __u8: it must be an integer'],
    ],
    [
      'an object for an integer',
      ['scalars', 'u8'],
      {},
      ['', '__u8', 'Cannot store an object as __u8: it must be an integer'],
    ],
    [
      'two for a boolean',
      ['scalars', 'yes'],
      2,
      ['', '_Bool', 'Cannot store 2 as _Bool: it must be true or false'],
    ],
    [
      'an enumerator of another enum',
      ['scalars', 'color'],
      'ONE',
      [
        '',
        'enum color',
        'Cannot store "ONE" as enum color: it must be RED, GREEN, BLUE, LAST, or an integer',
      ],
    ],
    [
      'a number that an enum cannot hold',
      ['scalars', 'small'],
      256,
      ['', 'enum small', 'Cannot store 256 as enum small: it must be between -128 and 255'],
    ],
    [
      'a word for a float',
      ['scalars', 'double_precision'],
      'x',
      ['', 'double', 'Cannot store "x" as double: it must be a number'],
    ],
    [
      'a negative pointer',
      ['scalars', 'pointer'],
      -1,
      ['', 'void *', 'Cannot store -1 as void *: it must be between 0 and 18446744073709551615'],
    ],
    [
      'a string too long by one byte of UTF-8',
      ['arrays', 'full'],
      'abcé',
      ['', 'char[4]', 'Cannot store "abcé" as char[4]: it has 5 bytes, and 4 fit'],
    ],
    [
      'bytes for a string',
      ['arrays', 'full'],
      bytes(1),
      ['', 'char[4]', 'Cannot store 1 bytes as char[4]: it must be a string'],
    ],
    [
      'a byte too few',
      ['arrays', 'mac'],
      '0102030405',
      ['', '__u8[6]', 'Cannot store "0102030405" as __u8[6]: it must have 6 bytes and has 5'],
    ],
    [
      'half a byte',
      ['arrays', 'mac'],
      '01020304050',
      [
        '',
        '__u8[6]',
        'Cannot store "01020304050" as __u8[6]: it must be bytes, hexadecimal text or an array of numbers up to 255',
      ],
    ],
    [
      'a byte above 255',
      ['arrays', 'mac'],
      [1, 2, 3, 4, 5, 256],
      [
        '',
        '__u8[6]',
        'Cannot store an array of 6 as __u8[6]: it must be bytes, hexadecimal text or an array of numbers up to 255',
      ],
    ],
    [
      'an element too many',
      ['arrays', 'ports'],
      [1, 2, 3, 4],
      ['', '__u16[3]', 'Cannot store an array of 4 as __u16[3]: it must have 3 elements'],
    ],
    [
      'a string for an array',
      ['arrays', 'ports'],
      'x',
      ['', '__u16[3]', 'Cannot store "x" as __u16[3]: it must be an array'],
    ],
    [
      'deep inside of arrays and structs',
      ['arrays'],
      { corners: [{ x: 1 }, { y: 99999 }] },
      [
        '.corners[1].y',
        '__s16',
        'Cannot store 99999 as __s16 at .corners[1].y: it must be between -32768 and 32767',
      ],
    ],
    [
      'in an array of arrays',
      ['arrays'],
      {
        matrix: [
          [1, 2, 3],
          [4, -5, 6],
        ],
      },
      [
        '.matrix[1][1]',
        '__u32',
        'Cannot store -5 as __u32 at .matrix[1][1]: it must be between 0 and 4294967295',
      ],
    ],
    [
      'in a bitfield',
      ['bits'],
      { seven: 128 },
      ['.seven', '__u32:7', 'Cannot store 128 as __u32:7 at .seven: it must be between 0 and 127'],
    ],
    [
      'an enumerator in a bitfield too small for it',
      ['bits'],
      { color: 'LAST' },
      ['.color', 'enum color:4', 'Cannot store 255 as enum color:4 at .color: it must be between -8 and 15'],
    ],
    [
      'in a signed bitfield',
      ['bits'],
      { minus: -17 },
      ['.minus', '__s32:5', 'Cannot store -17 as __s32:5 at .minus: it must be between -16 and 15'],
    ],
    [
      'a field that is not there',
      ['point'],
      { z: 1 },
      ['.z', 'struct point', 'Cannot store 1 as struct point at .z: there is no such field; there are x, y'],
    ],
    [
      'an array for a struct',
      ['point'],
      [1, 2],
      ['', 'struct point', 'Cannot store an array of 2 as struct point: it must be an object'],
    ],
    [
      'a number for a struct',
      ['point'],
      1,
      ['', 'struct point', 'Cannot store 1 as struct point: it must be an object'],
    ],
    [
      'an element of a flexible array',
      ['arrays'],
      { tail: [1] },
      ['.tail', '__u16[0]', 'Cannot store an array of 1 as __u16[0] at .tail: it must have 0 elements'],
    ],
  ];
  for (const [name, [struct, field], value, [path, type, message]] of cases) {
    const error = thrown(() => written(codecOf(struct, field), value));
    t.ok(error instanceof ValueError, name);
    t.same({ ...error.facts(), message: error.message }, { path, type, message }, name);
  }
  t.end();
});

t.test('nothing is read or written past the end', (t) => {
  const codec = codecOf('point');
  const view = new DataView(new ArrayBuffer(8), 2, 4);
  t.same(codec.read(view, 0), { x: 0, y: 0 });
  const message = 'Cannot access 4 bytes at offset 1: only 4 bytes are there';
  t.equal(thrown(() => codec.read(view, 1)).message, message);
  t.equal(
    thrown(() => {
      codec.write(view, 1, {});
    }).message,
    message,
  );
  t.equal(
    thrown(() => codec.read(view, -1)).message,
    'Cannot access 4 bytes at offset -1: only 4 bytes are there',
  );
  t.end();
});

t.test('a codec names its type', (t) => {
  t.equal(codecOf('point').typeName, 'struct point');
  t.equal(codecOf('arrays', 'corners').typeName, 'struct point[2]');
  t.equal(createCodec(btf, btf.find('counter', 'variable')!).typeName, 'int counter');
  t.end();
});

/** Types that clang 14 does not make. */
function build(add: (builder: BtfBuilder) => number): Codec {
  const builder = new BtfBuilder();
  const id = add(builder);
  return createCodec(Btf.parse(builder.build()), id);
}

const int = (size: number, rest: Partial<Extract<BtfType, { kind: 'int' }>> = {}): BtfType => ({
  kind: 'int',
  name: 'int',
  size,
  bits: size * 8,
  offset: 0,
  signed: false,
  char: false,
  bool: false,
  ...rest,
});

t.test('types that clang 14 does not make', (t) => {
  t.test('an enum of 64 bits', (t) => {
    const members = [
      { name: 'LOW', value: -1n },
      { name: 'HIGH', value: 2n ** 62n },
    ];
    const codec = build((builder) =>
      builder.add({ kind: 'enum64', name: 'wide', size: 8, signed: true, values: members }),
    );
    roundTrip(t, codec, 'LOW', 'ffffffffffffffff');
    roundTrip(t, codec, 'HIGH', '0000000000000040');
    roundTrip(t, codec, 5n, '0500000000000000');
    t.end();
  });
  t.test('bitfields as BTF had them before its kind flag, as an int of fewer bits', (t) => {
    const codec = build((builder) => {
      const three = builder.add(int(4, { bits: 3, offset: 2 }));
      const members = [{ name: 'three', typeId: three, bitOffset: 0, bitSize: 0 }];
      return builder.add({ kind: 'struct', name: 's', size: 4, members });
    });
    roundTrip(t, codec, { three: 5 }, '14000000');
    t.end();
  });
  t.test('a field named __proto__', (t) => {
    const codec = build((builder) => {
      const byte = builder.add(int(1));
      const members = [{ name: '__proto__', typeId: byte, bitOffset: 0, bitSize: 0 }];
      return builder.add({ kind: 'struct', name: 's', size: 1, members });
    });
    const value = codec.read(new DataView(Uint8Array.of(7).buffer), 0) as object;
    t.equal(Object.getPrototypeOf(value), Object.prototype);
    t.equal(Object.getOwnPropertyDescriptor(value, '__proto__')?.value, 7);
    t.equal(written(codec, JSON.parse('{"__proto__":9}')), '09');
    t.end();
  });
  t.test('a field named as a property of every object', (t) => {
    const codec = build((builder) => {
      const byte = builder.add(int(1));
      const members = [{ name: 'constructor', typeId: byte, bitOffset: 0, bitSize: 0 }];
      return builder.add({ kind: 'struct', name: 's', size: 1, members });
    });
    t.equal(written(codec, {}), '00');
    roundTrip(t, codec, { constructor: 9 } as unknown as BtfValue, '09');
    t.end();
  });
  t.test('bitfields wherever they begin and end', (t) => {
    const different: unknown[] = [];
    let checked = 0;
    for (const littleEndian of [true, false]) {
      for (let bitOffset = 0; bitOffset < 24; bitOffset++) {
        for (let bitSize = 1; bitSize <= 64; bitSize++) checkBitfield({ bitOffset, bitSize, littleEndian });
      }
    }
    t.same(different.slice(0, 3), []);
    t.equal(checked, 2 * 24 * 64 * 2 * 6);
    t.end();

    function checkBitfield(place: { bitOffset: number; bitSize: number; littleEndian: boolean }): void {
      const { bitOffset, bitSize, littleEndian } = place;
      const builder = new BtfBuilder({ littleEndian });
      for (const signed of [true, false]) {
        const word = builder.add(int(8, { signed }));
        const members = [{ name: 'bits', typeId: word, bitOffset, bitSize }];
        const id = builder.add({ kind: 'struct', name: 's', size: 16, members });
        const codec = createCodec(Btf.parse(builder.build()), id);
        // Alternating bits around the field, and its least, greatest and some values.
        const all = 2n ** BigInt(bitSize) - 1n;
        for (const raw of [0n, all, 1n, all - (all >> 1n), all >> 1n, 0x5a5a5a5a5a5a5a5an & all]) {
          const value = signed ? BigInt.asIntN(bitSize, raw) : raw;
          const target = new Uint8Array(16);
          codec.write(viewOf(target), 0, { bits: value });
          const number = Buffer.from(littleEndian ? target.toReversed() : target).toString('hex');
          const shift = littleEndian ? bitOffset : 128 - bitOffset - bitSize;
          const ok = BigInt(`0x${number}`) === raw << BigInt(shift);
          const read = codec.read(viewOf(target), 0) as { bits: BtfValue };
          const expected = bitSize <= 32 ? Number(value) : value;
          checked++;
          if (!ok || read.bits !== expected) different.push({ place, signed, raw, read, number });
        }
      }
    }
  });
  t.test('a member past the end of its struct', (t) => {
    t.throws(
      () =>
        build((builder) => {
          const word = builder.add(int(8));
          const members = [{ name: 'm', typeId: word, bitOffset: 0, bitSize: 0 }];
          return builder.add({ kind: 'struct', name: 's', size: 4, members });
        }),
      {
        message:
          'Cannot read and write values of BTF type 2: its field m lies outside of it, or not on a byte',
      },
    );
    t.end();
  });
  t.test('types without values', (t) => {
    t.equal(
      thrown(() => createCodec(btf, 0)).message,
      'Cannot read and write values of BTF type 0: there are no values of a void',
    );
    const code = 'Cannot read and write values of BTF type 1: there are no values of this float';
    t.equal(
      thrown(() => build((builder) => builder.add({ kind: 'float', name: 'long double', size: 16 }))).message,
      code,
    );
    t.end();
  });
  t.end();
});

function roundTrip(t: Test, codec: Codec, value: BtfValue, expected: string): void {
  t.equal(written(codec, value), expected);
  t.same(codec.read(viewOf(Buffer.from(expected, 'hex')), 0), value);
}

t.test('values as JSON', (t) => {
  const nested = codecOf('nested').read(viewOf(object.section('.rodata.nested')), 0);
  t.equal(
    JSON.stringify(toJson(nested)),
    '{"origin":{"x":-1,"y":2},"low":3,"high":4,"address":16777226,"octets":"0a000001","first":10,"second":256,' +
      '"named":{"whole":"1125912791875585","part":{"x":1,"y":2}},"points":"0"}',
  );
  t.same(toJson([Number.NaN, -Infinity, 1n, true, 'x', 1.5]), ['NaN', '-Infinity', '1', true, 'x', 1.5]);
  for (const [name, value] of Object.entries(values)) {
    if (name === 'arrays') continue;
    const section = object.section(`.rodata.${name}`);
    const codec = createCodec(btf, btf.find(name, 'variable')!);
    const json: unknown = JSON.parse(JSON.stringify(toJson(value)));
    t.equal(written(codec, json), Buffer.from(section).toString('hex'), `${name} comes back`);
  }
  t.end();
});

t.test('text of a command line becomes a value', (t) => {
  const cases: [string, [struct: string, field?: string], string, string][] = [
    ['an integer', ['scalars', 'u16'], ' 443 ', 'bb01'],
    ['an enumerator', ['scalars', 'color'], 'LAST', 'ff000000'],
    ['a string', ['arrays', 'full'], 'ab', '61620000'],
    ['a string that looks like JSON', ['arrays', 'full'], '{"a"', '7b226122'],
    ['a string in quotes', ['arrays', 'full'], '"a,"', '612c0000'],
    ['bytes', ['arrays', 'mac'], '02:00:00:00:00:01', '020000000001'],
    ['bytes as JSON', ['arrays', 'mac'], '[2,0,0,0,0,1]', '020000000001'],
    ['JSON', ['packed'], '{"version": 1, "kind": 2}', '01000000000200'],
    ['fields', ['packed'], 'version=1,kind=2', '01000000000200'],
    ['fields between spaces', ['packed'], ' version = 1 , kind = 0x2 ', '01000000000200'],
    ['no field', ['packed'], '', '00000000000000'],
    ['a field of an anonymous struct', ['nested'], 'high=2', `${'00'.repeat(8)}02${'00'.repeat(23)}`],
    ['JSON in a field', ['nested'], 'origin={"x":1,"y":2},low=3', `0100020003${'00'.repeat(27)}`],
    [
      'an array in a field',
      ['arrays'],
      'ports=[1,2,3],deltas=[0,0,1]',
      `${'00'.repeat(54)}01000000010002000300${'00'.repeat(40)}`,
    ],
  ];
  for (const [name, [struct, field], text, expected] of cases) {
    t.equal(written(codecOf(struct, field), parseValue(text, btf, typeOf(struct, field))), expected, name);
  }
  const exact = parseValue(
    '{"u64": 18446744073709551615, "s64": -9223372036854775808, "u8": 7}',
    btf,
    typeOf('scalars'),
  );
  t.same(
    exact,
    { u64: '18446744073709551615', s64: '-9223372036854775808', u8: 7 },
    'integers in JSON stay exact',
  );
  t.same(parseValue('{"x":"12345678901234567890"}', btf, typeOf('point')), { x: '12345678901234567890' });
  t.end();
});

t.test('text that is no value is refused, with place and reason', (t) => {
  const cases: [string, string, string][] = [
    ['broken JSON', '{"x":', 'Cannot store "{\\"x\\":" as struct point: it is not valid JSON'],
    ['no field', '5', 'Cannot store "5" as struct point: it must be JSON or field=value,field=value'],
    [
      'an unknown field',
      'z=1',
      'Cannot store "z=1" as struct point at .z: there is no such field; there are x, y',
    ],
    ['a field twice', 'x=1,x=2', 'Cannot store "x=2" as struct point at .x: the field is given twice'],
  ];
  for (const [name, text, message] of cases) {
    const error = thrown(() => parseValue(text, btf, typeOf('point')));
    t.ok(error instanceof ValueError, name);
    t.equal(error.message, message, name);
  }
  t.end();
});

function typeOf(struct: string, field?: string): number {
  const id = btf.find(struct)!;
  const type = btf.type(id);
  return field === undefined || type.kind !== 'struct'
    ? id
    : type.members.find(({ name }) => name === field)!.typeId;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
