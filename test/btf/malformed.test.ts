import t from 'tap';
import {
  alignmentOf,
  Btf,
  BtfBuilder,
  createCodec,
  dumpC,
  fieldsOf,
  formatType,
  resolveType,
  sizeOf,
} from '../../src/btf/index.ts';
import type { BtfMember, BtfType } from '../../src/btf/index.ts';
import { BtfError } from '../../src/errors.ts';
import { thrown } from '../helpers/thrown.ts';

const int: BtfType = {
  kind: 'int',
  name: 'int',
  size: 4,
  bits: 32,
  offset: 0,
  signed: true,
  char: false,
  bool: false,
};

t.test('malformed BTF is refused with what is wrong', (t) => {
  const good = (): DataView => {
    const builder = new BtfBuilder();
    builder.add(int);
    builder.add({
      kind: 'struct',
      name: 's',
      size: 8,
      members: [{ name: 'm', typeId: 1, bitOffset: 0, bitSize: 0 }],
    });
    return viewOf(builder.build());
  };
  // The int lies at byte 24, its encoding at 36, the struct at 40, its member at 52, the strings at 64.
  const cases: [string, (view: DataView) => DataView | undefined, string, number?][] = [
    ['no bytes', () => new DataView(new ArrayBuffer(0)), 'Cannot read BTF: 0 bytes do not hold a header'],
    [
      'another magic',
      (v) => (v.setUint16(0, 0x1234, true), v),
      'Cannot read BTF: it starts with 0x1234, not 0xeb9f',
    ],
    ['a later version', (v) => (v.setUint8(2, 2), v), 'Cannot read BTF: version 2 is not supported'],
    [
      'a header that is too short',
      (v) => (v.setUint32(4, 20, true), v),
      'Cannot read BTF: its header cannot have 20 bytes',
    ],
    [
      'a header past the end',
      (v) => (v.setUint32(4, 4096, true), v),
      'Cannot read BTF: its header cannot have 4096 bytes',
    ],
    [
      'types past the end',
      (v) => (v.setUint32(12, 400, true), v),
      'Cannot read BTF: the types end at byte 424 of 73',
    ],
    [
      'strings past the end',
      (v) => (v.setUint32(20, 400, true), v),
      'Cannot read BTF: the strings end at byte 464 of 73',
    ],
    [
      'types that are not aligned',
      (v) => (v.setUint32(8, 2, true), v),
      'Cannot read BTF: its types are not aligned to 4 bytes',
    ],
    [
      'no strings',
      (v) => (v.setUint32(20, 0, true), v),
      'Cannot read BTF: its string section does not begin and end with a NUL',
    ],
    [
      'a last string without a NUL',
      (v) => (v.setUint8(72, 65), v),
      'Cannot read BTF: its string section does not begin and end with a NUL',
    ],
    [
      'a kind that is not known',
      (v) => (v.setUint32(28, 20 << 24, true), v),
      'Cannot read BTF: type 1 is of the unknown kind 20',
      1,
    ],
    [
      'void among the types',
      (v) => (v.setUint32(28, 0, true), v),
      'Cannot read BTF: type 1 is of the unknown kind 0',
      1,
    ],
    [
      'a type that is cut off',
      (v) => (v.setUint32(44, (4 << 24) | 2, true), v),
      'Cannot read BTF: type 2 is cut off by the end of the types: it ends 12 bytes later',
      2,
    ],
    [
      'a rest that is too short for a type',
      (v) => (v.setUint32(12, 24, true), v),
      'Cannot read BTF: type 2 is cut off by the end of the types: a type needs 12 bytes',
      2,
    ],
  ];
  for (const [name, damage, message, typeId] of cases) {
    const view = damage(good()) ?? good();
    const error = thrown(() => Btf.parse(new Uint8Array(view.buffer)));
    t.equal(error.message, message, name);
    t.ok(error instanceof BtfError && error.typeId === typeId, `${name}: which type`);
  }
  const types: [string, (view: DataView) => void, number, string][] = [
    [
      'an int of 3 bytes',
      (v) => {
        v.setUint32(32, 3, true);
      },
      1,
      'Cannot read BTF type 1: it cannot have 3 bytes',
    ],
    [
      'an int with bits outside of it',
      (v) => {
        v.setUint32(36, 33, true);
      },
      1,
      'Cannot read BTF type 1: bits 0 to 33 lie outside of 4 bytes',
    ],
    [
      'a name outside of the strings',
      (v) => {
        v.setUint32(24, 99, true);
      },
      1,
      'Cannot read a string of BTF: offset 99 is past the 9 bytes of strings',
    ],
    [
      'a member of a type that is not there',
      (v) => {
        v.setUint32(56, 3, true);
      },
      2,
      'Cannot read BTF type 2: it refers to type 3, and the last is 2',
    ],
    [
      'a member past the end of its struct',
      (v) => {
        v.setUint32(60, 65, true);
      },
      2,
      'Cannot read BTF type 2: a member at bit 65 lies outside of it',
    ],
  ];
  for (const [name, damage, id, message] of types) {
    const view = good();
    damage(view);
    const damaged = Btf.parse(new Uint8Array(view.buffer));
    t.equal(thrown(() => damaged.type(id)).message, message, name);
  }
  for (const id of [-1, 3, 1.5, Number.NaN]) {
    t.equal(
      thrown(() => Btf.parse(new Uint8Array(good().buffer)).type(id)).message,
      `Cannot find BTF type ${String(id)}: ids go from 0 to 2`,
    );
  }
  t.end();
});

t.test(
  'types that the kernel has checked are looked at as far as they are needed, and refused there',
  (t) => {
    const builder = new BtfBuilder();
    for (let index = 0; index < 20; index++)
      builder.add({ kind: 'forward', name: `f${index}`, of: 'struct' });
    const bytes = builder.build();
    // The 18th type, of kind 31.
    viewOf(bytes).setUint32(24 + 17 * 12 + 4, 31 << 24, true);
    const message = 'Cannot read BTF: type 18 is of the unknown kind 31';
    t.equal(thrown(() => Btf.parse(bytes)).message, message);
    const checked = Btf.parse(bytes, { checked: true });
    t.equal(checked.find('f16'), 17);
    t.equal(checked.nameOf(17), 'f16');
    for (let round = 0; round < 2; round++) {
      t.equal(thrown(() => checked.type(18)).message, message, 'the type itself');
      t.equal(thrown(() => checked.find('f19')).message, message, 'one behind it');
      t.equal(thrown(() => checked.typeCount).message, message, 'how many there are');
    }
    t.equal(checked.nameOf(1), 'f0', 'those before it stay');
    t.end();
  },
);

t.test('types of kinds that came later are skipped where the BTF says how long they are', (t) => {
  // As Linux 7.1 writes it: a header of 32 bytes and a layout of 2 bytes for each kind.
  const words = [0, (21 << 24) | 2, 0, 1, 2, 3, 4, 5];
  const types = [1, 1 << 24, 4, 0x01000020];
  const layouts = new Uint8Array(22 * 4);
  layouts.set([4, 8], 21 * 4);
  const strings = Buffer.from('\0int\0');
  const typesLength = (words.length + types.length) * 4;
  const header = [
    0x0001eb9f,
    32,
    0,
    typesLength,
    typesLength,
    strings.length,
    typesLength + 8,
    layouts.length,
  ];
  const bytes = new Uint8Array(32 + typesLength + 8 + layouts.length);
  const view = viewOf(bytes);
  [...header, ...words, ...types].forEach((word, index) => {
    view.setUint32(index * 4, word, true);
  });
  bytes.set(strings, 32 + typesLength);
  bytes.set(layouts, 32 + typesLength + 8);
  const parsed = Btf.parse(bytes);
  t.equal(parsed.typeCount, 3);
  t.same(parsed.type(2), int);
  t.equal(parsed.find('int'), 2);
  t.equal(thrown(() => parsed.type(1)).message, 'Cannot read BTF type 1: kind 21 is not known');
  t.equal(thrown(() => parsed.kindOf(1)).message, 'Cannot read BTF type 1: kind 21 is not known');
  t.end();
});

t.test('types that refer to themselves are found out', (t) => {
  const builder = new BtfBuilder();
  const a = builder.add({ kind: 'typedef', name: 'a', typeId: 2 });
  builder.add({ kind: 'const', typeId: 1 });
  const pointer = builder.add({ kind: 'pointer', typeId: 3 });
  const array = builder.add({ kind: 'array', elementTypeId: 4, indexTypeId: 4, length: 2 });
  const struct = builder.add({
    kind: 'struct',
    name: 's',
    size: 4,
    members: [{ name: 'self', typeId: 5, bitOffset: 0, bitSize: 0 }],
  });
  const anonymous = builder.add({
    kind: 'struct',
    name: 't',
    size: 4,
    members: [{ name: '', typeId: 6, bitOffset: 0, bitSize: 0 }],
  });
  const loops = Btf.parse(builder.build());
  const cases: [string, () => unknown, string][] = [
    [
      'resolveType',
      () => resolveType(loops, a),
      'Cannot resolve BTF type 1: it refers to itself, or through more than 32 types',
    ],
    [
      'formatType',
      () => formatType(loops, pointer),
      'Cannot spell BTF type 3: it refers to itself, or is too long',
    ],
    [
      'sizeOf',
      () => sizeOf(loops, array),
      'Cannot resolve BTF type 4: it refers to itself, or through more than 32 types',
    ],
    [
      'alignmentOf',
      () => alignmentOf(loops, struct),
      'Cannot resolve BTF type 5: it refers to itself, or through more than 32 types',
    ],
    [
      'createCodec',
      () => createCodec(loops, struct),
      'Cannot read and write values of BTF type 5: it contains itself',
    ],
    [
      'fieldsOf',
      () => fieldsOf(loops, anonymous),
      'Cannot list the fields of BTF type 6: it contains itself, or is nested too deeply',
    ],
  ];
  for (const [name, action, message] of cases) t.equal(thrown(action).message, message, name);
  t.equal(sizeOf(loops, pointer), 8, 'a pointer to itself has a size');
  t.end();
});

t.test('a struct of which nearly all is padding is not written in C', (t) => {
  const builder = new BtfBuilder();
  builder.add(int);
  const members = [{ name: 'm', typeId: 1, bitOffset: 0, bitSize: 0 }];
  builder.add({ kind: 'struct', name: 'most', size: 4 + 4 * ((1 << 18) * 2 - 1), members });
  t.equal(dumpC(Btf.parse(builder.build())).match(/long: 64|int: 32/g)?.length, 1 << 18);
  builder.add({ kind: 'struct', name: 'more', size: 8, members });
  const btf = Btf.parse(builder.build());
  const message = 'Cannot write struct more in C: it needs too much padding';
  t.equal(thrown(() => dumpC(btf)).message, message);
  t.equal(dumpC(btf, { roots: [3] }), 'struct more {\n\tint m;\n\tint: 32;\n};\n');
  builder.add({ kind: 'struct', name: 'huge', size: 0xffff_ffff, members });
  const huge = Btf.parse(builder.build());
  t.equal(thrown(() => dumpC(huge, { roots: [4] })).message, message.replace('more', 'huge'));
  t.end();
});

t.test('types without a name are spelled all the same', (t) => {
  const builder = new BtfBuilder();
  builder.add({ ...int, name: '' });
  const typedef = builder.add({ kind: 'typedef', name: '', typeId: 1 });
  const pointer = builder.add({ kind: 'pointer', typeId: typedef });
  const btf = Btf.parse(builder.build());
  t.equal(formatType(btf, 1), '(anonymous)');
  t.equal(formatType(btf, pointer), '(anonymous) *');
  t.end();
});

t.test('types without a size say so', (t) => {
  const declared = new BtfBuilder();
  const forward = declared.add({ kind: 'forward', name: 'later', of: 'struct' });
  const btf = Btf.parse(declared.build());
  t.equal(thrown(() => sizeOf(btf, 0)).message, 'Cannot tell the size of BTF type 0: a void has none');
  const message = `Cannot tell the alignment of BTF type ${String(forward)}: a forward has none`;
  t.equal(thrown(() => alignmentOf(btf, forward)).message, message);
  const builder = new BtfBuilder();
  builder.add(int);
  let id = 1;
  for (let depth = 0; depth < 3; depth++)
    id = builder.add({ kind: 'array', elementTypeId: id, indexTypeId: 1, length: 65536 });
  const huge = Btf.parse(builder.build());
  t.equal(thrown(() => sizeOf(huge, id)).message, 'Cannot tell the size of BTF type 4: it exceeds 4 GiB');
  t.end();
});

t.test('types that double at each level take no longer than others', (t) => {
  const builder = new BtfBuilder();
  const start = performance.now();
  const levels = 30;
  const doubling = { size: 1 << 20, kind: 'struct' } as const;
  // Structs with two anonymous ones each, structs with two named ones each, and prototypes that name the next twice.
  const intId = builder.add(int);
  let [anonymous, named, prototype] = [builder.add({ ...doubling, name: '', members: [] }), intId, intId];
  for (let level = 0; level < levels; level++) {
    const twice = (name: string, typeId: number): BtfMember[] => [
      { name: name && 'first', typeId, bitOffset: 0, bitSize: 0 },
      { name: name && 'second', typeId, bitOffset: 0, bitSize: 0 },
    ];
    anonymous = builder.add({ ...doubling, name: '', members: twice('', anonymous) });
    named = builder.add({ ...doubling, name: 's', members: twice('s', named) });
    const parameters = [
      { name: 'a', typeId: prototype },
      { name: 'b', typeId: prototype },
    ];
    prototype = builder.add({ kind: 'function_proto', returnTypeId: intId, parameters, variadic: false });
  }
  const btf = Btf.parse(builder.build());
  const cannot = (what: string, id: number, why: string): string =>
    `Cannot ${what} BTF type ${String(id)}: ${why}`;
  t.equal(
    thrown(() => fieldsOf(btf, anonymous)).message,
    cannot('list the fields of', anonymous, 'it has more than 65536'),
  );
  t.equal(
    thrown(() => formatType(btf, prototype)).message,
    cannot('spell', prototype, 'it refers to itself, or is too long'),
  );
  t.equal(alignmentOf(btf, named), 4);
  t.equal(
    thrown(() => createCodec(btf, named)).message,
    cannot('read and write values of', intId + 73 - 1, 'its 1048576 bytes would be 33554431 values'),
  );
  t.ok(performance.now() - start < 2000);
  t.end();
});

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
