/** Files that `ts-xdp load` refuses before it touches the kernel: code, message, text and JSON, which stream. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ObjectFile } from '../../src/elf/index.ts';
import { noClang, ObjectFolder } from '../helpers/object-source.ts';
import { checkRefusal } from '../helpers/refusal.ts';
import type { Refusal } from '../helpers/refusal.ts';
import { snifferObject } from '../helpers/sniffer-events.ts';
import { thrown } from '../helpers/thrown.ts';

const folder = new ObjectFolder();
t.teardown(() => {
  folder.close();
});

const list = (...names: string[]): string => `the object has: ${names.join(', ')}`;
const snifferPrograms = [
  'xdp_sniffer_enhanced',
  'xdp_frags_sniffer',
  'xdp_bound_sniffer',
  'tc_sniffer_egress',
];
const snifferVariables = ['use_load_bytes', 'payload_limit', 'wakeup_bytes'];

function badFiles(): Refusal[] {
  const text = join(folder.path, 'text.bpf.o');
  writeFileSync(text, 'int main(void) { return 0; }\n'.repeat(10));
  const empty = join(folder.path, 'empty.bpf.o');
  writeFileSync(empty, '');
  const missing = join(folder.path, 'missing.bpf.o');
  const load = (path: string, ...more: string[]): string[] => ['load', path, '--iface', 'lo', ...more];
  const hint = 'compile it with: clang -O2 -g --target=bpf -c FILE.bpf.c -o FILE.bpf.o';
  const notElf = (object: string): Refusal['error'] => ({
    code: 'ELF_NOT_ELF',
    message: 'Cannot read the object: it is not an ELF file',
    hint,
    object,
    offset: 0,
  });
  const cut = join(folder.path, 'cut.bpf.o');
  const whole = readFileSync(snifferObject);
  writeFileSync(cut, whole.subarray(0, -100));
  return [
    {
      name: 'no such file',
      args: load(missing),
      exit: 1,
      error: { code: 'FILE_NOT_FOUND', message: `Cannot open ${missing}: no such file`, path: missing },
    },
    {
      name: 'a folder',
      args: load(folder.path),
      exit: 1,
      error: { code: 'FILE_UNREADABLE', message: `Cannot open ${folder.path}: EISDIR`, path: folder.path },
    },
    { name: 'not an ELF', args: load(text), exit: 1, error: notElf(text) },
    { name: 'an empty file', args: load(empty), exit: 1, error: notElf(empty) },
    {
      name: 'an ELF that is not BPF',
      args: load(process.execPath),
      exit: 1,
      error: {
        code: 'ELF_NOT_BPF',
        message: `Cannot read the object: it is for machine ${process.arch === 'arm64' ? '183' : '62'}, not for BPF`,
        hint,
        object: process.execPath,
      },
    },
    {
      name: 'truncated',
      args: load(cut),
      exit: 1,
      error: {
        code: 'ELF_TRUNCATED',
        message: 'Cannot read the object: the section table reaches past the end of the file',
        hint: 'the file was cut short; build or copy it again',
        object: cut,
        // e_shoff: where the section table begins.
        offset: Number(whole.readBigUInt64LE(40)),
      },
    },
    {
      name: 'unknown --prog',
      args: load(snifferObject, '--prog', 'xdp_nothing'),
      exit: 1,
      error: {
        code: 'PROGRAM_NOT_FOUND',
        message: 'Cannot find program xdp_nothing: the object has none of that name',
        hint: list(...snifferPrograms),
        subject: 'xdp_nothing',
        available: snifferPrograms,
      },
    },
    {
      name: 'a --prog whose section leaves open where it goes',
      args: load(snifferObject, '--prog', 'tc_sniffer_egress'),
      exit: 2,
      error: {
        code: 'USAGE',
        message:
          'load needs a target for tc_sniffer_egress, as its section tc leaves open a direction: --target ingress|egress',
      },
    },
    {
      name: 'unknown --var',
      args: load(snifferObject, '--var', 'limit=3'),
      exit: 1,
      error: {
        code: 'VARIABLE_NOT_FOUND',
        message: 'Cannot find variable limit: the object has none of that name',
        hint: list(...snifferVariables),
        subject: 'limit',
        available: snifferVariables,
      },
    },
    {
      name: 'a --config that is not there',
      args: load(snifferObject, '--config', missing),
      exit: 1,
      error: {
        code: 'FILE_NOT_FOUND',
        message: `Cannot read the configuration ${missing}: no such file`,
        path: missing,
      },
    },
  ];
}

t.test('a file, program or variable that is none ends with 1 and is named', async (t) => {
  for (const row of badFiles()) await t.test(row.name, (t) => checkRefusal(t, row));
});

t.test('objects that clang builds and load refuses are named', { skip: noClang }, async (t) => {
  const load = (
    name: string,
    defines: Record<string, string>,
    target: 'bpfel' | 'bpfeb' = 'bpfel',
  ): string[] => {
    const path = folder.compile('variants', { name, target, defines: { TAG: 'clitest', ...defines } });
    return ['load', path, '--iface', 'lo'];
  };
  const inFolder = (name: string): string => join(folder.path, `${name}.bpf.o`);
  const names = ['clitest_pass', 'clitest_other'];
  const rows: Refusal[] = [
    {
      name: 'no program that says where it goes',
      args: load('tc-only', { TC_ONLY: '1' }),
      exit: 2,
      error: {
        code: 'USAGE',
        message:
          'load needs a target for clitest_tc, as its section tc leaves open a direction: --target ingress|egress',
      },
    },
    {
      name: 'two XDP programs by name',
      args: [...load('both', { TWO: '1' }), ...names.flatMap((name) => ['--prog', name])],
      exit: 1,
      error: {
        code: 'PROGRAM_AMBIGUOUS',
        message: `Cannot attach ${names.join(' and ')}: an interface runs one XDP program`,
        hint: 'attach them through a dispatcher: --multi',
        object: inFolder('both'),
        programs: names,
      },
    },
    {
      name: 'two XDP programs and no --prog',
      args: load('two', { TWO: '1' }),
      exit: 1,
      error: {
        code: 'PROGRAM_AMBIGUOUS',
        message: 'Cannot choose a program: the object has 2 XDP programs',
        hint: `choose one with --prog: ${names.join(', ')}`,
        object: inFolder('two'),
        programs: names,
      },
    },
    {
      name: 'a value that does not fit in --var',
      args: [...load('one', {}), '--var', 'narrow=256'],
      exit: 1,
      error: {
        code: 'VALUE_INVALID',
        message:
          'Cannot apply --var narrow=256: cannot store "256" as const volatile __u8: it must be between 0 and 255',
        path: '',
        type: 'const volatile __u8',
      },
    },
    {
      name: 'text for a number in --var',
      args: [...load('one', {}), '--var', 'wide=many'],
      exit: 1,
      error: {
        code: 'VALUE_INVALID',
        message:
          'Cannot apply --var wide=many: cannot store "many" as const volatile __s32: it must be an integer',
        path: '',
        type: 'const volatile __s32',
      },
    },
    {
      name: 'big-endian',
      args: load('big-endian', {}, 'bpfeb'),
      exit: 1,
      error: {
        code: 'OBJECT_FOREIGN_ENDIAN',
        message: 'Cannot load big-endian: it is big-endian, and this machine is little-endian',
        hint: 'compile it with --target=bpf, or bpfel',
        object: inFolder('big-endian'),
      },
    },
  ];
  for (const row of rows) await t.test(row.name, (t) => checkRefusal(t, row));
});

t.test('a big-endian object parses', { skip: noClang }, (t) => {
  const object = ObjectFile.open(folder.compile('variants', { target: 'bpfeb', defines: { TAG: 'eb' } }));
  t.equal(object.littleEndian, false);
  t.same([...object.programs.keys()], ['eb_pass']);
  t.equal(object.variable('wide').get(), -5);
  t.end();
});

t.test('an object cut at any length is a typed error', (t) => {
  const whole = readFileSync(snifferObject);
  const codes = new Map<string, number>();
  for (let length = 0; length < whole.length; length += length < 200 ? 1 : 97) {
    const { code } = thrown(() => ObjectFile.parse(whole.subarray(0, length)));
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  t.same([...codes.keys()].sort(), ['ELF_NOT_ELF', 'ELF_TRUNCATED']);
  t.equal(codes.get('ELF_NOT_ELF'), 4, 'shorter than the magic number');
  t.end();
});
