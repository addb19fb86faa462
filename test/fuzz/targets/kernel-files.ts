/** Texts of the kernel and of the tools of a machine, each by what reads it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { delegatingMounts } from '../../../src/cli/token/show.ts';
import { parseListing } from '../../../src/cli/prog/machine-code.ts';
import { KERNEL_CONFIG_SECTION, ObjectFile } from '../../../src/elf/index.ts';
import { FileError, ObjectError } from '../../../src/errors.ts';
import { KernelSymbols, parseTraceLine } from '../../../src/inspect/index.ts';
import { inodeOf } from '../../../src/inspect/holders/processes.ts';
import { mountedNamespaces, parseMountInfo } from '../../../src/inspect/holders/mounts.ts';
import { parseMapDetails } from '../../../src/inspect/objects/map-details.ts';
import { findCgroupMount } from '../../../src/link/cgroup-path.ts';
import { parseTracepointId } from '../../../src/link/tracefs.ts';
import { addressInMaps } from '../../../src/link/usdt.ts';
import { kernelConfigContents } from '../../../src/loader/externs/kernel-config.ts';
import { symbolsIn } from '../../../src/loader/externs/kernel-symbols.ts';
import { kernelVersionCode } from '../../../src/loader/externs/virtual-settings.ts';
import { readVerifierStatistics } from '../../../src/loader/index.ts';
import { readVerifierLog } from '../../../src/loader/verifier-log.ts';
import { countCpuList } from '../../../src/sys/cpus.ts';
import { projectRoot } from '../../helpers/project-root.ts';
import { RecordingKernel } from '../../helpers/recording-kernel.ts';
import { attempt, demand } from '../expected-errors.ts';
import type { FuzzTarget } from '../target.ts';
import type { Seeds } from '../seeds.ts';
import { textTarget } from '../text-target.ts';

/** What test/fixtures/externs/settings.bpf.c asks for. */
const SETTINGS = [
  'CONFIG_TEST_ON=y\nCONFIG_TEST_OFF=n\nCONFIG_TEST_MODULE=m\nCONFIG_TEST_YES=y\nCONFIG_TEST_LETTER=y\n# CONFIG_X is not set\n' +
    'CONFIG_TEST_SMALL=-1\nCONFIG_TEST_SHORT=65535\nCONFIG_TEST_NEGATIVE=-12\nCONFIG_TEST_HEX=0xfa\nCONFIG_TEST_LONG=18446744073709551615\n' +
    'CONFIG_TEST_OCTAL=0755\nCONFIG_TEST_TEXT="(none)"\nCONFIG_TEST_LONG_TEXT="abcdef"\n',
];
const SETTING_WORDS = [
  'CONFIG_TEST_ON=',
  'CONFIG_',
  '=',
  '"',
  '\\',
  '\n',
  'y',
  'm',
  '-1',
  '0x',
  '18446744073709551616',
  '\0',
];

/** The kernel's settings, for the variables of the objects that ask for some. */
export function settingsTarget(seeds: Seeds): FuzzTarget {
  const objects = seeds.own
    .map((path) => ObjectFile.parse(seeds.read(path)))
    .filter(({ maps }) => maps.has(KERNEL_CONFIG_SECTION))
    .map(withoutVirtual);
  const kernel = new RecordingKernel();
  return textTarget('settings', { texts: SETTINGS, words: SETTING_WORDS }, (text) => {
    let refused = 0;
    for (const object of objects) {
      const size = object.map(KERNEL_CONFIG_SECTION).valueSize;
      const contents = attempt([ObjectError], () =>
        kernelConfigContents(object, { kernel, text, paths: [] }),
      );
      if (contents === undefined) refused++;
      else demand(contents.length === size, 'the contents have another size than their map');
    }
    return refused === 0 ? 'read' : refused === objects.length ? 'refused' : 'read in part';
  });
}

/** Settings that the kernel is asked for are left out. */
function withoutVirtual(object: ObjectFile): ObjectFile {
  const externs = new Map([...object.externs].filter(([name]) => !name.startsWith('LINUX_')));
  return Object.create(object, { externs: { value: externs } }) as ObjectFile;
}

const SYMBOLS = [
  'ffffffff81000000 T _text\nffffffff81234560 t bpf_prog_a\t[bpf]\nffffffffc0a1b2c0 d state.llvm.123\t[veth]\n' +
    'ffffffff81111110 T __bpf_call_base\n0000000000000000 A fixed_percpu_data\n',
];
const SYMBOL_WORDS = [
  ' __bpf_call_base\n',
  '\t[',
  ']',
  ' T ',
  ' d ',
  '.llvm.',
  '\n',
  'ffffffff81111110',
  ' ',
  '\0',
];

/** /proc/kallsyms, whose readers take what they know and leave out the rest. */
export function symbolsTarget(): FuzzTarget {
  const names = new Set(['_text', 'state', '__bpf_call_base']);
  return textTarget('kallsyms', { texts: SYMBOLS, words: SYMBOL_WORDS }, (text) => {
    const found = symbolsIn(text, names);
    const symbols = KernelSymbols.parse(text);
    const places = symbols.find([...found.values()].flat());
    demand(
      [...found.keys()].every((name) => names.has(name)),
      'a symbol that nobody asked for is found',
    );
    return found.size === 0 && places.size === 0 && symbols.callBase === 0n ? 'nothing there' : 'read';
  });
}

const LOG_WORDS = [
  ...[
    '; ',
    ' @ ',
    'R1',
    '=scalar()',
    'processed 12 insns',
    'Verification failed\n',
    'Reason:',
    'At:',
    'Suggestion:\n',
  ],
  ...[
    '  Source context:\n',
    '  Instruction context:\n',
    '>',
    '|',
    '0: (95) exit',
    'from 3 to 9: ',
    'func#0 @0',
    '\n',
    '\t',
  ],
];

/** What the verifier says of the programs in test/fixtures/verifier-logs, and the form announced for Linux 7.3. */
export function verifierLogTarget(): FuzzTarget {
  const folder = join(projectRoot, 'test/fixtures/verifier-logs');
  const logs = readdirSync(folder).filter((name) => name.endsWith('.log'));
  const texts = [
    ...logs.map((name) => readFileSync(join(folder, name), 'utf8')),
    'Verification failed: a\n\nReason:\n  The register R1\n  is unset.\n\nAt:\n  prog.c:12\n  Source context:\n  > 12 | x\n  Instruction context:\n  > 4 | (95) exit\nSuggestion:\n  Set it.\n',
    'processed 12 insns (limit 1000000) max_states_per_insn 1 total_states 2 peak_states 2 mark_read 1\nverification time 12 usec\nstack depth 8+16\n',
  ];
  return textTarget('verifier-log', { texts, words: LOG_WORDS }, (text) => {
    const report = readVerifierLog(text);
    const statistics = readVerifierStatistics(text);
    if (report) demand(!report.summary.includes('\n'), 'the summary has several lines');
    return report || statistics ? 'read' : 'nothing there';
  });
}

const FILES = [
  '36 25 0:31 / /sys/fs/bpf rw,relatime shared:1 - bpf bpf rw\n37 25 0:4 net:[4026532177] /run/netns/a\\040b rw - nsfs nsfs rw\n38 25 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
  'bpf /sys/fs/bpf bpf rw,delegate_cmds=prog_load:map_create,delegate_progs=any 0 0\nproc /proc proc rw 0 0\n',
  'memlock:\t4096\nfrozen:\t0\nowner_prog_type:\t6\nowner_jited:\t1\nmap_id:\t12\n',
  '55d0c0a00000-55d0c0a21000 r-xp 00001000 fd:00 131 /usr/bin/traced\n7ffd0000-7ffd1000 rw-p 00000000 00:00 0 [stack]\n',
  '  node-812 (812) [001] d..2. 5120.318234: bpf_trace_printk: text\n',
  '   0:\t0f 1f 44 00 00       \tnopl   0x0(%rax,%rax,1)\n   5:\t910003fd \tmov\tx29, sp\n',
  'Ubuntu 5.15.0-91.101-generic 5.15.131\n',
  '0-3,8-11\n',
  '1234\n',
  'net:[4026531840]',
];
const FILE_WORDS = [
  ' - ',
  '\t',
  ':\t',
  '\n',
  '-',
  '[',
  ']',
  '\\040',
  ' bpf ',
  'delegate_',
  'cgroup2 ',
  ',',
  '9'.repeat(30),
  '(',
  ')',
  '0x',
  ': ',
];

/** Mounts, descriptors, memory and places of /proc, files of tracefs, what objdump prints. */
export function procTarget(): FuzzTarget {
  const place = { group: 'sched', event: 'sched_switch', doing: 'attach' };
  return textTarget('proc', { texts: FILES, words: FILE_WORDS }, (text) => {
    const mounts = parseMountInfo(text, '');
    mountedNamespaces(mounts);
    delegatingMounts(text);
    parseMapDetails(text);
    inodeOf(text);
    parseTraceLine(text.trim());
    kernelVersionCode({ ubuntu: text, version: text, release: text });
    const cpus = countCpuList(text);
    const instructions = parseListing(text);
    const address = addressInMaps(text, { path: '/usr/bin/traced', offset: 0x1800 });
    const cgroup = attempt([FileError], () => findCgroupMount(text));
    const id = attempt([FileError], () => parseTracepointId(text, place));
    const read = [mounts[0], instructions[0], address, cgroup, id, parseTraceLine(text.trim())];
    return cpus > 0 || read.some((one) => one !== undefined) ? 'read' : 'nothing there';
  });
}
