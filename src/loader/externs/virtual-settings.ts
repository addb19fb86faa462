/** Settings that no kernel writes down: libbpf made them up, and finds them out. */
import { readFileSync } from 'node:fs';
import { release, version } from 'node:os';
import { isHelperAvailable } from '../../features/index.ts';
import type { Kernel } from '../../sys/index.ts';
import { BPF_FUNC_get_attach_cookie, BPF_PROG_TYPE_TRACEPOINT } from '../../uapi/index.ts';
import { findKernelSymbols } from './kernel-symbols.ts';

/** The value of a setting `LINUX_…`; undefined for one that is not known. */
export function virtualSetting(name: string, kernel: Kernel): bigint | undefined {
  switch (name) {
    case 'LINUX_KERNEL_VERSION':
      return BigInt(kernelVersionCode());
    case 'LINUX_HAS_BPF_COOKIE':
      return BigInt(hasAttachCookie(kernel));
    case 'LINUX_HAS_SYSCALL_WRAPPER':
      return BigInt(hasSyscallWrapper());
    default:
      return undefined;
  }
}

/** `KERNEL_VERSION(major, minor, patch)` of what runs. */
export function kernelVersionCode(
  said: { ubuntu?: string | undefined; version: string; release: string } = {
    ubuntu: ubuntuSignature(),
    version: version(),
    release: release(),
  },
): number {
  // uname's release of Ubuntu and Debian counts their packages, not the patches of the kernel.
  const [, major = '0', minor = '0', patch = '0'] =
    /^\S+ \S+ (\d+)\.(\d+)\.(\d+)/.exec(said.ubuntu ?? '') ??
    /Debian (\d+)\.(\d+)\.(\d+)/.exec(said.version) ??
    /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(said.release) ??
    [];
  return (Number(major) << 16) + (Number(minor) << 8) + Math.min(Number(patch), 255);
}

function ubuntuSignature(): string | undefined {
  try {
    return readFileSync('/proc/version_signature', 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** `bpf_get_attach_cookie()`, Linux 5.15. */
function hasAttachCookie(kernel: Kernel): boolean {
  const question = { helper: BPF_FUNC_get_attach_cookie, programType: BPF_PROG_TYPE_TRACEPOINT };
  return isHelperAvailable(question, { kernel });
}

/** Since 4.17 the functions of system calls take their arguments in a struct pt_regs, and say so by a prefix. */
function hasSyscallWrapper(): boolean {
  const prefix = { x64: '__x64', arm64: '__arm64' }[process.arch as string];
  if (prefix === undefined) return false;
  const name = `${prefix}_sys_bpf`;
  return findKernelSymbols(new Set([name])).has(name);
}
