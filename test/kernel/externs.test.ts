/** What an object takes from elsewhere, in programs that check it themselves, and maps from before BTF. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { release, version } from 'node:os';
import t from 'tap';
import { Collection, ObjectFile } from '../../src/index.ts';
import type { BpfMap } from '../../src/index.ts';
import { ObjectError } from '../../src/errors.ts';
import { KernelBtf } from '../../src/loader/index.ts';
import { ModuleBtfs } from '../../src/loader/externs/module-btf.ts';
import { systemKernel } from '../../src/sys/index.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import type { CompileOptions } from '../helpers/compile.ts';
import { BpfFileSystem } from '../helpers/kernel-objects.ts';
import { isKernelBefore } from '../helpers/lacking.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { thrown } from '../helpers/thrown.ts';
import { inProject } from '../helpers/project-root.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() : 'loading programs needs root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const compiler = new Compiler();
t.teardown(() => {
  compiler.close();
});
const compile = (name: string, options: CompileOptions = {}): string => {
  const path = inProject(`test/fixtures/externs/${name}.bpf.c`);
  return compiler.source(name, readFileSync(path, 'utf8'), options);
};
/** Of the value under a key of 32 bits, in a map without types. */
function firstByte(map: BpfMap, key: number): number | undefined {
  const value = map.get(Uint8Array.of(key, 0, 0, 0));
  return value instanceof Uint8Array ? value[0] : undefined;
}
const packet = new Uint8Array(64);

t.test('maps from before BTF work, with BTF and without', (t) => {
  for (const options of [{}, { flags: ['-g0'], name: 'legacy-bare.bpf.o' }]) {
    using collection = Collection.load(ObjectFile.open(compile('legacy', options)));
    t.equal(collection.program('uses_legacy_maps').testRun({ data: packet }).returnValue, 0);
    t.equal(firstByte(collection.map('counters'), 3), 5);
    t.equal(firstByte(collection.map('hidden'), 0), 9);
  }
  t.end();
});

t.test('the kernel knows the types of BPF_ANNOTATE_KV_PAIR', (t) => {
  using collection = Collection.load(ObjectFile.open(compile('legacy')));
  t.same(collection.map('table').get(3), undefined);
  t.equal(collection.program('uses_legacy_maps').testRun({ data: packet }).returnValue, 0);
  t.same(collection.map('table').get(3), { first: 7, second: 8n });
  t.end();
});

t.test("iproute2's maps come filled, and its tail calls lead somewhere", (t) => {
  for (const options of [{}, { flags: ['-g0'], name: 'iproute2-bare.bpf.o' }]) {
    const object = ObjectFile.open(compile('iproute2', options));
    const { type, attachType } = object.program('uses_iproute2_maps');
    Object.assign(object.program('tail'), { type, attachType });
    using collection = Collection.load(object, { pinRoot: false });
    t.equal(collection.program('uses_iproute2_maps').testRun({ data: packet }).returnValue, 77);
    t.equal(firstByte(collection.map('inner'), 1), 11);
  }
  t.end();
});

const noBpftool = spawnSync('bpftool', ['version']).status === 0 ? false : 'bpftool is not installed';

interface TheirMap {
  readonly name: string;
  readonly value: readonly number[];
}

/** What libbpf makes of an object: the tags of its programs and the first values of its data maps. */
function loadedByBpftool(path: string): { tags: string[]; maps: TheirMap[] } {
  const bpftool = (...args: string[]): unknown =>
    JSON.parse(execFileSync('bpftool', ['-j', ...args], { encoding: 'utf8' }) || 'null');
  const folder = new BpfFileSystem();
  try {
    execFileSync('bpftool', ['prog', 'loadall', path, `${folder.path}/programs`], { stdio: 'pipe' });
    const names = execFileSync('ls', [`${folder.path}/programs`], { encoding: 'utf8' })
      .trim()
      .split('\n');
    const programs = names.map(
      (name) =>
        bpftool('prog', 'show', 'pinned', `${folder.path}/programs/${name}`) as {
          tag: string;
          map_ids?: number[];
        },
    );
    const ids = new Set(programs.flatMap(({ map_ids: ids = [] }) => ids));
    const maps = [...ids].map((id) => {
      const { name } = bpftool('map', 'show', 'id', String(id)) as { name: string };
      const found = bpftool('map', 'lookup', 'id', String(id), 'key', '0', '0', '0', '0') as {
        value: string[];
      };
      return { name, value: found.value.map(Number) };
    });
    return { tags: programs.map(({ tag }) => tag).sort(), maps };
  } finally {
    folder.close();
  }
}

function tagsOf({ programs }: Collection): string[] {
  return [...programs.values()].map((program) => program.info().tag).sort();
}

const settings = `
# CONFIG_TEST_COMMENT is not set
CONFIG_TEST_ON=y
CONFIG_TEST_OFF=n
CONFIG_TEST_MODULE=m
CONFIG_TEST_YES=y
CONFIG_TEST_LETTER=m
CONFIG_TEST_SMALL=-128
CONFIG_TEST_SHORT=65535
CONFIG_TEST_NEGATIVE=-2147483648
CONFIG_TEST_HEX=0xDEADbeef
CONFIG_TEST_LONG=0xfedcba9876543210
CONFIG_TEST_OCTAL=0755
CONFIG_TEST_TEXT="a"b"
CONFIG_TEST_LONG_TEXT="long"
CONFIG_TEST_HEX=1
`;

t.test('kernel settings: every type, and those that libbpf made up', (t) => {
  using collection = Collection.load(ObjectFile.open(compile('settings')), { kernelConfig: settings });
  t.equal(collection.program('settings').testRun({ data: packet }).returnValue, 0);
  const [major = 0, minor = 0] = release().split('.').map(Number);
  const version = Number(collection.variable('version').get());
  t.equal(version >> 8, (major << 8) + minor);
  t.equal(collection.variable('cookie').get(), isKernelBefore('5.15') ? 0 : 1);
  const wrapper = /__(x64|arm64)_sys_bpf$/m.test(readFileSync('/proc/kallsyms', 'latin1'));
  t.equal(collection.variable('wrapper').get(), Number(wrapper));
  t.equal(collection.map('.kconfig').info().name, 'setting.kconfig');
  t.throws(() => {
    collection.map('.kconfig').set(0, collection.map('.kconfig').get(0));
  }, 'the map is frozen');
  t.end();
});

t.test('a setting that is not there is refused by name, and so is a value that does not fit', (t) => {
  const before = openDescriptors();
  const path = compile('settings');
  const object = ObjectFile.open(path);
  const rows: [string, string][] = [
    [
      settings.replace('CONFIG_TEST_ON=y\n', ''),
      `CONFIG_TEST_ON: this kernel has no such setting (looked into /proc/config.gz, /boot/config-${release()}, ` +
        `/usr/lib/modules/${release()}/config, /lib/modules/${release()}/config)`,
    ],
    [settings.replace('ON=y', 'ON=m'), 'CONFIG_TEST_ON: its value m is a module, which wants a libbpf_tristate or char'],
    [settings.replace('ON=y', 'ON=1'), 'CONFIG_TEST_ON: its value 1 is a number, which wants an integer or char'],
    [settings.replace('ON=y', 'ON=z'), 'CONFIG_TEST_ON: its value z is neither y, n, m, a quoted text nor a 64-bit number'],
    [settings.replace('-128', '-129'), 'CONFIG_TEST_SMALL: its value -129 does not fit a signed integer of 1 bytes'],
    [settings.replace('-128', '128'), 'CONFIG_TEST_SMALL: its value 128 does not fit a signed integer of 1 bytes'],
    [settings.replace('65535', '65536'), 'CONFIG_TEST_SHORT: its value 65536 does not fit an unsigned integer of 2 bytes'],
    [settings.replace('65535', '"65"'), 'CONFIG_TEST_SHORT: its value "65" is a text, which wants an array of char'],
    [settings.replace('65535', 'y'), 'CONFIG_TEST_SHORT: its value y is a switch, which wants a bool, libbpf_tristate or char'],
    [settings.replace('"long"', '"long'), 'CONFIG_TEST_LONG_TEXT: its value "long lacks its second quotation mark'],
  ]; // prettier-ignore
  for (const [kernelConfig, message] of rows) {
    const error = thrown(() => Collection.load(object, { kernelConfig }));
    t.ok(error instanceof ObjectError);
    t.equal(error.message, `Cannot resolve extern ${message}`);
  }
  const broken = thrown(() => Collection.load(object, { kernelConfig: 'CONFIG_TEST_ON\n' }));
  t.equal(broken.message, 'Cannot read the kernel\'s settings: the line "CONFIG_TEST_ON" has no value');
  t.same(openDescriptors(), before);
  t.end();
});

t.test('settings of the running kernel are those that libbpf finds', { skip: noBpftool }, (t) => {
  const path = compile('running-settings');
  using collection = Collection.load(ObjectFile.open(path));
  t.equal(collection.program('running_settings').testRun({ data: packet }).returnValue, 0);
  const theirs = loadedByBpftool(path);
  t.same(tagsOf(collection), theirs.tags);
  const map = collection.map('.kconfig');
  const mapped = map.kernel.mmap({
    fd: map.fd.value,
    length: map.kernel.pageSize,
    offset: 0,
    writable: false,
  });
  const { buffer } = mapped.dataView;
  const bytes = [...new Uint8Array(buffer).slice(0, map.valueSize)];
  mapped.close();
  const value = theirs.maps.find(({ name }) => name.endsWith('.kconfig'))?.value;
  // The last number of the version, which older libbpf takes from Debian's release, where it is none of the kernel's.
  const expected = /Debian/.test(version()) ? value?.with(8, bytes[8] ?? -1) : value;
  t.same(bytes, expected ?? theirs.maps);
  t.end();
});

const noVariables =
  new KernelBtf().vmlinux.find('runqueues', 'variable') === undefined &&
  "the kernel's BTF has no variables, written by a pahole before 1.18";

/** bpf_rcu_read_lock() and the like are functions that BPF may call since then. */
const noFunctions = isKernelBefore('6.2') && 'the functions that the object calls came with Linux 6.2';

/** The object with its symbols and, where the kernel has them, its functions. */
function symbols(): ObjectFile {
  const object = ObjectFile.open(compile('symbols'));
  object.program('functions').autoload = noFunctions === false;
  return object;
}

t.test('symbols of the kernel, with types and without', (t) => {
  using collection = Collection.load(symbols());
  t.equal(collection.program('symbols').testRun({ data: packet }).returnValue, 0);
  if (noFunctions === false) {
    t.equal(collection.program('functions').testRun({ data: packet }).returnValue, 0);
  }
  const [, address = ''] = /^(\S+) \S bpf_prog_put$/m.exec(readFileSync('/proc/kallsyms', 'latin1')) ?? [];
  t.equal(collection.variable('address').get(), BigInt(`0x${address}`));
  t.end();
});

t.test('what the kernel lacks, or has with another type, is refused by name', (t) => {
  const before = openDescriptors();
  const path = compile('symbols');
  const rows = [
    ['strong_symbol', 'ts_xdp_strong_symbol, and this kernel has no symbol of that name'],
    [
      'only_declared',
      'runqueues___declared, and it is declared as struct rq___declared, without its members, ' +
        "and the kernel's is struct rq",
    ],
    ['strong_variable', "ts_xdp_strong_variable, and the kernel's BTF has no variable of that name"],
    ['of_other_type', "runqueues___of_other_type, and it is declared as char, and the kernel's is struct rq"],
    [
      'other_prototype',
      noFunctions === false
        ? 'bpf_rcu_read_lock___strong, and its prototype is not that of the kernel: void (void)'
        : 'bpf_rcu_read_lock___strong, and this kernel has no function of that name that BPF may call',
    ],
  ] as const;
  for (const [program, message] of rows) {
    if (noVariables !== false && message.startsWith('runqueues')) continue;
    const object = ObjectFile.open(path);
    for (const spec of object.programs.values()) spec.autoload = spec.name === program;
    const error = thrown(() => Collection.load(object));
    t.ok(error instanceof ObjectError);
    t.equal(error.message, `Cannot load program ${program}: it refers to ${message}`);
  }
  t.same(openDescriptors(), before);
  t.end();
});

t.test(
  'externs become the instructions that libbpf makes of them',
  { skip: noBpftool || noFunctions },
  (t) => {
    const path = compile('symbols-of-libbpf');
    using collection = Collection.load(ObjectFile.open(path));
    t.equal(collection.program('mixed').testRun({ data: packet }).returnValue, 0);
    t.same(tagsOf(collection), loadedByBpftool(path).tags);
    t.end();
  },
);

t.test('a variable of the kernel, by its type', { skip: noBpftool || noVariables }, (t) => {
  const path = compile('variable');
  if (/ runqueues$/m.test(readFileSync('/proc/kallsyms', 'latin1'))) {
    using collection = Collection.load(ObjectFile.open(path));
    t.equal(collection.program('variable').testRun({ data: packet }).returnValue, 0);
    t.same(tagsOf(collection), loadedByBpftool(path).tags);
  } else {
    // The kernel names the variable by the BTF id that it was given, and refuses it to libbpf likewise.
    const reason = "ldimm64 failed to find the address for kernel symbol 'runqueues'.";
    const error = thrown(() => Collection.load(ObjectFile.open(path)));
    t.equal(error.message, `Cannot load program variable: ${reason}`);
    const { status, stderr } = spawnSync('bpftool', ['prog', 'load', path, '/sys/fs/bpf/ts-xdp-refused'], {
      encoding: 'utf8',
    });
    t.not(status, 0);
    t.ok(stderr.includes(reason), stderr);
  }
  t.end();
});

t.test('the BTF of modules is found by their names, among that of programs', (t) => {
  const before = openDescriptors();
  using collection = Collection.load(symbols());
  const modules = new ModuleBtfs(systemKernel());
  // Since Linux 5.11 the kernel lists its own BTF as it does a module's, and BTF has a name.
  const own = modules.descriptor('vmlinux');
  t.equal(own !== undefined && own > 2, !isKernelBefore('5.11'));
  t.equal(modules.descriptor('vmlinux'), own);
  t.equal(modules.descriptor('ts_xdp_no_such_module'), undefined);
  modules.close();
  collection.close();
  t.same(openDescriptors(), before);
  t.end();
});

t.test('a hidden function is verified with what its caller passes', { skip: noBpftool }, (t) => {
  const path = compile('hidden');
  using collection = Collection.load(ObjectFile.open(path));
  t.equal(collection.program('hidden').testRun({ data: packet }).returnValue, 0);
  t.same(tagsOf(collection), loadedByBpftool(path).tags);
  t.end();
});
