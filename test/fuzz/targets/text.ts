/** What people and the kernel write as text. */
import {
  assemble,
  disassemble,
  encodeInstructions,
  InstructionView,
  kernelText,
} from '../../../src/asm/index.ts';
import { Btf, createCodec, parseValue } from '../../../src/btf/index.ts';
import { readContainer } from '../../../src/elf/index.ts';
import { ArgumentError, BtfError, ObjectError, ValueError } from '../../../src/errors.ts';
import { checkKernel } from '../../../src/inspect/machine-kernel.ts';
import { checkMounts } from '../../../src/inspect/machine-mounts.ts';
import { checkSettings } from '../../../src/inspect/machine-settings.ts';
import { encodeSetting } from '../../../src/loader/externs/config-value.ts';
import { readVerifierLog } from '../../../src/loader/verifier-log.ts';
import { diffConfiguration, parseSnifferConfiguration } from '../../../src/sniffer/index.ts';
import { parseRulesFile } from '../../../src/policy/index.ts';
import { parseLockdown } from '../../../src/sys/permission.ts';
import { attempt, demand } from '../expected-errors.ts';
import { mutateText } from '../mutate-plain.ts';
import { decode, textTarget } from '../text-target.ts';
import type { FuzzTarget } from '../target.ts';
import type { Seeds } from '../seeds.ts';

const PROGRAMS = [
  'r0 = 2\nexit\n',
  'r1 = *(u32 *)(r1 + 4)\n*(u64 *)(r10 - 8) = r1\nlock *(u64 *)(r2 + 0) += r3\nr0 = 0\nexit\n',
  'xdp:\n  0: r2 = 0x1234567890 ll\n  2: if r1 s> -5 goto +2\n  3: call bpf_ktime_get_ns#5 // time\n  4: w3 s>>= 31\nexit',
  'if r1 & 7 goto +1\ngoto -2\nr1 = be16 r1\nr0 = (s8)r1\n.quad 0x00000000ffffffff\ncall 7\nr3 *= -1\n',
];
const CODE_WORDS = [
  'r0',
  'w11',
  'r99',
  'exit',
  'goto',
  'call',
  ' ll',
  '*(u8 *)',
  'lock ',
  's>>=',
  '0x',
  '-',
  '\n',
  '//',
  ';',
  ':',
  '.quad 0x',
];

/** What assembles must print as something that assembles to the same bytes. */
export function assemblerTarget(): FuzzTarget {
  return textTarget('asm', { texts: PROGRAMS, words: CODE_WORDS }, (text) => {
    const instructions = attempt([ArgumentError], () => assemble(text));
    if (!instructions) return 'refused';
    const bytes = encodeInstructions(instructions);
    const printed = disassemble(new InstructionView(bytes)).map((line) => line.text);
    const again = encodeInstructions(assemble(printed.join('\n')));
    demand(Buffer.compare(bytes, again) === 0, 'what is printed assembles to other bytes');
    return 'read';
  });
}

/** Instructions of any bytes: print, assemble, encode. */
export function instructionTarget(): FuzzTarget {
  return {
    name: 'instructions',
    mutant: (dice) =>
      Uint8Array.from({ length: 8 * (1 + dice.below(6)) }, (_, index) =>
        index % 8 === 0 || dice.onceIn(2) ? dice.below(256) : 0,
      ),
    exercise(input) {
      const bytes = input.slice(0, input.length - (input.length % 8));
      for (const littleEndian of [true, false]) {
        const view = new InstructionView(bytes, littleEndian);
        const printed = disassemble(view).map((line) => line.text);
        for (let index = 0; index < view.count; index++)
          demand(/^\([0-9a-f]{2}\) ./.test(kernelText(view, index)), 'bpftool prints another form');
        const again = encodeInstructions(assemble(printed.join('\n')));
        demand(!littleEndian || Buffer.compare(bytes, again) === 0, 'it assembles to other bytes');
      }
      return 'read';
    },
  };
}

const VALUES = [
  ...[
    '{"a": 1, "b": [1, 2, 3]}',
    'src_ip=1,dst_ip=2,protocol=17',
    '0x0a0b0c',
    '"text"',
    '-1',
    '18446744073709551615',
  ],
  ...[
    '[1,2,3,4]',
    'true',
    '{"src_ip": "3232235777", "payload": "00ff"}',
    'src_port=80',
    '0b11',
    'ab:cd:ef:00:11:22',
  ],
];
const VALUE_WORDS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  '=',
  ',',
  '__proto__',
  'src_ip',
  '9'.repeat(40),
  '1e309',
  'NaN',
  '\\u0000',
  'null',
  '0x',
];

/** A value for a type of the shipped object, whose id stands on the first line. */
export function valueTarget(seeds: Seeds): FuzzTarget {
  const section = readContainer(seeds.read(seeds.own[0]!)).sections.find(({ name }) => name === '.BTF');
  const btf = Btf.parse(section!.data);
  const view = new DataView(new ArrayBuffer(8192));
  return {
    name: 'value',
    mutant: (dice) =>
      Buffer.from(
        `${1 + dice.below(btf.typeCount - 1)}\n${mutateText(dice.pick(VALUES), { dice, words: VALUE_WORDS })}`,
      ),
    exercise(input) {
      const [, id = '1', text = ''] = /^(\d+)\n(.*)$/s.exec(decode(input)) ?? [];
      const typeId = Number(id) % btf.typeCount;
      const codec = attempt([BtfError], () => createCodec(btf, typeId));
      if (!codec || codec.size > view.byteLength) return 'no values';
      const written = attempt([ValueError, BtfError], () => {
        codec.write(view, 0, parseValue(text, btf, typeId));
        return true;
      });
      codec.read(view, 0);
      return written ? 'read' : 'refused';
    },
  };
}

const CONFIGURATIONS = [
  {
    interfaces: [
      { name: 'eth0', mode: 'host_based', is_wan: true, description: 'x' },
      { name: 'eth1', mode: 'gateway' },
    ],
    filter: { mode: 'hybrid', excluded_ports: [22, 4444], included_ports: [80], default_action: 'capture' },
  },
  {
    deployment: {
      mode: 'dual',
      host_interface: { name: 'eth1', role: 'wan', mode: 'host-based' },
      gateway_interface: { name: 'eth2', role: 'lan', mode: 'gateway' },
    },
    capture: {
      filter: { mode: 'whitelist', excluded_ports: [], included_ports: [443], default_action: 'drop' },
    },
  },
  {
    default: 'deny',
    ipv6: 'allow',
    dry_run: false,
    rules: [
      { source: '10.0.0.1', destination: '10.0.0.2', port: 443, protocol: 'tcp', action: 'allow' },
      { protocol: 1, action: 'deny', description: 'x' },
    ],
  },
].map((value) => JSON.stringify(value));
const JSON_WORDS = [
  '{',
  '}',
  '[',
  ']',
  'null',
  'true',
  '"mode"',
  '"interfaces"',
  '"deployment"',
  '"filter"',
  '65536',
  '-1',
  '1e9',
  '"__proto__"',
  '"constructor"',
  ',',
];

export function configurationTarget(): FuzzTarget {
  const known = parseSnifferConfiguration(CONFIGURATIONS[0]!, 'known');
  return textTarget('configuration', { texts: CONFIGURATIONS, words: JSON_WORDS }, (text) => {
    const rules = attempt([ArgumentError], () => parseRulesFile(text, 'file'));
    const configuration = attempt([ArgumentError], () => parseSnifferConfiguration(text, 'file'));
    if (!configuration) return rules ? 'read' : 'refused';
    diffConfiguration(known, configuration);
    return 'read';
  });
}

const KERNEL_TEXTS = [
  'none integrity [confidentiality]\n',
  'sysfs /sys sysfs rw 0 0\nbpf /sys/fs/bpf bpf rw 0 0\nnodev /a\\040b tracefs rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n',
  '"(none)"',
  '0x7fffffff',
  'processed 12 insns (limit 1000000)\n; if (x) @ a.c:42\n7: (95) exit\nR0 !read_ok\nverification time 12 usec\n',
  'Verification failed\nReason: x\nAt: a.c:1\n',
  '6.12.1-generic',
  '1000000',
];
const KERNEL_WORDS = [
  '[',
  ']',
  '\\040',
  '\\',
  '\n',
  ' bpf ',
  '; ',
  ' @ ',
  'processed 1 insns',
  'Reason:',
  '-',
  '9999999999999999999999',
  '\0',
  '0x',
  'y',
  'm',
];

/** What /proc, /sys and the verifier say; readers of these never refuse. */
export function kernelTextTarget(): FuzzTarget {
  return textTarget('kernel-text', { texts: KERNEL_TEXTS, words: KERNEL_WORDS }, (text) => {
    const files = { read: () => text.trim(), size: () => text.length };
    checkMounts(files);
    checkSettings(files);
    checkKernel(files, {
      lockdown: parseLockdown(text),
      userNamespace: false,
      unprivilegedBpfDisabled: Number(text),
    });
    readVerifierLog(text);
    for (const kind of ['bool', 'tristate'] as const) encodeSetting({ kind }, text);
    for (const size of [1, 2, 4, 8]) encodeSetting({ kind: 'integer', size, signed: size > 2 }, text);
    attempt([ObjectError], () => encodeSetting({ kind: 'string', size: 16 }, text));
    return 'read';
  });
}
