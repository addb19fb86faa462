/** Types of modules with a distilled base, related to a kernel's: what libbpf makes of the same, and what it refuses. */
import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { Btf, BtfBuilder, rawText, relocateBtf, type BtfType } from '../../src/btf/index.ts';
import { readBtfSource } from '../../src/cli/btf/source.ts';
import { readContainer, readModuleBtf } from '../../src/elf/index.ts';
import { errno } from '../../src/sys/index.ts';
import { BPF_BTF_GET_FD_BY_ID } from '../../src/uapi/index.ts';
import { RecordingKernel } from '../helpers/recording-kernel.ts';
import { inProject } from '../helpers/project-root.ts';
import { snifferObject } from '../helpers/sniffer-events.ts';
import { thrown } from '../helpers/thrown.ts';

const fixture = (name: string): string => inProject(`test/fixtures/btf/relocate/${name}`);
const bytes = (name: string): Uint8Array => readFileSync(fixture(name));
const base = Btf.parse(bytes('base.btf'));
const split = Btf.parse(bytes('split.btf'), { base });
const now = Btf.parse(bytes('kernel-now.btf'));

t.test('they are what libbpf makes of them', (t) => {
  const relocated = relocateBtf(split, now);
  t.same(Buffer.from(relocated.bytes), Buffer.from(bytes('relocated.btf')));
  t.equal(relocated.base, now);
  t.equal(relocated.firstId, now.typeCount);
  t.end();
});

t.test('a module brings its base', (t) => {
  const elf = readContainer(bytes('module.ko'));
  const own = readModuleBtf(elf, { kernel: undefined });
  t.same([own?.base?.typeCount, own?.typeCount], [base.typeCount, split.typeCount]);
  t.same(readModuleBtf(elf, { kernel: now })?.bytes, relocateBtf(split, now).bytes);
  t.end();
});

t.test('btf dump shows them over the kernel that is named', (t) => {
  const own = ({ btf }: { btf: Btf }): string[] =>
    [...btf.ids()].filter((id) => id >= btf.firstId).map((id) => rawText(btf, id));
  const relocated = Btf.parse(bytes('relocated.btf'), { base: now });
  const path = fixture('module.ko');
  for (const base of [fixture('kernel-now.btf')]) {
    t.same(own(readBtfSource(path, { base })), own({ btf: relocated }));
    t.same(own(readBtfSource('file', { which: path, base })), own({ btf: relocated }));
    t.same(
      own(readBtfSource(fixture('relocated.btf'), { base })),
      own({ btf: relocated }),
      'of a file of BTF',
    );
  }
  t.same(own(readBtfSource(path)), own({ btf: split }));
  t.throws(() => readBtfSource('id', { which: '1', base: 'kernel' }), {
    message: /^--base is for types of a file/,
  });
  t.end();
});

t.test('btf dump takes no base for types that extend none', (t) => {
  const whole = fixture('kernel-now.btf');
  const refused = (source: string): { code: string; message: string; hint: string } => ({
    code: 'BTF_INVALID',
    message: `Cannot read the types of ${source} over a base: they extend none (no split BTF)`,
    hint: 'leave --base out',
  });
  for (const source of [whole, fixture('base.btf'), snifferObject])
    t.throws(() => readBtfSource(source, { base: whole }), refused(source));
  const running = existsSync('/sys/kernel/btf/vmlinux') ? false : 'this kernel has no BTF';
  t.test('nor for the kernel', { skip: running }, (t) => {
    t.throws(() => readBtfSource('kernel', { base: whole }), refused('kernel'));
    t.end();
  });
  t.throws(() => readBtfSource(fixture('split.btf')), {
    code: 'BTF_INVALID',
    message: 'Cannot read BTF: its strings do not begin with the empty one',
    hint: 'types that extend others, as those of a kernel module do (split BTF), are read with those as their base',
  });
  t.end();
});

t.test('a number alone is the id of a BTF in the kernel', (t) => {
  const kernel = new RecordingKernel(() => -errno.ENOENT);
  t.equal(
    thrown(() => readBtfSource('12', { kernel })).message,
    thrown(() => readBtfSource('id', { which: '12', kernel })).message,
  );
  t.same(
    kernel.calls.map(({ command, attribute }) => [command, attribute[0]]),
    [
      [BPF_BTF_GET_FD_BY_ID, 12],
      [BPF_BTF_GET_FD_BY_ID, 12],
    ],
  );
  t.end();
});

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
const struct = (name: string, size: number): BtfType => ({ kind: 'struct', name, size, members: [] });
const member = (typeId: number): BtfType => ({
  kind: 'struct',
  name: 'own',
  size: 64,
  members: [{ name: 'held', typeId, bitOffset: 0, bitSize: 0 }],
});

function build(types: readonly BtfType[], base?: Btf): Btf {
  const builder = new BtfBuilder({ base });
  for (const type of types) builder.add(type);
  return Btf.parse(builder.build(), { base });
}

/** The id that the only member of the module's struct has in the kernel. */
function relocatedMember(distilled: readonly BtfType[], kernel: readonly BtfType[]): number | undefined {
  const own = build([member(1)], build(distilled));
  const relocated = relocateBtf(own, build(kernel));
  const type = relocated.type(relocated.firstId);
  return type.kind === 'struct' ? type.members[0]?.typeId : undefined;
}

t.test('types are told by name, kind and size', (t) => {
  const enum64: BtfType = { kind: 'enum64', name: 'e', size: 8, signed: false, values: [] };
  const enumOf8: BtfType = { kind: 'enum', name: 'e', size: 8, signed: false, values: [] };
  const union: BtfType = { kind: 'union', name: 's', size: 8, members: [] };
  t.equal(relocatedMember([int], [struct('int', 4), int]), 2);
  t.equal(relocatedMember([enumOf8], [int, enum64]), 2, 'an enum of 64 bits');
  t.equal(relocatedMember([struct('s', 8)], [struct('s', 4), struct('s', 8)]), 2, 'one of two sizes');
  t.equal(relocatedMember([struct('s', 8)], [union, int, struct('s', 8)]), 3, 'no union');
  t.equal(
    relocatedMember([{ kind: 'forward', name: 's', of: 'struct' }], [union, struct('s', 4)]),
    2,
    'declared',
  );
  const pointed = build([{ kind: 'pointer', typeId: 1 }], build([struct('s', 8)]));
  const grown = relocateBtf(pointed, build([int, struct('s', 16)]));
  t.same(grown.type(3), { kind: 'pointer', typeId: 2 }, 'behind a pointer it may have grown');
  t.end();
});

t.test('what cannot be related is refused by name', (t) => {
  const cases: [why: string, distilled: readonly BtfType[], kernel: readonly BtfType[]][] = [
    ["to the kernel's: struct s of its base: the kernel has none that fits", [struct('s', 8)], [int]],
    [
      "to the kernel's: struct s of its base: the kernel has none that fits",
      [struct('s', 8)],
      [struct('s', 16)],
    ],
    [
      "to the kernel's: int int of its base: the kernel has none that fits",
      [int],
      [{ ...int, signed: false }],
    ],
    [
      "to the kernel's: struct s of its base: the kernel has several that fit: types 1, 2",
      [struct('s', 8)],
      [struct('s', 8), struct('s', 8)],
    ],
    [': type 1 of its base is anonymous', [struct('', 8)], [struct('s', 8)]],
    [': type 2 of its base is a pointer, which none can be', [int, { kind: 'pointer', typeId: 1 }], [int]],
  ];
  for (const [why, distilled, kernel] of cases) {
    const error = thrown(() => relocatedMember(distilled, kernel));
    t.equal(error.message, `Cannot relocate BTF${why.startsWith(':') ? '' : ' '}${why}`);
    t.equal(error.code, 'BTF_INVALID');
  }
  t.equal(thrown(() => relocateBtf(now, now)).message, 'Cannot relocate BTF: it extends no other');
  t.end();
});

const VMLINUX = '/sys/kernel/btf/vmlinux';
t.test(
  'the kernel that runs is such a base',
  { skip: !existsSync(VMLINUX) && 'this kernel has no BTF' },
  (t) => {
    const kernel = Btf.parse(readFileSync(VMLINUX));
    const distilled = build([
      int,
      { kind: 'forward', name: 'sk_buff', of: 'struct' },
      struct('task_struct', 1),
    ]);
    const own = build(
      [1, 2, 3].map((typeId): BtfType => ({ kind: 'pointer', typeId })),
      distilled,
    );
    const relocated = relocateBtf(own, kernel);
    const found = [0, 1, 2].map((index) => relocated.sizeOrTypeId(relocated.firstId + index));
    t.same(found, [
      kernel.find('int', 'int'),
      kernel.find('sk_buff', 'struct'),
      kernel.find('task_struct', 'struct'),
    ]);
    t.end();
  },
);
