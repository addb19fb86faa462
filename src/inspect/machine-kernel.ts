import { arch, release } from 'node:os';
import type { Restrictions } from '../sys/index.ts';
import type { Check } from './check.ts';
import { inGroup } from './check.ts';
import type { MachineFiles } from './machine-files.ts';

const kernelBtf = '/sys/kernel/btf/vmlinux';

/** The kernel, and what in it holds back even root. */
export function checkKernel(files: MachineFiles, restrictions: Restrictions): Check[] {
  return inGroup('kernel', [
    { name: 'kernel', status: 'ok', value: release(), text: `${release()} (${arch()})` },
    checkBtf(files),
    checkLockdown(restrictions),
    checkUserNamespace(restrictions),
    checkSeccomp(files),
  ]);
}

function checkBtf(files: MachineFiles): Omit<Check, 'group'> {
  const name = 'BTF of the kernel';
  const size = files.size(kernelBtf);
  if (size !== undefined) {
    return {
      name,
      status: 'ok',
      value: size,
      text: `${(size / 1024 / 1024).toFixed(1)} MiB in ${kernelBtf}`,
    };
  }
  return {
    name,
    status: 'warning',
    value: null,
    text: `no ${kernelBtf}`,
    advice:
      'Objects with CO-RE relocations and tracing programs need it: use a kernel built with CONFIG_DEBUG_INFO_BTF.',
  };
}

function checkLockdown({ lockdown }: Restrictions): Omit<Check, 'group'> {
  const name = 'lockdown';
  if (lockdown === undefined) return { name, status: 'info', value: null, text: 'the kernel does not tell' };
  if (lockdown === 'none') return { name, status: 'ok', value: lockdown };
  return {
    name,
    status: 'warning',
    value: lockdown,
    advice:
      lockdown === 'confidentiality'
        ? 'Tracing programs may not read kernel memory, even for root. Boot without lockdown=confidentiality to trace.'
        : 'Writing to user memory and some tracing are refused, even for root; XDP is not. Boot without lockdown=integrity for these.',
  };
}

function checkUserNamespace({ userNamespace }: Restrictions): Omit<Check, 'group'> {
  const name = 'user namespace';
  if (!userNamespace) return { name, status: 'ok', value: 'initial' };
  return {
    name,
    status: 'warning',
    value: 'other',
    advice: 'Capabilities of a user namespace do not count for BPF: run it in the first one.',
  };
}

/** `Seccomp:` of /proc/PID/status: 0 for none, 1 for strict mode, 2 for a filter. */
function checkSeccomp(files: MachineFiles): Omit<Check, 'group'> {
  const name = 'seccomp';
  const mode = /^Seccomp:\s*(\d)$/m.exec(files.read('/proc/self/status') ?? '')?.[1];
  if (mode === undefined) return { name, status: 'info', value: null, text: 'the kernel does not tell' };
  if (mode === '0') return { name, status: 'ok', value: false, text: 'no filter' };
  return {
    name,
    status: 'info',
    value: true,
    text: 'a filter is active',
    advice:
      'It may refuse bpf(2) with EPERM, as container runtimes do by default: give the container CAP_BPF, or a profile that allows bpf.',
  };
}
