import type { Check } from './check.ts';
import { inGroup } from './check.ts';
import type { MachineFiles } from './machine-files.ts';

/** A sysctl, and what its values mean. */
interface Setting {
  readonly name: string;
  /** By value; what is not listed speaks for itself. */
  readonly meanings: Readonly<Record<number, Meaning>>;
}

interface Meaning {
  readonly text: string;
  /** @default 'ok' */
  readonly status?: Check['status'];
  readonly advice?: string;
}

const settings: readonly Setting[] = [
  {
    name: 'kernel.unprivileged_bpf_disabled',
    meanings: {
      0: {
        text: 'everybody may load socket filters',
        status: 'info',
        advice: 'XDP needs capabilities all the same. Safer is: sysctl -w kernel.unprivileged_bpf_disabled=2',
      },
      1: { text: 'BPF needs capabilities, until the next boot' },
      2: { text: 'BPF needs capabilities' },
    },
  },
  {
    name: 'net.core.bpf_jit_enable',
    meanings: {
      0: {
        text: 'programs are interpreted',
        status: 'warning',
        advice:
          'They run several times slower so. Switch the compiler on: sysctl -w net.core.bpf_jit_enable=1',
      },
      1: { text: 'programs are compiled' },
      2: {
        text: 'programs are compiled, and the code goes to the kernel log',
        status: 'warning',
        advice: 'That is for debugging the compiler: sysctl -w net.core.bpf_jit_enable=1',
      },
    },
  },
  {
    name: 'net.core.bpf_jit_harden',
    meanings: {
      0: { text: 'off' },
      1: { text: 'for programs of unprivileged users' },
      2: {
        text: 'for all programs',
        status: 'info',
        advice:
          'Constants in programs are blinded, which costs some speed: sysctl -w net.core.bpf_jit_harden=1',
      },
    },
  },
  {
    name: 'kernel.bpf_stats_enabled',
    meanings: {
      0: { text: 'run times are not counted' },
      1: { text: 'run times of programs are counted, which costs some speed', status: 'info' },
    },
  },
  {
    name: 'kernel.perf_event_paranoid',
    meanings: {
      [-1]: { text: 'perf events for everybody' },
      0: { text: 'perf events for everybody, raw tracepoints for CAP_PERFMON' },
      1: { text: 'perf events of a CPU need CAP_PERFMON' },
      2: { text: 'perf events of the kernel need CAP_PERFMON' },
      3: { text: 'perf events need CAP_PERFMON' },
      4: { text: 'perf events need CAP_PERFMON' },
    },
  },
  {
    name: 'kernel.kptr_restrict',
    meanings: {
      0: { text: 'kernel addresses are shown to CAP_SYSLOG' },
      1: { text: 'kernel addresses are shown to CAP_SYSLOG' },
      2: {
        text: 'kernel addresses are hidden from everybody',
        status: 'info',
        advice: 'Stack traces of the kernel cannot be named: sysctl -w kernel.kptr_restrict=1',
      },
    },
  },
];

/** The sysctls that bear on BPF. */
export function checkSettings(files: MachineFiles): Check[] {
  return inGroup(
    'settings',
    settings.map((setting) => checkSetting(files, setting)),
  );
}

function checkSetting(files: MachineFiles, { name, meanings }: Setting): Omit<Check, 'group'> {
  const text = files.read(`/proc/sys/${name.replaceAll('.', '/')}`);
  if (text === undefined || !/^-?\d+$/.test(text)) {
    // net.core.* is not there in other network namespaces than the first, and readable by root alone.
    return { name, status: 'info', value: null, text: 'cannot be read from here' };
  }
  const value = Number(text);
  const meaning = meanings[value];
  return {
    name,
    status: meaning?.status ?? (meaning === undefined ? 'info' : 'ok'),
    value,
    text: meaning === undefined ? text : `${text}: ${meaning.text}`,
    advice: meaning?.advice,
  };
}
