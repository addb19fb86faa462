/** Objects as LLVM reads them, section names as libbpf takes them, and what makes a file no object. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { interpretSectionName, ObjectFile, readContainer, sectionDefinitions } from '../../src/elf/index.ts';
import { readRelocations } from '../../src/elf/relocations.ts';
import { readSymbols } from '../../src/elf/symbols.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { thrown } from '../helpers/thrown.ts';
import { inProject } from '../helpers/project-root.ts';

const missing = whyNotCompile();
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const compiler = new Compiler();
t.teardown(() => {
  compiler.close();
});

const fixtures = ['globals', 'calls', 'maps', 'kernel-functions', 'refused', 'events'];
const objects: Record<string, string> = Object.fromEntries(
  fixtures.map((fixture) => [fixture, compiler.fixture(fixture)]),
);
objects['globals, big-endian'] = compiler.fixture('globals', { target: 'bpfeb', name: 'globals-be.bpf.o' });
objects['calls, big-endian'] = compiler.fixture('calls', { target: 'bpfeb', name: 'calls-be.bpf.o' });
objects['sniffer'] = inProject('bpf/sniffer.bpf.o');

function lines(command: string, args: string[]): string[] {
  return execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 }).split('\n');
}

const hexadecimal = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
const symbolTypes: Record<string, string> = { 0: 'NOTYPE', 1: 'OBJECT', 2: 'FUNC', 3: 'SECTION', 4: 'FILE' };
const bindings = ['LOCAL', 'GLOBAL', 'WEAK'];
const sectionIndices: Record<string, string> = { 0: 'UND', 0xfff1: 'ABS' };

for (const [name, path] of Object.entries(objects)) {
  t.test(`${name}: sections, symbols and relocations are those that llvm-readelf finds`, (t) => {
    const elf = readContainer(readFileSync(path));
    const symbols = readSymbols(elf).all;
    const bySection = readRelocations(elf, symbols);

    const sectionLine =
      /^ +\[ *(\d+)\] (.*?) +([A-Z_0-9]+) +[0-9a-f]{16} [0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+) .*? (\d+) +(\d+) +\d+$/;
    const theirSections = lines('llvm-readelf', ['-SW', path]).flatMap((line) => {
      const [, index, section, , size, entrySize, link, info] = sectionLine.exec(line) ?? [];
      return index === undefined ? [] : [[index, section, size, entrySize, link, info].join(' ')];
    });
    t.ok(theirSections.length > 10);
    t.same(
      elf.sections.map(({ index, name, size, entrySize, link, info }) =>
        [index, name, hexadecimal(size, 6), hexadecimal(entrySize, 2), link, info].join(' '),
      ),
      theirSections,
    );

    const symbolLine = /^ *(\d+): ([0-9a-f]{16}) +(\d+) (\w+) +(\w+) +(\w+) +(\w+) ?(.*)$/;
    const theirSymbols = lines('llvm-readelf', ['-sW', path]).flatMap((line) => {
      const [, index, value, size, type, binding, visibility, section, symbol] = symbolLine.exec(line) ?? [];
      const hidden = visibility === 'HIDDEN' || visibility === 'INTERNAL';
      return index === undefined
        ? []
        : [[index, value, size, type, binding, hidden, section, symbol].join(' ')];
    });
    t.ok(theirSymbols.length > 10);
    t.same(
      symbols.map((symbol) =>
        [
          symbol.index,
          hexadecimal(symbol.value, 16),
          symbol.size,
          symbolTypes[symbol.type],
          bindings[symbol.binding],
          symbol.hidden,
          sectionIndices[symbol.section] ?? symbol.section,
          // llvm-readelf gives section symbols, which have no name, that of their section.
          symbol.type === 3 ? elf.sections[symbol.section]?.name : symbol.name,
        ].join(' '),
      ),
      theirSymbols,
    );

    const theirs: string[] = [];
    let section = '';
    for (const line of lines('llvm-readelf', ['-rW', path])) {
      section = /^Relocation section '(.*)' at/.exec(line)?.[1] ?? section;
      if (/^\.rel(\.debug_|\.eh_frame|\.BTF)/.test(section)) continue;
      const [, offset, info] = /^([0-9a-f]{16}) +([0-9a-f]{16}) +R_BPF/.exec(line) ?? [];
      if (offset !== undefined) theirs.push([section, offset, info].join(' '));
    }
    t.ok(theirs.length >= 0);
    const ours = elf.sections.flatMap((section) =>
      (bySection.get(section.index) ?? []).map(({ offset, type, symbol }) =>
        [
          `.rel${section.name}`,
          hexadecimal(offset, 16),
          hexadecimal(symbol.index, 8) + hexadecimal(type, 8),
        ].join(' '),
      ),
    );
    t.same(ours.sort(), theirs.sort());
    t.end();
  });

  t.test(`${name}: functions and their bytes are those that llvm-objdump finds`, (t) => {
    const object = ObjectFile.open(path);
    const theirs = new Map<string, string>();
    let heading = '';
    let section = '';
    for (const line of lines('llvm-objdump', ['-d', '-z', path])) {
      section = /^Disassembly of section (.*):/.exec(line)?.[1] ?? section;
      const symbol = /^[0-9a-f]{16} <(.*)>:/.exec(line)?.[1];
      // Labels within functions have headings of their own.
      if (symbol !== undefined && !symbol.startsWith('LBB')) heading = `${section} ${symbol}`;
      const encoded = /^ +\d+:\t((?:[0-9a-f]{2}[ \t])+)/.exec(line)?.[1]?.replace(/\s/g, '');
      if (encoded !== undefined) theirs.set(heading, (theirs.get(heading) ?? '') + encoded);
    }
    const ours = [...object.programs.values(), ...object.subprograms].map(
      (fn) => [`${fn.section} ${fn.name}`, Buffer.from(fn.instructions).toString('hex')] as const,
    );
    t.ok(ours.length > 0);
    t.same(new Map(ours), theirs);
    t.end();
  });
}

t.test('a big-endian object says the same as its little-endian twin', (t) => {
  const describe = (path: string): unknown => {
    const { programs, subprograms, maps, variables, license, kernelVersion, externs } = ObjectFile.open(path);
    return {
      license,
      kernelVersion,
      externs: [...externs.values()],
      programs: [...programs.values()].map(({ instructions: _bytes, ...facts }) => facts),
      subprograms: subprograms.map(({ instructions: _bytes, ...facts }) => facts),
      maps: [...maps.values()].map(({ contents: _contents, ...facts }) => facts),
      variables: [...variables.values()].map((variable) => [
        variable.name,
        variable.typeName,
        variable.get(),
      ]),
    };
  };
  t.same(describe(objects['globals, big-endian'] ?? ''), describe(objects['globals'] ?? ''));
  t.same(describe(objects['calls, big-endian'] ?? ''), describe(objects['calls'] ?? ''));
  t.equal(ObjectFile.open(objects['globals'] ?? '').kernelVersion, 0x50a01);
  t.equal(ObjectFile.open(objects['calls'] ?? '').license, 'Dual MIT/GPL');
  t.end();
});

t.test('maps, as the source defines them', (t) => {
  const object = ObjectFile.open(objects['maps'] ?? '');
  const map = (name: string): Record<string, unknown> => {
    const { type, keySize, valueSize, maxEntries, flags } = object.map(name);
    return { type, keySize, valueSize, maxEntries, flags };
  };
  const cases: [name: string, type: number, key: number, value: number, entries: number, flags: number][] = [
    ['flows', 1, 8, 48, 64, 1],
    ['per_cpu_hash', 5, 1, 8, 8, 0],
    ['routes', 11, 8, 4, 16, 1],
    ['ring', 27, 0, 0, 5000, 0],
    ['outer', 12, 4, 4, 4, 0],
    ['jumps', 3, 4, 4, 4, 0],
    ['.bss', 2, 4, 4, 1, 0x400],
    ['.rodata', 2, 4, 48, 1, 0x480],
  ];
  for (const [name, type, keySize, valueSize, maxEntries, flags] of cases) {
    t.same(map(name), { type, keySize, valueSize, maxEntries, flags }, name);
  }
  t.same(object.map('outer').initialSlots, [
    { index: 1, target: 'first' },
    { index: 3, target: 'second' },
  ]);
  t.match(object.map('outer').inner, { type: 2, keySize: 4, valueSize: 4, maxEntries: 1 });
  t.same(object.map('jumps').initialSlots, [
    { index: 0, target: 'tail_target' },
    { index: 2, target: 'left_out' },
  ]);
  t.same(
    ['out_of_bounds', 'no_type'].map((name) => {
      const { type, autoload } = ObjectFile.open(objects['refused'] ?? '').program(name);
      return { type, autoload };
    }),
    [
      { type: 6, autoload: false },
      { type: 0, autoload: false },
    ],
  );
  t.end();
});

/** Names that came after libbpf 1.1. */
const newerNames =
  /^(uprobe\.multi|uretprobe\.multi|uprobe\.session|kprobe\.session|fsession|tcx?\/|netkit\/|netfilter|usdt\.s|cgroup\/.*_unix|struct_ops\.s|sk_skb\/verdict)/;

const noLibbpf = spawnSync('gcc', ['--version']).status === 0 ? false : 'gcc is not installed';
t.test('section names mean what they mean to libbpf', { skip: noLibbpf }, (t) => {
  const program = join(compiler.folder, 'section-names');
  execFileSync('gcc', ['-O1', '-o', program, inProject('test/elf/section-names.c'), '-lbpf']);
  const names = [...sectionDefinitions().keys()];
  const questions = names.flatMap((name) => [name, `${name}/x`, `${name}/x/y`, `${name}x`, `x${name}`]);
  questions.push('.text', '', 'xdp/', 'kprobe/', 'tp', 'tracepoint/a/b', 'sk_skb/other', 'cgroup/nothing');
  const input = questions.join('\n');
  const output = execFileSync(program, { input, encoding: 'utf8' }).trim().split('\n');
  const table = output.findIndex((line) => line.includes('section(type) names are:'));
  const answers = output.slice(table + 1);

  const supported = (output[table] ?? '').replace(/^.* names are: */, '').split(' ');
  t.ok(supported.length > 60, 'libbpf has told its names');
  const patterns = [...sectionDefinitions().values()].map(({ name, pattern }) =>
    pattern === 'prefix' ? `${name}+` : name,
  );
  t.same(
    supported.filter((name) => !patterns.includes(name)),
    [],
    'it has none that we do not',
  );

  let compared = 0;
  answers.forEach((answer, index) => {
    const question = questions[index] ?? '';
    if (newerNames.test(question) && answer.endsWith('unknown')) return;
    const meaning = interpretSectionName(question);
    const ours = meaning === undefined ? 'unknown' : `${meaning.type} ${meaning.attachType}`;
    t.equal(`${question} ${ours}`, answer);
    compared++;
  });
  t.ok(compared > 400, `${compared} names compared`);
  t.end();
});

t.test('section names carry targets and flags', (t) => {
  t.match(interpretSectionName('tp/sched/sched_switch'), { target: 'sched/sched_switch', sleepable: false });
  t.match(interpretSectionName('lsm.s/file_open'), {
    target: 'file_open',
    sleepable: true,
    attachesToBtf: true,
  });
  t.match(interpretSectionName('xdp.frags/devmap'), { frags: true, target: undefined });
  t.match(interpretSectionName('fentry'), { target: undefined });
  t.end();
});

t.test('what is no object is told apart', (t) => {
  const good = readFileSync(objects['globals'] ?? '');
  const patched = (offset: number, ...bytes: number[]): Uint8Array => {
    const copy = Uint8Array.from(good);
    copy.set(bytes, offset);
    return copy;
  };
  const tableOffset = Number(good.readBigUInt64LE(40));
  const sectionCount = good.readUInt16LE(60);
  const header = (name: string): number => {
    const { index } = readContainer(good).sections.find((section) => section.name === name) ?? { index: 0 };
    return tableOffset + index * 64;
  };
  const cases: [what: string, bytes: Uint8Array, code: string, message: string][] = [
    ['nothing', new Uint8Array(), 'ELF_NOT_ELF', 'it is not an ELF file'],
    ['text', Buffer.from('int main;'), 'ELF_NOT_ELF', 'it is not an ELF file'],
    [
      'the magic alone',
      good.subarray(0, 4),
      'ELF_TRUNCATED',
      'the file header reaches past the end of the file',
    ],
    ['a 32-bit file', patched(4, 1), 'ELF_INVALID', 'it is not a 64-bit ELF file'],
    ['no byte order', patched(5, 3), 'ELF_INVALID', 'its byte order 3 is unknown'],
    [
      'this machine’s',
      readFileSync(process.execPath),
      'ELF_NOT_BPF',
      `it is for machine ${good.readUInt16LE(18) === 247 ? (process.arch === 'x64' ? 62 : 183) : 0}, not for BPF`,
    ],
    ['an executable', patched(16, 2), 'ELF_INVALID', 'its type is 2, not relocatable'],
    ['no section table', patched(40, 0, 0, 0, 0, 0, 0, 0, 0), 'ELF_INVALID', 'it has no sections'],
    ['extended numbering', patched(60, 0, 0), 'ELF_INVALID', 'it numbers its sections in the extended form'],
    ['small headers', patched(58, 40), 'ELF_INVALID', 'its section headers are not 64 bytes each'],
    ['names elsewhere', patched(62, 0xff, 0xff), 'ELF_INVALID', 'its section name table does not exist'],
    ['names that are none', patched(62, 2), 'ELF_INVALID', 'its section name table is not a string table'],
    [
      'a name outside',
      patched(header('.data') + 3, 0x7f),
      'ELF_INVALID',
      'a section name lies outside the name table',
    ],
    [
      'a link to nowhere',
      patched(header('.data') + 43, 1),
      'ELF_INVALID',
      'section .data links to a section that does not exist',
    ],
    [
      'a section cut off',
      patched(header('.data') + 35, 1),
      'ELF_TRUNCATED',
      'a section reaches past the end of the file',
    ],
    [
      'overlapping sections',
      patched(header('.data') + 24, 0, 0, 0, 0, 0, 0, 0, 0, good.length & 0xff, good.length >> 8),
      'ELF_INVALID',
      'its sections overlap',
    ],
    [
      'the last byte missing',
      good.subarray(0, tableOffset + sectionCount * 64 - 1),
      'ELF_TRUNCATED',
      'the section table reaches past the end of the file',
    ],
  ];
  for (const [what, bytes, code, why] of cases) {
    const error = thrown(() => ObjectFile.parse(bytes));
    t.equal(error.message, `Cannot read the object: ${why}`, what);
    t.equal(error.code, code, what);
  }
  t.match(
    thrown(() => ObjectFile.open('/no/such/object.o')),
    {
      code: 'FILE_NOT_FOUND',
      message: 'Cannot open /no/such/object.o: no such file',
    },
  );
  t.match(
    thrown(() => ObjectFile.open(import.meta.dirname)),
    {
      code: 'FILE_UNREADABLE',
      message: `Cannot open ${import.meta.dirname}: EISDIR`,
    },
  );
  t.end();
});

t.test('a variable whose type reaches past its section is refused', (t) => {
  const path = compiler.source(
    'long-variable',
    '#include "check.h"\nint numbers[3] = {1, 2, 3};\n' +
      'SEC("xdp") int p(void *c) { return numbers[0]; }\nchar _license[] SEC("license") = "GPL";',
  );
  const bytes = readFileSync(path);
  const btf = ObjectFile.parse(bytes).btf!;
  const arrayId = btf.sizeOrTypeId(btf.find('numbers', 'variable')!);
  const start = bytes.indexOf(btf.bytes);
  // The length is the last field of a struct btf_array, which follows the type's own twelve bytes.
  bytes.writeUInt32LE(30, start + btf.byteOffsetOf(arrayId) + 12 + 8);
  t.equal(
    thrown(() => ObjectFile.parse(bytes)).message,
    'Cannot read variable numbers: it lies outside .data',
  );
  t.end();
});

t.test('what is not there is named, with what is', (t) => {
  const object = ObjectFile.open(objects['events'] ?? '');
  t.match(
    thrown(() => object.program('nothing')),
    {
      code: 'PROGRAM_NOT_FOUND',
      message: 'Cannot find program nothing: the object has none of that name',
      hint: 'the object has: produce, copy_packet, produce_two, produce_short',
    },
  );
  t.match(
    thrown(() => object.map('nothing')),
    { code: 'MAP_NOT_FOUND', available: ['events', 'stats', '.bss'] },
  );
  t.match(
    thrown(() => object.variable('nothing')),
    { code: 'VARIABLE_NOT_FOUND' },
  );
  t.end();
});

t.test('what clang lets pass and no loader can use', (t) => {
  const end = '\nchar _license[] SEC("license") = "GPL";';
  const cases: [what: string, text: string, message: RegExp][] = [
    [
      'a static function in the section of a program',
      'static __attribute__((noinline, section("xdp"))) int f(int x) { return x * 3; }\n' +
        'SEC("xdp") int p(struct xdp_md *ctx) { return f(ctx->ingress_ifindex); }',
      /^Cannot use f of section xdp: static functions belong into \.text$/,
    ],
    [
      'a map of an unknown member',
      'struct { __uint(type, 1); __uint(color, 5); } m SEC(".maps");\nSEC("xdp") int p(void *c) { return !&m; }',
      /^Cannot read map m: it has a member color of unknown meaning$/,
    ],
    [
      'a map without a type',
      'struct { __uint(max_entries, 1); } m SEC(".maps");\nSEC("xdp") int p(void *c) { return !&m; }',
      /^Cannot read map m: it has no type$/,
    ],
    [
      'a map with two key sizes',
      'struct { __uint(type, 1); __uint(key_size, 2); __type(key, int); } m SEC(".maps");\nSEC("xdp") int p(void *c) { return !&m; }',
      /^Cannot read map m: its key is said to have 2 and 4 bytes$/,
    ],
  ];
  cases.forEach(([what, text, message], index) => {
    const path = compiler.source(`bad-${index}`, `#include "check.h"\n${text}${end}`, {
      flags: ['-Wno-error'],
    });
    t.match(thrown(() => ObjectFile.open(path)).message, message, what);
  });
  t.end();
});
