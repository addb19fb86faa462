/** What the loader asks of the kernel, and in which order; what it gives back when the kernel says no. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { bpf_attr_map_create, bpf_attr_map_elem, bpf_attr_prog_load } from '../../src/uapi/index.ts';
import * as uapi from '../../src/uapi/index.ts';
import { ObjectFile } from '../../src/elf/index.ts';
import { cloneProgram } from '../../src/loader/clone-program.ts';
import { Collection } from '../../src/loader/index.ts';
import { dataMapName, kernelObjectName } from '../../src/loader/kernel-names.ts';
import { errno } from '../../src/sys/index.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { loadingKernel } from '../helpers/loading-kernel.ts';
import { RecordingKernel } from '../helpers/recording-kernel.ts';
import type { RecordedCall } from '../helpers/recording-kernel.ts';
import { thrown } from '../helpers/thrown.ts';
import { inProject } from '../helpers/project-root.ts';

const sniffer = readFileSync(inProject('bpf/sniffer.bpf.o'));
const parse = (bytes: Uint8Array): ObjectFile => ObjectFile.parse(bytes, { name: 'sniffer' });

const commands = new Map<number, string>([
  [uapi.BPF_MAP_CREATE, 'map'],
  [uapi.BPF_MAP_UPDATE_ELEM, 'update'],
  [uapi.BPF_MAP_FREEZE, 'freeze'],
  [uapi.BPF_PROG_LOAD, 'program'],
  [uapi.BPF_PROG_BIND_MAP, 'bind'],
  [uapi.BPF_BTF_LOAD, 'btf'],
]);

/** `map events`, `program xdp_sniffer_enh`, `update`. */
function inWords({ command, attribute }: RecordedCall): string {
  const name = commands.get(command) ?? `command ${command}`;
  if (name === 'map') return `map ${bpf_attr_map_create.decode(padded(attribute)).map_name}`;
  if (name === 'program') return `program ${bpf_attr_prog_load.decode(padded(attribute)).prog_name}`;
  return name;
}

function padded(attribute: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(256);
  bytes.set(attribute);
  return bytes;
}

t.test('the shipped object: BTF, then maps, filled and frozen, then programs', (t) => {
  const kernel = loadingKernel();
  const collection = Collection.load(parse(sniffer), { kernel });
  const names = [...collection.maps.keys()].filter((name) => name !== '.rodata');
  t.ok(names.length > 5);
  t.same(kernel.calls.map(inWords), [
    'btf',
    'map sniffer.rodata',
    'update',
    'freeze',
    ...names.map((name) => `map ${name}`),
    'program xdp_sniffer_enh',
    'bind',
    'program tc_sniffer_egre',
    'bind',
  ]);
  t.equal(kernel.openDescriptors.size, collection.maps.size + collection.programs.size, 'BTF is let go of');
  const program = kernel.calls.find(({ command }) => command === uapi.BPF_PROG_LOAD);
  const fields = bpf_attr_prog_load.decode(padded(program?.attribute ?? new Uint8Array()));
  t.match(fields, {
    prog_type: uapi.BPF_PROG_TYPE_XDP,
    expected_attach_type: uapi.BPF_XDP,
    log_level: 0,
    log_size: 0,
    func_info_rec_size: 8,
    line_info_rec_size: 16,
  });
  t.ok(fields.func_info_cnt > 0 && fields.line_info_cnt > fields.func_info_cnt);
  const freeze = kernel.calls.find(({ command }) => command === uapi.BPF_MAP_FREEZE);
  const update = kernel.calls.find(({ command }) => command === uapi.BPF_MAP_UPDATE_ELEM);
  t.equal(
    bpf_attr_map_elem.decode(padded(freeze?.attribute ?? new Uint8Array())).map_fd,
    bpf_attr_map_elem.decode(padded(update?.attribute ?? new Uint8Array())).map_fd,
  );
  collection.close();
  collection.close();
  t.equal(kernel.openDescriptors.size, 0);
  t.equal(thrown(() => collection.program('xdp_sniffer_enhanced').id).code, 'CLOSED');
  t.end();
});

t.test('edits between reading and loading reach the kernel', (t) => {
  const kernel = loadingKernel();
  const object = parse(sniffer);
  object.map('events').maxEntries = 5 << 20;
  object.program('tc_sniffer_egress').autoload = false;
  object.program('xdp_frags_sniffer').autoload = true;
  object.variable('payload_limit').set(64);
  const collection = Collection.load(object, { kernel });
  t.same([...collection.programs.keys()], ['xdp_sniffer_enhanced', 'xdp_frags_sniffer']);
  const events = kernel.calls.map((call) => bpf_attr_map_create.decode(padded(call.attribute)));
  t.equal(events.find(({ map_name }) => map_name === 'events')?.max_entries, 8 << 20);
  const frags = kernel.calls.find((call) => inWords(call) === 'program xdp_frags_sniff');
  t.equal(
    bpf_attr_prog_load.decode(padded(frags?.attribute ?? new Uint8Array())).prog_flags,
    uapi.BPF_F_XDP_HAS_FRAGS,
  );
  collection.close();
  object.map('events').maxEntries = 0;
  t.match(
    thrown(() => Collection.load(object, { kernel: loadingKernel() })),
    {
      code: 'OBJECT_INVALID',
      message: 'Cannot create ring buffer events: its max_entries is 0',
    },
  );
  t.end();
});

const objects: [name: string, bytes: Uint8Array][] = [['sniffer', sniffer]];
if (whyNotCompile() === false) {
  const compiler = new Compiler();
  t.teardown(() => {
    compiler.close();
  });
  for (const fixture of ['maps', 'globals', 'calls']) {
    objects.push([fixture, readFileSync(compiler.fixture(fixture))]);
  }
}

for (const [name, bytes] of objects) {
  for (const failure of ['EPERM', 'EINVAL', 'ENOMEM', 'ENOSPC'] as const) {
    t.test(`${name}: whichever call fails with ${failure}, nothing stays open`, (t) => {
      const whole = loadingKernel();
      Collection.load(parse(bytes), { kernel: whole }).close();
      for (let failing = 0; failing < whole.calls.length; failing++) {
        const kernel = loadingKernel(({ command, index }) => {
          // A log that never fits would be asked for until it is as large as the kernel allows: 1 GiB.
          const again = index > failing && command === whole.calls[failing]?.command && failure !== 'ENOSPC';
          return index === failing || again ? -errno[failure] : 0;
        });
        const words = inWords(whole.calls[failing] ?? { command: 0, attribute: new Uint8Array() });
        // A program that is refused at first and taken with a log is loaded; so is one without its read-only data,
        // and an object without its BTF, which is said.
        const withoutBtf =
          /EINVAL|ENOMEM/.test(failure) && whole.calls[failing]?.command === uapi.BPF_BTF_LOAD;
        const survives =
          withoutBtf ||
          (failure === 'ENOSPC' && words.startsWith('program')) ||
          (failure === 'EINVAL' && words === 'bind');
        if (survives) {
          const collection = Collection.load(parse(bytes), { kernel });
          if (withoutBtf) {
            t.match(
              collection.warnings.join(),
              /^Cannot load the BTF of \S+: the kernel refuses it: .*; loaded without it$/,
            );
          } else t.same(collection.warnings, []);
          collection.close();
        } else {
          const { code, message } = thrown(() => Collection.load(parse(bytes), { kernel }));
          t.match(
            code,
            /^(PERMISSION_DENIED|SYSCALL_FAILED|UNSUPPORTED_FEATURE|VERIFIER_REFUSED|BTF_INVALID)$/,
          );
          t.match(message, /^Cannot (create|load|write to|freeze|bind) /, words);
        }
        t.equal(kernel.openDescriptors.size, 0, `after ${words}`);
      }
      t.end();
    });
  }
}

t.test('a log is asked for after a refusal, in buffers that grow until it fits', (t) => {
  const kernel: RecordingKernel = new RecordingKernel(({ command, attribute }) => {
    if (command !== uapi.BPF_PROG_LOAD) return kernel.newDescriptor();
    const { log_size: size } = bpf_attr_prog_load.decode(padded(attribute));
    return size > 0 && size < 3 << 20 ? -errno.ENOSPC : -errno.EACCES;
  });
  const error = thrown(() => Collection.load(parse(sniffer), { kernel }));
  const sizes = kernel.calls
    .filter(({ command }) => command === uapi.BPF_PROG_LOAD)
    .map(({ attribute }) => bpf_attr_prog_load.decode(padded(attribute)))
    .map(({ log_level, log_size }) => [log_level, log_size / 1024]);
  t.same(sizes, [
    [0, 0],
    [1, 64],
    [1, 256],
    [1, 1024],
    [1, 4096],
  ]);
  t.equal(error.code, 'PERMISSION_DENIED', 'EACCES without a word in the log is about permission');
  t.end();
});

t.test('a verification that a signal cuts short is tried again', (t) => {
  let interruptions = 0;
  const kernel = loadingKernel(({ command }) =>
    command === uapi.BPF_PROG_LOAD && interruptions++ < 3 ? -errno.EAGAIN : 0,
  );
  Collection.load(parse(sniffer), { kernel }).close();
  t.ok(interruptions > 3);
  t.end();
});

/** A kernel in which somebody else closes what these calls made, once programs get loaded. */
function kernelThatLoses(words: string): RecordingKernel {
  const lost: number[] = [];
  const kernel: RecordingKernel = new RecordingKernel((call) => {
    if (call.command === uapi.BPF_PROG_LOAD) for (const fd of lost) kernel.openDescriptors.delete(fd);
    const name = inWords(call);
    if (!/^(map|program|btf)\b/.test(name)) return 0;
    const fd = kernel.newDescriptor();
    if (name === words) lost.push(fd);
    return fd;
  });
  return kernel;
}

for (const [what, words] of [
  ['BTF of sniffer', 'btf'],
  ['map events', 'map events'],
] as const) {
  t.test(`a clone does not stay open where ${what} cannot be closed`, (t) => {
    const kernel = kernelThatLoses(words);
    const name = 'tc_sniffer_egress';
    const given = { name, maps: new Map(), load: { kernel }, options: {} };
    t.match(
      thrown(() => cloneProgram(parse(sniffer), given)),
      {
        code: 'SYSCALL_FAILED',
        message: `Cannot close ${what}: close failed with EBADF (bad file descriptor)`,
      },
    );
    t.same(kernel.openDescriptors, new Set());
    t.end();
  });
}

t.test('a program does not stay open where its tables of jumps cannot be closed', (t) => {
  const tables = readFileSync(inProject('test/fixtures/jump-tables/jump-tables.bpf.o'));
  const kernel = kernelThatLoses('map .jumptables');
  t.match(
    thrown(() => Collection.load(parse(tables), { kernel })),
    {
      code: 'SYSCALL_FAILED',
      message: 'Cannot close map .jumptables: close failed with EBADF (bad file descriptor)',
    },
  );
  t.same(kernel.openDescriptors, new Set());
  t.end();
});

t.test('a big-endian object is refused before the kernel hears of it', (t) => {
  const kernel = loadingKernel();
  const foreign = parse(sniffer);
  Object.defineProperty(foreign, 'littleEndian', { value: false });
  t.match(
    thrown(() => Collection.load(foreign, { kernel })),
    {
      code: 'OBJECT_FOREIGN_ENDIAN',
      message: 'Cannot load sniffer: it is big-endian, and this machine is little-endian',
    },
  );
  t.equal(kernel.calls.length, 0);
  t.end();
});

t.test('names as the kernel and libbpf have them', (t) => {
  t.equal(kernelObjectName('a-name that is/too long'), 'a_name_that_is_');
  const cases: [object: string, section: string, name: string][] = [
    ['sniffer', '.rodata', 'sniffer.rodata'],
    ['a_long_object_name', '.rodata', 'a_long_o.rodata'],
    ['a_long_object_name', '.bss', 'a_long_o.bss'],
    ['two.dots', '.data', 'two.data'],
    ['x', '.data.counters', '.data.counters'],
    ['x', '.rodata.counters.more', '.rodata.counter'],
  ];
  for (const [object, section, name] of cases)
    t.equal(dataMapName(object, section), name, `${object} ${section}`);
  t.end();
});
