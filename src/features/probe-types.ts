import type { BtfBuilder } from '../btf/index.ts';
import { openBpf, type Fd, type Kernel } from '../sys/index.ts';
import { bpf_attr_btf_load } from '../uapi/index.ts';

/** Gives the kernel the types that a probe refers to. @throws PermissionError, SyscallError */
export function loadProbeTypes(
  kernel: Kernel,
  { subject, types }: { readonly subject: string; readonly types: BtfBuilder },
): Fd {
  const btf = types.build();
  return openBpf(kernel, {
    command: 'BPF_BTF_LOAD',
    attribute: bpf_attr_btf_load,
    fields: { btf: kernel.addressOf(btf), btf_size: btf.length },
    keep: [btf],
    doing: `probe for ${subject}`,
    description: 'BTF of a probe',
  });
}
