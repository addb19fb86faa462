import t from 'tap';
import {
  alignUp,
  array,
  at,
  be16,
  be32,
  bytes,
  chars,
  Cursor,
  i16,
  i32,
  i64,
  i8,
  layout,
  struct,
  u16,
  u32,
  u64,
  u8,
} from '../../src/binary/index.ts';
import { thrown } from '../helpers/thrown.ts';

t.test('structs follow the alignment rules of C', (t) => {
  const Inner = struct('inner', { byte: u8, word: u32 });
  const Outer = struct('outer', { a: u8, inner: Inner, b: u16, c: u64, d: array(u16, 3), e: chars(5) });
  t.equal(Inner.size, 8);
  t.same(Outer.offsets, { a: 0, inner: 4, b: 12, c: 16, d: 24, e: 30 });
  t.equal(Outer.size, 40);
  t.equal(Outer.alignment, 8);
  const value = { a: 1, inner: { byte: 2, word: 3 }, b: 4, c: 5n, d: [6, 7, 8], e: 'four' };
  const encoded = Outer.encode(value);
  t.equal(
    Buffer.from(encoded).toString('hex'),
    '01000000' +
      '0200000003000000' +
      '04000000' +
      '0500000000000000' +
      '060007000800' +
      '666f757200' +
      '0000000000',
  );
  t.same(Outer.decode(encoded), value);
  t.match(
    thrown(() => Outer.decode(encoded, 1)),
    { code: 'OUT_OF_BOUNDS', offset: 1, length: 40, available: 40 },
  );
  t.end();
});

t.test('placed fields may overlap', (t) => {
  const Union = layout('union', 8, { whole: at(0, u64), low: at(0, u32), high: at(4, u32) });
  t.same(Union.decode(Union.encode({ low: 1, high: 2 })), { whole: 0x2_0000_0001n, low: 1, high: 2 });
  const view = new DataView(new ArrayBuffer(8));
  Union.write(view, 0, { whole: 2n ** 64n - 1n, low: 5, high: 6 });
  Union.update(view, 0, { high: 7 });
  t.same(Union.read(view, 0), { whole: 0x7_0000_0005n, low: 5, high: 7 });
  t.end();
});

t.test('fields at the limits of their types', (t) => {
  const All = struct('all', { i8, i16, i32, i64, be16, be32, raw: bytes(3) });
  const value = {
    i8: -128,
    i16: -32768,
    i32: -(2 ** 31),
    i64: -(2n ** 63n),
    be16: 0x1234,
    be32: 0x12345678,
    raw: Uint8Array.of(1, 2, 3),
  };
  const encoded = All.encode(value);
  t.same(All.decode(encoded), value);
  t.equal(
    Buffer.from(encoded.subarray(All.offsets.be16, All.offsets.be16 + 8)).toString('hex'),
    '1234000012345678',
  );
  t.same(All.decode(All.encode({ raw: Uint8Array.of(9) })).raw, Uint8Array.of(9, 0, 0));
  t.same(All.decode(All.encode({ raw: new Uint8Array(9).fill(9) })).raw, Uint8Array.of(9, 9, 9));
  const Name = struct('name', { text: chars(4) });
  t.equal(Name.decode(Name.encode({ text: 'longer' })).text, 'lon', 'a NUL always fits');
  t.same(
    [0, 1, 8, 9].map((size) => alignUp(size, 8)),
    [0, 8, 8, 16],
  );
  t.end();
});

t.test('a cursor reads what is there, and nothing else', (t) => {
  const cursor = new Cursor(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 0x80, 0x41, 0));
  t.equal(cursor.u8(9), 0);
  t.equal(cursor.u16(0), 0x201);
  t.equal(cursor.u32(4), 0x80070605);
  t.equal(cursor.i32(4), 0x80070605 - 2 ** 32);
  t.equal(cursor.u64(0), 0x8007060504030201n);
  t.equal(cursor.string(8), 'A');
  t.same(cursor.slice(1, 2), Uint8Array.of(2, 3));
  t.equal(new Cursor(cursor.bytes, false).u32(0), 0x1020304);
  const refused: [what: string, read: () => unknown][] = [
    ['a byte behind the end', () => cursor.u8(10)],
    ['a byte before the start', () => cursor.u8(-1)],
    ['a byte between', () => cursor.u16(9)],
    ['a word over the end', () => cursor.u64(3)],
    ['a string without an end', () => cursor.string(0, 8)],
    ['a string behind the end', () => cursor.string(11)],
    ['a negative length', () => cursor.slice(3, -1)],
    ['no number', () => cursor.u8(Number.NaN)],
    ['a size that no buffer has', () => cursor.size64(0)],
  ];
  for (const [what, read] of refused) t.equal(thrown(read).code, 'OUT_OF_BOUNDS', what);
  t.end();
});
