import t from 'tap';
import { Btf, BtfBuilder, createCodec, parseValue } from '../../src/btf/index.ts';
import type { Codec } from '../../src/btf/index.ts';
import { ValueError } from '../../src/errors.ts';
import { thrown } from '../helpers/thrown.ts';
import { compileFixture } from './compiled-object.ts';

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
      'a Map for a struct',
      ['point'],
      new Map([['x', 1]]),
      ['', 'struct point', 'Cannot store a Map as struct point: it must be an object'],
    ],
    [
      'a date for a struct',
      ['point'],
      new Date(0),
      ['', 'struct point', 'Cannot store a Date as struct point: it must be an object'],
    ],
    [
      'numbers of 16 bits for a struct',
      ['point'],
      Uint16Array.of(1, 2),
      ['', 'struct point', 'Cannot store a Uint16Array as struct point: it must be an object'],
    ],
    [
      'a number that a float cannot hold',
      ['scalars', 'single_precision'],
      -1e39,
      [
        '',
        'float',
        'Cannot store -1e+39 as float: it must be between -3.4028234663852886e+38 and 3.4028234663852886e+38',
      ],
    ],
    [
      'an element of a flexible array',
      ['arrays'],
      { tail: [1] },
      ['.tail', '__u16[0]', 'Cannot store an array of 1 as __u16[0] at .tail: it has 1 elements, and 0 fit'],
    ],
  ];
  for (const [name, [struct, field], value, [path, type, message]] of cases) {
    const error = thrown(() => written(codecOf(struct, field), value));
    t.ok(error instanceof ValueError, name);
    t.same({ ...error.facts(), message: error.message }, { path, type, message }, name);
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

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

t.test('texts of many megabytes', (t) => {
  const long = 20 << 20;
  const builder = new BtfBuilder();
  const byte = { kind: 'int', size: 1, bits: 8, offset: 0, signed: false, char: false, bool: false } as const;
  builder.add({ ...byte, name: 'unsigned char' });
  const array = builder.add({ kind: 'array', elementTypeId: 1, indexTypeId: 1, length: long });
  const members = [{ name: 'text', typeId: array, bitOffset: 0, bitSize: 0 }];
  const struct = builder.add({ kind: 'struct', name: 's', size: long, members });
  const large = Btf.parse(builder.build());
  const codec = createCodec(large, array);
  t.equal(written(codec, 'a5'.repeat(long)), 'a5'.repeat(long));
  const message = thrown(() => written(codec, 'a5'.repeat(long).replace(/5$/, 'x'))).message;
  t.match(message, 'it must be bytes, hexadecimal text or an array of numbers up to 255');
  const text = 'x'.repeat(long);
  t.same(parseValue(`{"text": "${text}"}`, large, struct), { text });
  const quotes = '\\"'.repeat(1 << 16);
  t.match(thrown(() => parseValue(`{"text": "${quotes}`, large, struct)).message, 'it is not valid JSON');
  t.end();
});
