/** What modules read and write with is what the run-time codecs do. */
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import {
  createCodec,
  InPlaceReader,
  type Btf,
  type BtfValue,
  type FieldTable,
  type FlexibleEnd,
} from '../../src/btf/index.ts';
import { ObjectFile } from '../../src/elf/index.ts';
import type { TsXdpError } from '../../src/errors.ts';
import { modelOf, type RecordType } from '../../src/gen/index.ts';
import { randomNumbers } from '../helpers/random-numbers.ts';
import { ModuleFolder, modules } from './module-folder.ts';

const folder = ModuleFolder.of(t);

interface Access {
  readonly size: number;
  readonly typeName: string;
  readonly flexible?: FlexibleEnd | undefined;
  read(view: DataView, offset: number, end?: number): BtfValue;
  write(view: DataView, offset: number, value: unknown, end?: number): void;
  lengthOf(value: unknown): number;
  readonly fields?: FieldTable | undefined;
}

/** Every field by itself, and those of structs within by themselves. */
function readInPlace({ fields }: Access, view: DataView, end: number): unknown {
  const reader = new InPlaceReader<object>(fields!);
  reader.moveTo(view, 0, end);
  return collect(reader.fields);
}

function collect(fields: object): Record<string, unknown> {
  const names = Object.keys(Object.getPrototypeOf(fields) as object);
  const collected: Record<string, unknown> = {};
  for (const name of names) {
    const value = (fields as Record<string, unknown>)[name];
    const within =
      typeof value === 'object' &&
      value !== null &&
      Object.getPrototypeOf(Object.getPrototypeOf(value)) === null;
    const own = {
      value: within ? collect(value) : value,
      enumerable: true,
      writable: true,
      configurable: true,
    };
    Object.defineProperty(collected, name, own);
  }
  return collected;
}

/** The run-time codec of a struct of a module. */
function codecOf(btf: Btf, { typeName, name }: RecordType): Access | undefined {
  const [, kind, tag] = /^(struct|union) (\w+)$/.exec(typeName) ?? [];
  if (kind === 'struct' || kind === 'union') return createCodec(btf, btf.find(tag ?? '', kind)!);
  const typedef = btf.find(typeName, 'typedef');
  // What has no name at all is read as a part of what has it.
  return typedef === undefined || name === '' ? undefined : createCodec(btf, typedef);
}

for (const module of modules) {
  t.test(`${module}: compiled readers and writers are those of the run time`, async (t) => {
    const object = ObjectFile.open(folder.file(`${module}.bpf.o`));
    const { btf } = object;
    const generated = await folder.import<Record<string, Access>>(module);
    const records = modelOf(object).types.filter((type) => type.kind === 'record');
    const random = randomNumbers(4711);
    let compared = 0;
    const different: unknown[] = [];
    for (const record of records) {
      const codec = codecOf(btf!, record);
      const compiled = generated[record.name]!;
      t.equal(compiled.size, record.size, `${record.name} has its size`);
      if (!codec) continue;
      t.equal(compiled.typeName, codec.typeName);
      t.same(compiled.flexible, codec.flexible, `${record.name} ends as it does`);
      for (let round = 0; round < 60; round++) {
        const { flexible } = codec;
        const end = flexible ? flexible.smallest + random(40) : record.size;
        const length = Math.max(end, record.size);
        const bytes = Uint8Array.from({ length: length + 3 }, () => (round === 0 ? 0 : random(256)));
        const view = new DataView(bytes.buffer, 3);
        const value = codec.read(view, 0, end);
        const read = [
          compiled.read(view, 0, end),
          readInPlace(compiled, view, end),
          readInPlace(codec, view, end),
        ];
        if (!isDeepStrictEqual(compiled.read(view, 0), codec.read(view, 0)))
          different.push({ record: record.name, bytes, without: 'end' });
        if (!read.every((one) => isDeepStrictEqual(one, value)))
          different.push({ record: record.name, bytes });
        for (const changed of [value, spoiled(value, random), spoiled(value, random)]) {
          const place = random(4) === 0 ? undefined : end;
          const [ours, wanted] = [compiled, codec].map((access) => outcome(access, changed, place));
          if (!isDeepStrictEqual(ours, wanted))
            different.push({ record: record.name, changed, ours, wanted });
          compared++;
        }
      }
    }
    t.same(different.slice(0, 3), []);
    t.equal(compared, records.filter((record) => codecOf(btf!, record)).length * 180);
  });
}

/** What becomes of writing a value: the bytes, or all that the error says. */
function outcome({ size, write, lengthOf }: Access, value: unknown, end?: number): unknown {
  const bytes = new Uint8Array(Math.max(size, end ?? 0) + 4).fill(0xee);
  try {
    write(new DataView(bytes.buffer, 2), 0, value, end);
    return `${Buffer.from(bytes).toString('hex')}, ${lengthOf(value)} bytes`;
  } catch (error) {
    const { name, message, code } = error as TsXdpError;
    return { name, message, code, ...(error as TsXdpError).facts() };
  }
}

const strange: readonly unknown[] = [
  ...[-1, 0, 1, 127, 128, -129, 255, 256, 65536, 2 ** 32, 2 ** 53 + 2, 1.5, Number.NaN, -Infinity],
  ...[-1n, 1n << 31n, 1n << 63n, (1n << 64n) - 1n, 1n << 64n, 1n << 127n, -(1n << 127n), 1n << 128n],
  ...[
    '',
    'x',
    '1',
    '0x1f',
    '-1',
    'true',
    'VERDICT_BAD',
    'DEBT',
    'caf\u00e9',
    'a string of more than sixteen bytes',
  ],
  ...[1e39, -1e39, new Map([['x', 1]]), new Date(0)],
  ...[true, false, null, undefined, {}, { x: 1 }, { unknown: 1 }, [], [1, 2], [[1]], Uint8Array.of(1, 2)],
];

/** The value with something else in one place. */
function spoiled(value: unknown, random: (below: number) => number): unknown {
  const replace = (): unknown => strange[random(strange.length)];
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || random(12) === 0)
    return replace();
  const copy: Record<string, unknown> = Array.isArray(value)
    ? ([...(value as unknown[])] as unknown as Record<string, unknown>)
    : { ...value };
  const keys = Object.keys(copy);
  const key = keys[random(keys.length)];
  if (key === undefined || random(16) === 0) copy['unknown_field'] = 1;
  else copy[key] = spoiled(copy[key], random);
  return copy;
}

t.test('flexible arrays, byte by byte', async (t) => {
  const { btf } = ObjectFile.open(folder.file('gen-flexible.bpf.o'));
  const generated = await folder.import<Record<string, Access>>('gen-flexible');
  const noWords = { no_bytes: {}, no_words: {}, words: [], route: { count: 0, hops: [] } };
  // A struct, its bytes, what they are read as, and what C's compiler would take for that many elements.
  const cases: [name: string, tag: string, hex: string, value: object, length: number][] = [
    ['Event', 'event', '0100000000000000' + '02000000', { time: 1n, length: 2, data: bytes('') }, 16],
    [
      'Event',
      'event',
      '0100000000000000' + '02000000' + '0a',
      { time: 1n, length: 2, data: bytes('0a') },
      16,
    ],
    [
      'Event',
      'event',
      '0100000000000000' + '02000000' + '0102030405',
      { time: 1n, length: 2, data: bytes('0102030405') },
      17,
    ],
    [
      'Route',
      'route',
      '01000000' + '010002ff' + '0102',
      { count: 1, hops: [{ port: 1, ttl: 2, weight: -1 }] },
      8,
    ],
    ['Named', 'named', '07000000' + '636166c3a9', { id: 7, name: 'café' }, 9],
    ['Named', 'named', '07000000' + '61620063', { id: 7, name: 'ab' }, 6],
    [
      'Nested',
      'nested',
      '05000000' + '00000000' + '0100000000000000' + '02000000' + '0102030405',
      { kind: 5, inner: { time: 1n, length: 2, data: bytes('0102030405') } },
      25,
    ],
    [
      'Either',
      'either',
      '01000000' + '01000000' + '010002ff' + '09',
      {
        ...{ kind: 1, no_bytes: {}, bytes: bytes('01000000010002ff09'), no_words: {} },
        ...{ words: [1, 0xff020001], route: { count: 1, hops: [{ port: 1, ttl: 2, weight: -1 }] } },
      },
      13,
    ],
    [
      'Either',
      'either',
      '01000000' + '01000000',
      { kind: 1, bytes: bytes('01000000'), ...noWords, words: [1], route: { count: 1, hops: [] } },
      8,
    ],
    [
      'Macs',
      'macs',
      '0200' + '010203040506' + '0708090a0b0c' + '0d',
      { count: 2, macs: [bytes('010203040506'), bytes('0708090a0b0c')] },
      14,
    ],
    ['Measured', 'measured', '01' + '00'.repeat(7) + '000000000000f83f', { kind: 1, values: [1.5] }, 16],
    [
      'Judged',
      'judged',
      '12000000' + '07000000' + '02000000',
      { count: 2, rest: 1, verdicts: ['VERDICT_BAD', 2] },
      12,
    ],
    [
      'Wide',
      'wide',
      'ff' + '00'.repeat(7) + '0100000000000080' + '00'.repeat(7),
      { sign: -1, totals: [0x8000000000000001n] },
      16,
    ],
    [
      'Marked',
      'marked',
      '010000000200000003000000',
      { mark: [], first: 1, middle: { count: 2, hops: [] }, here: bytes(''), last: 3 },
      12,
    ],
  ];
  for (const [name, tag, hex, value, length] of cases) {
    const given = bytes(hex);
    const compiled = generated[name]!;
    for (const codec of [createCodec(btf!, btf!.find(tag, 'struct')!), compiled]) {
      const end = given.length;
      // Behind the record lies the next one.
      const view = viewOf(bytes(`${hex}${'ee'.repeat(16)}`));
      t.strictSame(codec.read(view, 0, end), value, `${name} ${hex}`);
      t.strictSame(readInPlace(codec, view, end), value, `${name} ${hex}, field by field`);
      t.equal(codec.lengthOf(value), length, `${name} ${hex} takes ${length} bytes`);
      const written = new Uint8Array(40).fill(0xee);
      codec.write(viewOf(written), 2, value, 2 + Math.max(length, end));
      const text = Buffer.from(written).toString('hex');
      t.equal(text.slice(4, 4 + 2 * end), withoutRest(hex, value), `${name} ${hex}, written`);
      t.equal(
        text.slice(0, 4) + text.slice(4 + 2 * Math.max(length, end)),
        'ee'.repeat(40 - Math.max(length, end)),
      );
    }
    const { flexible } = compiled;
    if (!flexible) continue;
    const short = flexible.smallest - 1;
    t.throws(() => compiled.read(viewOf(given), 0, short), {
      message: `Cannot access ${flexible.smallest} bytes at offset 0: only ${short} bytes are there`,
    });
    t.throws(() => compiled.read(viewOf(given), 0, given.length + 8), { name: 'BoundsError' });
  }
});

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** What is no whole element, and what stands behind the end of a text, is not in the value. */
function withoutRest(hex: string, value: object): string {
  const rest: Record<string, [from: string, to: string]> = {
    '01000000010002ff0102': ['0102', '0000'],
    '0700000061620063': ['63', '00'],
    '02000102030405060708090a0b0c0d': ['0d', '00'],
  };
  const [from, to] = rest[hex] ?? ['', ''];
  return 'bytes' in value || from === '' ? hex : hex.slice(0, hex.length - from.length) + to;
}

t.test('a compiled codec looks at bounds', async (t) => {
  const { SimpleEvent } = await folder.import<{ SimpleEvent: Access }>('sniffer');
  const view = new DataView(new ArrayBuffer(566));
  const message = 'Cannot access 566 bytes at offset 1: only 566 bytes are there';
  t.throws(() => SimpleEvent.read(view, 1), { message, code: 'OUT_OF_BOUNDS' });
  t.throws(
    () => {
      SimpleEvent.write(view, 1, {});
    },
    { message, code: 'OUT_OF_BOUNDS' },
  );
});
