import { readInfo, tryReadInfo, type Fd, type Kernel } from '../sys/index.ts';
import { bpf_btf_info } from '../uapi/index.ts';

/** `MODULE_NAME_LEN` */
const LONGEST_NAME = 64;

/** What the kernel tells of a BTF beside its types. */
export interface BtfInfo {
  readonly id: number;
  /** Bytes. */
  readonly size: number;
  /** Of the kernel itself (`vmlinux`) or a module; a program's may bear any, and is usually empty. Empty before Linux 5.11. */
  readonly name: string;
  /** The kernel's own. False before Linux 5.11, which gives out that of programs and maps alone. */
  readonly ofKernel: boolean;
}

/** Linux 4.18. @throws SyscallError */
export function readBtfInfo(kernel: Kernel, fd: Fd): BtfInfo {
  const name = new Uint8Array(LONGEST_NAME);
  const fields = { name: kernel.addressOf(name), name_len: name.length };
  const info =
    tryReadInfo(kernel, { fd, descriptor: bpf_btf_info, fields, keep: [name] }) ??
    readInfo(kernel, { fd, descriptor: bpf_btf_info });
  return {
    id: info.id,
    size: info.btf_size,
    name: Buffer.from(name.subarray(0, Math.max(0, name.indexOf(0)))).toString('latin1'),
    ofKernel: info.kernel_btf !== 0,
  };
}
