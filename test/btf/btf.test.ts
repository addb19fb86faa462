import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  alignmentOf,
  Btf,
  BtfBuilder,
  createCodec,
  fieldsOf,
  formatType,
  sizeOf,
} from '../../src/btf/index.ts';
import type { BtfType } from '../../src/btf/index.ts';
import { thrown } from '../helpers/thrown.ts';
import { bpftoolTypes, inBpftoolsWords } from './bpftool-types.ts';
import { compileFixture } from './compiled-object.ts';

const VMLINUX = '/sys/kernel/btf/vmlinux';
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

const object = compileFixture('types.c');
t.teardown(() => {
  object.remove();
});
const btf = Btf.parse(object.section('.BTF'));

t.test('every type is what bpftool makes of it', (t) => {
  t.test('in what clang has compiled', (t) => {
    compareWithBpftool(t, btf, ['file', object.path]);
    t.end();
  });
  t.test('in what clang has compiled for a big-endian machine', (t) => {
    const foreign = compileFixture('types.c', { target: 'bpfeb' });
    const bigEndian = Btf.parse(foreign.section('.BTF'));
    t.equal(bigEndian.littleEndian, false);
    compareWithBpftool(t, bigEndian, ['file', foreign.path]);
    foreign.remove();
    t.end();
  });
  t.test('in the kernel', { skip: !existsSync(VMLINUX) && 'this kernel has no BTF' }, (t) => {
    compareWithBpftool(t, Btf.parse(readFileSync(VMLINUX)), ['file', VMLINUX]);
    t.end();
  });
  t.test('in a split BTF that counts on from its base', (t) => {
    const folder = t.testdir({});
    const base = Btf.parse(btf.bytes);
    const builder = new BtfBuilder({ base });
    const pointer = builder.add({ kind: 'pointer', typeId: base.find('point', 'struct')! });
    builder.add({ kind: 'typedef', name: 'point_pointer', typeId: pointer });
    builder.add({ kind: 'struct', name: 'point', size: 8, members: [] });
    const split = Btf.parse(builder.build(), { base });
    writeFileSync(join(folder, 'base'), base.bytes);
    writeFileSync(join(folder, 'split'), split.bytes);
    t.equal(split.firstId, base.typeCount);
    t.equal(split.typeCount, base.typeCount + 3);
    const own = bpftoolTypes(['file', join(folder, 'split'), '-B', join(folder, 'base')]);
    t.same(
      own.filter(({ id }) => id >= split.firstId),
      [0, 1, 2].map((index) => inBpftoolsWords(split.firstId + index, split.type(split.firstId + index))),
    );
    t.equal(formatType(split, split.find('point_pointer')!), 'point_pointer');
    t.equal(formatType(split, pointer), 'struct point *');
    t.same(split.findAll('point', 'struct'), [split.firstId + 2, base.find('point', 'struct')]);
    t.equal(split.find('point', 'struct'), split.firstId + 2, 'own types come before those of the base');
    t.equal(split.find('scalars'), base.find('scalars'));
    t.same(split.type(base.find('scalars')!), base.type(base.find('scalars')!));
    t.equal(split.nameOf(base.find('scalars')!), 'scalars');
    t.end();
  });
  t.end();
});

function compareWithBpftool(t: Test, parsed: Btf, options: string[]): void {
  const expected = bpftoolTypes(options);
  t.equal(parsed.typeCount, expected.length + 1);
  const different = expected.filter((theirs) => {
    const ours = inBpftoolsWords(theirs.id, parsed.type(theirs.id));
    return JSON.stringify(ours) !== JSON.stringify(theirs);
  });
  t.same(different.slice(0, 3), []);
  const misnamed = [...parsed.ids()].filter((id) => {
    const type = parsed.type(id);
    const name = 'name' in type ? type.name : '';
    return name !== parsed.nameOf(id) || type.kind !== parsed.kindOf(id);
  });
  t.same(misnamed, [], 'nameOf() and kindOf() agree with type()');
  const kinds = [...new Set([...parsed.ids()].map((id) => parsed.kindOf(id)))].filter(
    (kind) => kind !== 'void',
  );
  for (const kind of kinds)
    t.same(
      parsed.idsOf(kind),
      [...parsed.ids()].filter((id) => parsed.kindOf(id) === kind),
      `idsOf() finds every ${kind}`,
    );
}

t.test('names are looked up', (t) => {
  t.test('by name and kind', (t) => {
    t.equal(btf.nameOf(btf.find('scalars', 'variable')!), 'scalars');
    t.equal(btf.type(btf.find('scalars', 'struct')!).kind, 'struct');
    t.equal(btf.type(btf.find('scalars')!).kind, 'struct', 'without a kind the first one in the file');
    t.equal(btf.findAll('scalars').length, 2);
    t.equal(btf.find('scalars', 'function'), undefined);
    t.equal(btf.find('no_such_type'), undefined);
    t.equal(btf.find('scalar'), undefined, 'not by the beginning of a name');
    t.equal(btf.find('calars'), undefined, 'nor by its end');
    t.same(btf.findAll(''), [], 'nor are anonymous types');
    t.end();
  });
  t.test('where every name leads back to its type', (t) => {
    const lost = [...btf.ids()].filter(
      (id) => btf.nameOf(id) !== '' && !btf.findAll(btf.nameOf(id)).includes(id),
    );
    t.same(lost, []);
    t.end();
  });
  t.test('that are no ASCII', (t) => {
    const builder = new BtfBuilder();
    const id = builder.add({ kind: 'float', name: 'größe', size: 8 });
    t.equal(Btf.parse(builder.build()).find('größe'), id);
    t.end();
  });
  t.end();
});

t.test('sizes, alignments and offsets are those of clang', (t) => {
  const places = createCodec(btf, btf.find('places', 'variable')!);
  const expected = places.read(viewOf(object.section('.rodata.places')), 0) as unknown as Place[];
  t.equal(expected.length, 29);
  for (const { name, ...place } of expected) {
    const [structName = '', member] = name.split('.');
    const struct = btf.find(structName, 'struct')!;
    const field = fieldsOf(btf, struct).find((candidate) => candidate.name === member);
    const typeId = field?.typeId ?? struct;
    const found = {
      offset: (field?.bitOffset ?? 0) / 8,
      size: sizeOf(btf, typeId),
      alignment: alignmentOf(btf, typeId),
    };
    t.same(found, place, name);
  }
  t.equal(sizeOf(btf, btf.find('packed', 'struct')!), 7);
  t.equal(alignmentOf(btf, btf.find('packed', 'struct')!), 1);
  t.equal(sizeOf(btf, btf.find('counter', 'variable')!), 4, 'of a variable its type');
  t.end();
});

interface Place {
  name: string;
  offset: number;
  size: number;
  alignment: number;
}

t.test('types are spelled as in C', (t) => {
  const spellings: Record<string, string> = {
    string: 'const char *',
    pinned: 'char *const',
    opaque: 'const volatile void *',
    next: 'struct forward *',
    other: 'union forward_union *',
    call: 'callback',
    plain: 'void (*)(void)',
    row: 'int (*)[4]',
    rows: 'int *[4]',
    grid: 'char[2][3]',
    bytes: '__u8[16]',
    color: 'enum color',
    inner: 'enum (anonymous)',
    anonymous: 'struct (anonymous)',
    alias: 'int *restrict',
    size: 'unsigned long',
    table: 'callback[2]',
  };
  const fields = fieldsOf(btf, btf.find('spellings', 'struct')!);
  t.same(Object.fromEntries(fields.map(({ name, typeId }) => [name, formatType(btf, typeId)])), spellings);
  const callback = btf.type(btf.find('callback', 'typedef')!);
  t.equal(
    callback.kind === 'typedef' && formatType(btf, callback.typeId),
    'int (*)(struct forward *, const char *, ...)',
  );
  t.equal(formatType(btf, btf.find('visible', 'function')!), 'int visible(int)');
  t.equal(formatType(btf, btf.find('places', 'variable')!), 'const struct place places[29]');
  t.equal(formatType(btf, 0), 'void');
  t.equal(formatType(btf, btf.find('rcu', 'type_tag')!), 'int');
  t.end();
});

t.test('what it is built of can be built again', (t) => {
  const cases = {
    'of an object': btf.bytes,
    'of the kernel': existsSync(VMLINUX) ? readFileSync(VMLINUX) : undefined,
  };
  for (const [name, bytes] of Object.entries(cases)) {
    t.test(name, { skip: bytes === undefined && 'this kernel has no BTF' }, (t) => {
      const original = Btf.parse(bytes!);
      const builder = new BtfBuilder({ littleEndian: original.littleEndian });
      const misplaced = [...original.ids()].filter((id) => builder.add(original.type(id)) !== id);
      t.same(misplaced, []);
      const copy = Btf.parse(builder.build());
      const text = (of: Btf, id: number): string =>
        JSON.stringify(of.type(id), (_, value: unknown) =>
          typeof value === 'bigint' ? `${value.toString()}n` : value,
        );
      t.same([...original.ids()].filter((id) => text(copy, id) !== text(original, id)).slice(0, 3), []);
      t.end();
    });
  }
  t.test('in either byte order', (t) => {
    const build = (littleEndian: boolean): Btf => {
      const builder = new BtfBuilder({ littleEndian });
      builder.add(int);
      builder.add({
        kind: 'enum64',
        name: 'wide',
        size: 8,
        signed: true,
        values: [{ name: 'LEAST', value: -(2n ** 63n) }],
      });
      return Btf.parse(builder.build());
    };
    const [little, big] = [build(true), build(false)];
    t.equal(big.littleEndian, false);
    t.notSame(little.bytes, big.bytes);
    for (const id of little.ids()) t.same(big.type(id), little.type(id));
    t.end();
  });
  t.end();
});

t.test('what the format cannot say is refused when built', (t) => {
  const values = Array.from({ length: 65536 }, (_, value) => ({ name: '', value }));
  const far = { name: 'far', typeId: 1, bitOffset: 2 ** 24, bitSize: 3 };
  const cases: [string, BtfType, string][] = [
    ['void', { kind: 'void' }, 'Cannot build BTF: void is type 0 and cannot be added'],
    [
      'more elements than kernels before 7.1 read',
      { kind: 'enum', name: 'huge', size: 4, signed: false, values },
      'Cannot build BTF: enum huge has more than 65535 elements',
    ],
    [
      'a bitfield past what 24 bits can say',
      { kind: 'struct', name: 'long_one', size: 2 ** 22, members: [far] },
      'Cannot build BTF: bitfield far of struct long_one lies too far from its start',
    ],
    [
      'a name with a NUL',
      { kind: 'float', name: 'a\0b', size: 4 },
      'Cannot build BTF: the string "a\\u0000b" has a NUL in it',
    ],
  ];
  for (const [name, type, message] of cases) {
    t.equal(thrown(() => new BtfBuilder().add(type)).message, message, name);
  }
  t.end();
});

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

t.test('a name is found in the same types however many were looked for before', (t) => {
  const builder = new BtfBuilder();
  const named = (name: string): number => builder.add({ kind: 'forward', name, of: 'struct' });
  // The strings of some end like others, and one comes twice.
  const names = ['a', 'ba', 'cba', 'dcba', 'page', 'subpage', 'page'];
  const ids = names.map(named);
  const split = Btf.parse(builder.build());
  for (let round = 0; round < 8; round++) {
    for (const name of new Set(names)) {
      const expected = ids.filter((_, index) => names[index] === name);
      t.same(split.findAll(name), expected, `${name}, round ${String(round)}`);
    }
    t.same(split.findAll('sub'), []);
    t.same(split.findAll(''), []);
  }
  t.end();
});

t.test(
  "the kernel's types are found one by one as they are all together",
  {
    skip: !existsSync(VMLINUX) && 'this kernel has no BTF',
  },
  (t) => {
    const bytes = readFileSync(VMLINUX);
    const all = Btf.parse(bytes);
    const last = all.typeCount - 1;
    const fresh = (): Btf => Btf.parse(bytes, { checked: true });
    // 'sock' and 'page' end 100 other names, 'int' has a string offset that is the id of many types, 'list' is no type.
    const names = [
      'task_struct',
      'sock',
      'page',
      'int',
      'char',
      'list',
      'bpf_prog',
      'no such type',
      all.nameOf(last),
    ];
    for (const name of names) {
      t.same(fresh().findAll(name), all.findAll(name), name);
      const id = all.find(name);
      if (id !== undefined) t.same(fresh().type(id), all.type(id), `${name}: the type itself`);
    }
    const lazy = fresh();
    for (const id of [last, 1, last >> 1, 7, 8, 9, (last >> 1) + 1, last - 1]) {
      t.equal(lazy.byteOffsetOf(id), all.byteOffsetOf(id), `[${String(id)}]`);
      t.same(fresh().type(id), all.type(id), `[${String(id)}] before any other`);
    }
    t.equal(fresh().typeCount, all.typeCount);
    for (const id of [last + 1, -1, 1.5])
      t.equal(thrown(() => fresh().type(id)).message, thrown(() => all.type(id)).message);
    t.end();
  },
);

t.test('types that nobody has checked yet are found wherever their bytes lie, in either byte order', (t) => {
  for (const littleEndian of [true, false]) {
    const bytes = compileFixture('types.c', { target: littleEndian ? 'bpfel' : 'bpfeb' });
    const section = bytes.section('.BTF');
    bytes.remove();
    const unmoved = Btf.parse(section);
    const expected = [...unmoved.ids()].map((id) => unmoved.type(id));
    for (let shift = 0; shift < 4; shift++) {
      const shifted = Buffer.concat([Buffer.alloc(shift), section, Buffer.alloc(3)]);
      const moved = Btf.parse(new Uint8Array(shifted.buffer, shifted.byteOffset + shift, section.length));
      t.same(
        [...moved.ids()].map((id) => moved.type(id)),
        expected,
        `${littleEndian ? 'little' : 'big'}-endian, ${String(shift)} bytes further`,
      );
    }
  }
  t.end();
});
