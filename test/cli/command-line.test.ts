/** What the command line refuses before it touches the kernel: exit codes, messages, text and JSON, which stream. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { ObjectFile } from '../../src/elf/index.ts';
import { projectRoot, runCli, STACK } from '../helpers/cli.ts';
import { noClang, ObjectFolder } from '../helpers/object-source.ts';
import { thrown } from '../helpers/thrown.ts';

const folder = new ObjectFolder();
t.teardown(() => {
  folder.close();
});
const sniffer = join(projectRoot, 'bpf/sniffer.bpf.o');

interface Refusal {
  name: string;
  args: readonly string[];
  exit: number;
  /** Of the JSON document, all of it. */
  error: Record<string, unknown>;
  /** Lines of standard error in text mode. @default the message and the hint */
  text?: string[];
}

/** A row runs twice, for people and with --json. */
async function check(t: Test, { args, exit, error, text }: Refusal): Promise<void> {
  const [command = '', ...rest] = args;
  const [plain, json] = await Promise.all([runCli(args), runCli([command, '--json', ...rest])]);
  t.equal(plain.code, exit, plain.stderr);
  t.equal(plain.stdout, '', 'nothing but data on standard output');
  const { message, hint } = error;
  const place = error['object'] === undefined ? '' : `${String(error['object'])}: `;
  const hints = hint === undefined ? [] : [`hint: ${String(hint)}`];
  const wanted = text ?? [`error: ${place}${String(message)}`, ...hints];
  t.same(
    plain.stderr.split('\n').filter((line) => line !== ''),
    wanted,
  );
  t.notMatch(plain.stderr, STACK);
  t.equal(json.code, exit);
  t.equal(json.stdout.split('\n').length, 2, 'one JSON document on one line');
  t.same(JSON.parse(json.stdout), { error });
}

const usage = (args: readonly string[], message: string, text?: string[]): Refusal => ({
  name: message,
  args,
  exit: 2,
  error: { code: 'USAGE', message },
  ...(text && { text }),
});
const help = '(--help shows what there is)';

const doNotParse: readonly Refusal[] = [
  usage(['load', sniffer, '--bogus'], "unknown option '--bogus'"),
  usage(['lod'], "unknown command 'lod'\n(Did you mean load?)", [
    "error: unknown command 'lod'",
    '(Did you mean load?)',
    help,
  ]),
  usage(['load'], "missing required argument 'object'"),
  usage(['load', sniffer, 'another'], "too many arguments for 'load'. Expected 1 argument but got 2."),
  usage(['load', sniffer], 'load needs an interface: --iface NAME, or a --config that names one'),
  usage(['load', sniffer, '--iface'], "option '--iface <name>' argument missing"),
  usage(
    ['load', sniffer, '--iface', 'lo', '--count', '0'],
    "option '--count <n>' argument '0' is invalid. 0 is no count: a whole number above 0 is wanted",
  ),
  usage(
    ['load', sniffer, '--iface', 'lo', '--duration', 'soon'],
    "option '--duration <time>' argument 'soon' is invalid. soon is no duration: write 500ms, 5s, 2m or 1h",
  ),
  usage(
    ['load', sniffer, '--iface', 'lo', '--mode', 'native,fast'],
    "option '--mode <list>' argument 'native,fast' is invalid. native,fast is no list of native, generic, offload",
  ),
  usage(
    ['load', sniffer, '--iface', 'lo', '--via', 'magic'],
    "option '--via <kind>' argument 'magic' is invalid. Allowed choices are link, netlink.",
  ),
  usage(
    ['load', sniffer, '--iface', 'lo', '--set', 'ports=1'],
    "option '--set <map[key]=value>' argument 'ports=1' is invalid. ports=1 sets nothing: write 'MAP[KEY]=VALUE'",
  ),
  usage(
    ['load', sniffer, '--iface', 'lo', '--var', 'limit'],
    "option '--var <name=value>' argument 'limit' is invalid. limit assigns nothing: write NAME=VALUE",
  ),
  usage(
    ['load', sniffer, '--iface', 'lo', '--detach', '--count', '3'],
    '--detach returns at once, so it goes without --count and --duration',
  ),
  usage(
    ['load', sniffer, '--iface', 'lo', '--pin', '/sys/fs/bpf/x', '--via', 'netlink'],
    '--pin goes with --via link: an attachment by netlink cannot be pinned, and stays without it',
  ),
  usage(['unload'], 'unload needs an interface (--iface NAME) or a directory of pins'),
];

t.test('a command line that does not parse ends with 2', async (t) => {
  for (const row of doNotParse) await t.test(row.name.split('\n')[0] ?? '', (t) => check(t, row));
});

t.test('help and version are results: standard output, exit code 0', async (t) => {
  const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string };
  const [version, general, ofLoad, nothing] = await Promise.all([
    runCli(['--version']),
    runCli(['--help']),
    runCli(['load', '--help']),
    runCli([]),
  ]);
  t.same([version.code, version.stdout, version.stderr], [0, `${manifest.version}\n`, '']);
  t.equal(general.code, 0);
  for (const command of ['load', 'unload', 'doctor', 'repl']) t.match(general.stdout, `\n  ${command} `);
  t.equal(ofLoad.code, 0);
  for (const option of [
    'iface',
    'prog',
    'mode',
    'via',
    'replace',
    'netns',
    'event',
    'count',
    'duration',
    'detach',
  ])
    t.match(ofLoad.stdout, `--${option}`);
  for (const option of ['set', 'var', 'pin', 'config', 'trace', 'protobuf', 'json'])
    t.match(ofLoad.stdout, `--${option}`);
  t.same([nothing.code, nothing.stdout], [2, ''], 'without a command it is not clear what to do');
  t.match(nothing.stderr, 'Usage: ts-xdp [options] [command]');
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
  const notElf = (object: string): Record<string, unknown> => ({
    code: 'ELF_NOT_ELF',
    message: 'Cannot read the object: it is not an ELF file',
    hint,
    object,
    offset: 0,
  });
  const cut = join(folder.path, 'cut.bpf.o');
  const whole = readFileSync(sniffer);
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
      args: load(sniffer, '--prog', 'xdp_nothing'),
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
      name: 'a --prog that is no XDP program',
      args: load(sniffer, '--prog', 'tc_sniffer_egress'),
      exit: 1,
      error: {
        code: 'PROGRAM_NONE',
        message: 'Cannot attach tc_sniffer_egress to an interface: its section tc makes it no XDP program',
        object: sniffer,
        section: 'tc',
        program: 'tc_sniffer_egress',
      },
    },
    {
      name: 'unknown --var',
      args: load(sniffer, '--var', 'limit=3'),
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
      args: load(sniffer, '--config', missing),
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
  for (const row of badFiles()) await t.test(row.name, (t) => check(t, row));
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
      name: 'no program to attach',
      args: load('tc-only', { TC_ONLY: '1' }),
      exit: 1,
      error: {
        code: 'PROGRAM_NONE',
        message: 'Cannot attach the object: it has no XDP program',
        hint: 'its programs are of sections tc',
        object: inFolder('tc-only'),
        programs: ['clitest_tc'],
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
  for (const row of rows) await t.test(row.name, (t) => check(t, row));
});

t.test('a big-endian object parses', { skip: noClang }, (t) => {
  const object = ObjectFile.open(folder.compile('variants', { target: 'bpfeb', defines: { TAG: 'eb' } }));
  t.equal(object.littleEndian, false);
  t.same([...object.programs.keys()], ['eb_pass']);
  t.equal(object.variable('wide').get(), -5);
  t.end();
});

t.test('an object cut at any length is a typed error', (t) => {
  const whole = readFileSync(sniffer);
  const codes = new Map<string, number>();
  for (let length = 0; length < whole.length; length += length < 200 ? 1 : 97) {
    const { code } = thrown(() => ObjectFile.parse(whole.subarray(0, length)));
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  t.same([...codes.keys()].sort(), ['ELF_NOT_ELF', 'ELF_TRUNCATED']);
  t.equal(codes.get('ELF_NOT_ELF'), 4, 'shorter than the magic number');
  t.end();
});
