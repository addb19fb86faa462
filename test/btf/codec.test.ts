import t, { type Test } from 'tap';
import { Btf, BtfBuilder, createCodec, toJson } from '../../src/btf/index.ts';
import type { BtfType, BtfValue, Codec } from '../../src/btf/index.ts';
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
    roundTrip(t, codec, { constructor: 9 }, '09');
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

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
