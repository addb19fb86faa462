/** Externs without a kernel: settings and their types, symbols, and functions of modules. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { InstructionView } from '../../src/asm/index.ts';
import { Btf, BtfBuilder } from '../../src/btf/index.ts';
import { ObjectFile } from '../../src/elf/index.ts';
import { encodeNumber, encodeSetting, type SettingType } from '../../src/loader/externs/config-value.ts';
import { kernelConfigContents } from '../../src/loader/externs/kernel-config.ts';
import { readKernelConfig } from '../../src/loader/externs/kernel-config-text.ts';
import { KernelExterns } from '../../src/loader/externs/kernel-externs.ts';
import { findKernelSymbols } from '../../src/loader/externs/kernel-symbols.ts';
import { kernelVersionCode } from '../../src/loader/externs/virtual-settings.ts';
import { JumpTables } from '../../src/loader/jump-tables.ts';
import { relocate } from '../../src/loader/relocate.ts';
import { linkSubprograms } from '../../src/loader/subprograms.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { RecordingKernel } from '../helpers/recording-kernel.ts';
import { thrown } from '../helpers/thrown.ts';

const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-externs-'));
t.teardown(() => {
  rmSync(folder, { recursive: true });
});
function file(name: string, contents: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, contents);
  return path;
}

t.test('the value of a setting, by the type of its variable', (t) => {
  const integer = (size: number, signed: boolean): SettingType => ({ kind: 'integer', size, signed });
  const text = (size: number): SettingType => ({ kind: 'string', size });
  const small: SettingType = { kind: 'char', size: 1, signed: true };
  const rows: [SettingType, string, string][] = [
    [{ kind: 'bool' }, 'y', '01'],
    [{ kind: 'bool' }, 'n', '00'],
    [{ kind: 'bool' }, 'm', 'is a module, which wants a libbpf_tristate or char'],
    [{ kind: 'tristate' }, 'y', '01000000'],
    [{ kind: 'tristate' }, 'm', '02000000'],
    [{ kind: 'tristate' }, '1', 'is a number, which wants an integer or char'],
    [small, 'm', '6d'],
    [small, '127', '7f'],
    [small, '0xff', 'does not fit a signed integer of 1 bytes'],
    [integer(2, false), '-1', 'does not fit an unsigned integer of 2 bytes'],
    [integer(4, true), '-1', 'ffffffff'],
    [integer(4, true), '2147483648', 'does not fit a signed integer of 4 bytes'],
    [integer(4, false), '4294967295', 'ffffffff'],
    [integer(8, true), '18446744073709551615', 'ffffffffffffffff'],
    [integer(8, false), '18446744073709551616', 'is neither y, n, m, a quoted text nor a 64-bit number'],
    [integer(4, false), '010', '08000000'],
    [integer(4, false), '08', 'is neither y, n, m, a quoted text nor a 64-bit number'],
    [integer(4, false), '1k', 'is neither y, n, m, a quoted text nor a 64-bit number'],
    [text(4), '""', '00000000'],
    [text(4), '"abc"', '61626300'],
    [text(4), '"abcdef"', '61626300'],
    [text(1), '"abc"', '00'],
    [text(4), '"', 'lacks its second quotation mark'],
    [text(4), '12', 'is a number, which wants an integer or char'],
  ];
  for (const [type, value, expected] of rows) {
    const encoded = encodeSetting(type, value);
    const found = encoded instanceof Uint8Array ? Buffer.from(encoded).toString('hex') : encoded.refused;
    t.equal(found, expected, `${value} for ${JSON.stringify(type)}`);
  }
  t.same(encodeNumber({ kind: 'bool' }, 1n), Uint8Array.of(1), 'what libbpf made up may be a bool');
  t.same(encodeNumber({ kind: 'bool' }, 2n), { refused: 'does not fit a bool' });
  t.end();
});

t.test('the version of the kernel, where distributions hide it', (t) => {
  const rows = [
    [{ version: '#1 SMP', release: '6.18.44-custom' }, '6.18.44'],
    [{ version: '#1 SMP', release: '6.1' }, '6.1.0'],
    [{ version: '#1 SMP', release: '4.19.325' }, '4.19.255'],
    [{ version: '#1 SMP Debian 5.10.46-4 (2021-08-03)', release: '5.10.0-8-amd64' }, '5.10.46'],
    [
      { ubuntu: 'Ubuntu 5.4.0-12.15-generic 5.4.8\n', version: '#15-Ubuntu', release: '5.4.0-12-generic' },
      '5.4.8',
    ],
  ] as const;
  for (const [said, expected] of rows) {
    const code = kernelVersionCode(said);
    t.equal(`${code >> 16}.${(code >> 8) & 255}.${code & 255}`, expected);
  }
  t.end();
});

t.test('the first file of settings that is there is read', (t) => {
  const packed = file('config.gz', gzipSync('CONFIG_A=y\n'));
  const plain = file('config', 'CONFIG_A=n\n');
  const missing = join(folder, 'missing');
  t.equal(readKernelConfig([missing, packed, plain]), 'CONFIG_A=y\n');
  t.equal(readKernelConfig([join(plain, 'below'), plain, packed]), 'CONFIG_A=n\n');
  t.equal(readKernelConfig([missing]), undefined);
  const damaged = file('damaged.gz', 'no gzip');
  t.equal(
    thrown(() => readKernelConfig([damaged, plain])).message,
    `Cannot read the kernel's settings in ${damaged}: it is damaged`,
  );
  t.equal(
    thrown(() => readKernelConfig([folder])).message,
    `Cannot read the kernel's settings in ${folder}: EISDIR`,
  );
  t.end();
});

t.test('symbols are found by their whole name, in modules too', (t) => {
  const list = [
    'ffffffff81000000 T one',
    'ffffffff81000010 t one_more',
    'ffffffffc0000000 t in_module\t[some_module]',
    'ffffffff81000020 t twice',
    'ffffffff81000030 t twice',
    'ffffffff81000040 d optimized.llvm.1234567890',
    '',
  ].join('\n');
  const path = file('kallsyms', list);
  const names = new Set(['one', 'in_module', 'twice', 'absent', 'optimized']);
  t.same(
    findKernelSymbols(names, { path }),
    new Map([
      ['one', [0xffff_ffff_8100_0000n]],
      ['in_module', [0xffff_ffff_c000_0000n]],
      ['twice', [0xffff_ffff_8100_0020n, 0xffff_ffff_8100_0030n]],
      ['optimized', [0xffff_ffff_8100_0040n]],
    ]),
  );
  t.equal(
    thrown(() => findKernelSymbols(names, { path: join(folder, 'no-kallsyms') })).message,
    `Cannot read the kernel's symbols in ${join(folder, 'no-kallsyms')}: ENOENT`,
  );
  t.end();
});

t.test('objects', { skip: whyNotCompile() }, (t) => {
  const compiler = new Compiler();
  t.teardown(() => {
    compiler.close();
  });
  const open = (name: string, text: string): ObjectFile =>
    ObjectFile.open(
      compiler.source(name, `#include "check.h"\n${text}\nchar _license[] SEC("license") = "GPL";\n`),
    );

  t.test('settings that the caller gives come first, and the file only where one is open', (t) => {
    const object = open(
      'settings',
      `extern int CONFIG_A __kconfig; extern int CONFIG_B __kconfig __weak; extern char CONFIG_C __kconfig __weak;
      SEC("xdp") int program(struct xdp_md *ctx) { return CONFIG_A + CONFIG_B + CONFIG_C; }`,
    );
    const damaged = file('damaged-too.gz', 'no gzip');
    const plain = file('given', '# CONFIG_C is not set\nCONFIG_A=7\nCONFIG_B=8\n');
    const contents = (text: string | undefined, paths: string[]): string | undefined => {
      const bytes = kernelConfigContents(object, { kernel: new RecordingKernel(), text, paths });
      return bytes && Buffer.from(bytes).toString('hex');
    };
    t.equal(contents('CONFIG_A=1\nCONFIG_B=2\nCONFIG_C=y', [damaged]), '010000000200000079');
    t.equal(contents('CONFIG_B=2', [plain]), '070000000200000000');
    t.equal(contents('CONFIG_A=1', []), '010000000000000000');
    t.equal(
      thrown(() => contents(undefined, ['/nowhere/config'])).message,
      'Cannot resolve extern CONFIG_A: this kernel has no such setting (looked into /nowhere/config)',
    );
    t.end();
  });

  t.test('types and names that no setting has', (t) => {
    const refused = (declaration: string): string => {
      const program = 'SEC("xdp") int program(struct xdp_md *ctx) { return (long)&NAME; }';
      const name = /\b(CONFIG|LINUX|OTHER)_\w+/.exec(declaration)?.[0] ?? '';
      const object = open('refused', `${declaration}\n${program.replace('NAME', name)}`);
      const source = { kernel: new RecordingKernel(), text: '', paths: [] };
      return thrown(() => kernelConfigContents(object, source)).message;
    };
    const type = 'its type is none of bool, char, integer, libbpf_tristate and char[]';
    const name = 'settings are named CONFIG_…, and of those named LINUX_… it is none that is known';
    const rows = [
      ['extern float CONFIG_A __kconfig;', `CONFIG_A: ${type}`],
      ['extern enum { FIRST } CONFIG_A __kconfig;', `CONFIG_A: ${type}`],
      ['extern int CONFIG_A[2] __kconfig;', `CONFIG_A: ${type}`],
      ['extern __int128 CONFIG_A __kconfig;', `CONFIG_A: ${type}`],
      ['extern int LINUX_UNKNOWN __kconfig;', `LINUX_UNKNOWN: ${name}`],
      ['extern int OTHER_NAME __kconfig __weak;', `OTHER_NAME: ${name}`],
    ] as const;
    for (const [declaration, message] of rows)
      t.equal(refused(declaration), `Cannot resolve extern ${message}`, declaration);
    t.end();
  });

  t.test('functions of modules are called through fd_array', (t) => {
    const object = open(
      'modules',
      `int in_first(int value) __ksym; int in_first___again(int value) __ksym; int in_second(int value) __ksym;
      int in_kernel(int value) __ksym; extern const void symbol __ksym;
      SEC("tc") int program(struct __sk_buff *ctx)
      {
        return in_first(1) + in_second(2) + in_first___again(3) + in_kernel(4) + ((long)&in_second == 1) +
               ((long)&symbol == 1);
      }`,
    );
    const vmlinux = withFunctions(undefined, ['in_kernel']);
    const modules = new Map([
      ['first', withFunctions(vmlinux, ['unused', 'in_first'])],
      ['second', withFunctions(vmlinux, ['in_second'])],
    ]);
    const kallsyms = file('kallsyms-of-modules', 'ffffffff81234567 T symbol\n');
    const kernelExterns = new KernelExterns(object, { kernelBtf: { vmlinux, modules }, kallsyms });
    const linked = linkSubprograms(object, object.program('program'));
    const opened = new Map([
      ['first', 31],
      ['second', 32],
    ]);
    const moduleBtfs = { descriptor: (module: string) => opened.get(module) };
    const others = { maps: new Map(), jumpTables: new JumpTables(new RecordingKernel()) };
    const descriptors = relocate(linked, { object, ...others, kernelExterns, moduleBtfs });
    t.same(descriptors, [0, 31, 32]);

    const view = new InstructionView(linked.instructions);
    const id = (module: string, name: string): number | undefined => modules.get(module)?.find(name);
    const calls = [...Array(view.count).keys()]
      .map((index) => view.get(index))
      .filter(({ opcode }) => opcode === 0x85);
    t.same(
      calls.map(({ source, offset, immediate }) => [source, offset, immediate]),
      [
        [2, 1, id('first', 'in_first')],
        [2, 2, id('second', 'in_second')],
        [2, 1, id('first', 'in_first')],
        [2, 0, vmlinux.find('in_kernel')],
      ],
    );
    const loads = [...Array(view.count).keys()].filter((index) => view.opcode(index) === 0x18);
    t.same(
      loads
        .map((index) => [view.source(index), view.immediate(index), view.immediate(index + 1)])
        .sort(([a = 0], [b = 0]) => a - b),
      [
        [0, 0x8123_4567 | 0, -1],
        [3, id('second', 'in_second'), 32],
      ],
    );

    opened.delete('second');
    const again = linkSubprograms(object, object.program('program'));
    t.equal(
      thrown(() => relocate(again, { object, ...others, kernelExterns, moduleBtfs })).message,
      'Cannot load program program: it refers to in_second, and its module second is gone',
    );
    writeFileSync(kallsyms, 'ffffffff81234567 T symbol\nffffffff81234568 t symbol\n');
    const ambiguous = new KernelExterns(object, { kernelBtf: { vmlinux, modules }, kallsyms });
    opened.set('second', 32);
    t.equal(
      thrown(() => relocate(again, { object, ...others, kernelExterns: ambiguous, moduleBtfs })).message,
      'Cannot load program program: it refers to symbol, and the kernel has several symbols of that name: ' +
        '0xffffffff81234567, 0xffffffff81234568',
    );
    t.end();
  });
  t.end();
});

/** Functions `int name(int)`. */
function withFunctions(base: Btf | undefined, names: readonly string[]): Btf {
  const builder = new BtfBuilder({ base });
  const int = builder.add({
    kind: 'int',
    name: 'int',
    size: 4,
    bits: 32,
    offset: 0,
    signed: true,
    char: false,
    bool: false,
  });
  const prototype = builder.add({
    kind: 'function_proto',
    returnTypeId: int,
    parameters: [{ name: 'value', typeId: int }],
    variadic: false,
  });
  for (const name of names) builder.add({ kind: 'function', name, typeId: prototype, linkage: 'static' });
  return Btf.parse(builder.build(), { base });
}
