/** Types as C: whatever clang makes of them must have the layout that the BTF has. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Btf, BtfBuilder, dumpC } from '../../src/btf/index.ts';
import type { BtfComposite } from '../../src/btf/index.ts';
import { CDump } from '../../src/btf/dump-c/dump.ts';
import { compileFixture } from './compiled-object.ts';

const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-dump-'));
t.teardown(() => {
  rmSync(folder, { recursive: true });
});

const noClang = spawnSync('clang', ['--version']).status === 0 ? false : 'clang is not installed';
const vmlinux = '/sys/kernel/btf/vmlinux';

interface NamedComposite {
  readonly tag: string;
  readonly type: BtfComposite;
}

/** All of a BTF as C, with every struct and union that has a name. */
function dumpAll(btf: Btf): { text: string; composites: NamedComposite[] } {
  const dump = new CDump(btf);
  dump.requireAll();
  const composites = [...btf.ids()].flatMap((id) => {
    const type = btf.type(id);
    const named = (type.kind === 'struct' || type.kind === 'union') && type.name !== '';
    return named ? [{ tag: `${type.kind} ${dump.tagOf(id)}`, type }] : [];
  });
  return { text: dump.declarations.join('\n'), composites };
}

/** C that does not compile where a size, or the offset of a member that is no bitfield, differs. */
function assertions(composites: readonly NamedComposite[]): string {
  const lines = composites.flatMap(({ tag, type }) => [
    `_Static_assert(sizeof(${tag}) == ${type.size}, "size of ${tag}");`,
    ...type.members
      .filter(({ name, bitSize }) => name !== '' && bitSize === 0)
      .map(
        ({ name, bitOffset }) =>
          `_Static_assert(__builtin_offsetof(${tag}, ${name}) == ${bitOffset / 8}, "${tag}.${name}");`,
      ),
  ]);
  return lines.join('\n');
}

/** Compiles and reads back the types that clang saw, of which `tags` are variables. */
function compiled(text: string, tags: readonly string[]): Btf {
  const [source, object, section] = ['types.c', 'types.o', 'types.btf'].map((name) => join(folder, name));
  const variables = tags.map((tag, index) => `${tag} variable_${index};`);
  writeFileSync(source!, `${text}\n${variables.join('\n')}\n`);
  const clang = spawnSync('clang', ['--target=bpf', '-g', '-O0', '-w', '-c', source!, '-o', object!], {
    encoding: 'utf8',
  });
  if (clang.status !== 0) throw new Error(clang.stderr.slice(0, 2000));
  execFileSync('llvm-objcopy', ['--dump-section', `.BTF=${section!}`, object!, '/dev/null']);
  return Btf.parse(readFileSync(section!));
}

/** Bitfields have no offsetof: clang's own BTF says where they are. */
function bitfieldsOf(type: BtfComposite): [name: string, bitOffset: number, bitSize: number][] {
  return type.members
    .filter(({ name, bitSize }) => name !== '' && bitSize !== 0)
    .map(({ name, bitOffset, bitSize }) => [name, bitOffset, bitSize]);
}

function checkLayouts(btf: Btf): { composites: number; bitfields: number; wrong: string[] } {
  const { text, composites } = dumpAll(btf);
  const withBitfields = composites.filter(({ type }) => bitfieldsOf(type).length > 0);
  const seen = compiled(
    `${text}\n${assertions(composites)}`,
    withBitfields.map(({ tag }) => tag),
  );
  const wrong: string[] = [];
  let bitfields = 0;
  for (const { tag, type } of withBitfields) {
    const id = seen.find(tag.replace(/^\w+ /, ''), type.kind);
    const found = id === undefined ? undefined : (seen.type(id) as BtfComposite);
    const wanted = bitfieldsOf(type);
    bitfields += wanted.length;
    if (JSON.stringify(found && bitfieldsOf(found)) !== JSON.stringify(wanted)) wrong.push(tag);
  }
  return { composites: composites.length, bitfields, wrong };
}

t.test(
  "clang gives every struct and union of the kernel's BTF the same layout",
  { skip: noClang || (existsSync(vmlinux) ? false : 'the kernel has no BTF') },
  (t) => {
    const { composites, bitfields, wrong } = checkLayouts(Btf.parse(readFileSync(vmlinux)));
    t.same(wrong, []);
    t.ok(composites > 1000, `${composites} structs and unions`);
    t.ok(bitfields > 1000, `${bitfields} bitfields`);
    t.end();
  },
);

t.test('types of a fixture keep their layout', { skip: noClang }, (t) => {
  const object = compileFixture('types.c');
  t.same(checkLayouts(Btf.parse(object.section('.BTF'))).wrong, []);
  object.remove();
  t.end();
});

t.test('attributes that BTF does not have are concluded, and names told apart', (t) => {
  const builder = new BtfBuilder();
  const byte = builder.add({
    kind: 'int',
    name: 'char',
    size: 1,
    bits: 8,
    offset: 0,
    signed: true,
    char: false,
    bool: false,
  });
  const word = builder.add({
    kind: 'int',
    name: 'int',
    size: 4,
    bits: 32,
    offset: 0,
    signed: true,
    char: false,
    bool: false,
  });
  const member = (name: string, typeId: number, bitOffset: number, bitSize = 0) => ({
    name,
    typeId,
    bitOffset,
    bitSize,
  });
  builder.add({ kind: 'struct', name: 'p', size: 5, members: [member('a', byte, 0), member('b', word, 8)] });
  builder.add({
    kind: 'struct',
    name: 'p',
    size: 16,
    members: [member('a', word, 0), member('b', word, 64)],
  });
  builder.add({
    kind: 'struct',
    name: 'bits',
    size: 4,
    members: [member('a', word, 0, 3), member('b', word, 8, 4)],
  });
  builder.add({ kind: 'union', name: 'u', size: 16, members: [member('a', word, 0)] });
  builder.add({ kind: 'enum', name: 'small', size: 1, signed: false, values: [{ name: 'ONE', value: 1 }] });
  builder.add({
    kind: 'enum64',
    name: 'big',
    size: 8,
    signed: false,
    values: [{ name: 'ONE', value: 2n ** 63n }],
  });
  const node = builder.add({ kind: 'forward', name: 'node', of: 'struct' });
  const pointer = builder.add({ kind: 'pointer', typeId: node });
  const proto = builder.add({
    kind: 'function_proto',
    returnTypeId: pointer,
    parameters: [{ name: 'a', typeId: word }],
    variadic: true,
  });
  const callback = builder.add({ kind: 'pointer', typeId: proto });
  builder.add({ kind: 'typedef', name: 'callback_t', typeId: callback });
  const btf = Btf.parse(builder.build());
  t.equal(
    dumpC(btf).replaceAll('\t', ' '),
    [
      'struct p {\n char a;\n int b;\n} __attribute__((packed));\n',
      'struct p___2 {\n int a;\n int: 32;\n int b;\n int: 32;\n};\n',
      'struct bits {\n int a: 3;\n char: 5;\n int b: 4;\n};\n',
      'union u {\n int a;\n} __attribute__((aligned(16)));\n',
      'enum small {\n ONE = 1,\n} __attribute__((mode(byte)));\n',
      'enum big {\n ONE___2 = 9223372036854775808ULL,\n};\n',
      'struct node;\n',
      'typedef struct node *(*callback_t)(int, ...);\n',
    ].join('\n'),
  );
  t.equal(dumpC(btf, { roots: [callback] }), 'struct node;\n', 'only what the root needs');
  t.end();
});

t.test('what no C can say is an error', (t) => {
  const builder = new BtfBuilder();
  const word = builder.add({
    kind: 'int',
    name: 'int',
    size: 4,
    bits: 32,
    offset: 0,
    signed: true,
    char: false,
    bool: false,
  });
  const overlapping = [0, 16].map((bitOffset) => ({
    name: `at_${bitOffset}`,
    typeId: word,
    bitOffset,
    bitSize: 0,
  }));
  builder.add({ kind: 'struct', name: 'odd', size: 8, members: overlapping });
  t.throws(() => dumpC(Btf.parse(builder.build())), {
    code: 'BTF_INVALID',
    message: 'Cannot write struct odd in C: its members overlap or exceed it',
  });
  const loop = new BtfBuilder();
  loop.add({
    kind: 'struct',
    name: 'self',
    size: 8,
    members: [{ name: 'a', typeId: 1, bitOffset: 0, bitSize: 0 }],
  });
  t.throws(() => dumpC(Btf.parse(loop.build())), {
    message: 'Cannot write BTF type 1 in C: it contains itself',
  });
  t.end();
});
