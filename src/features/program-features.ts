import { LOAD_IMMEDIATE_64 } from '../asm/index.ts';
import { bpfError, errno, openBpf, tryBpf } from '../sys/index.ts';
import type { Kernel } from '../sys/index.ts';
import {
  BPF_F_XDP_DEV_BOUND_ONLY,
  BPF_F_XDP_HAS_FRAGS,
  BPF_MAP_TYPE_ARRAY,
  BPF_PROG_TYPE_SOCKET_FILTER,
  BPF_PROG_TYPE_XDP,
  BPF_PSEUDO_MAP_VALUE,
  BPF_XDP,
  bpf_attr_info,
  bpf_attr_link_create,
  bpf_attr_map_create,
} from '../uapi/index.ts';
import type { bpf_attr_prog_load } from '../uapi/index.ts';
import { NO_DESCRIPTOR, canOpen, looksUpDescriptor } from './attempt.ts';
import type { Feature } from './feature.ts';
import { programLoad, returnZero } from './probe-program.ts';

/** In every network namespace the loopback interface has this index (LOOPBACK_IFINDEX in include/net/flow.h). */
const LOOPBACK_IFINDEX = 1;

/** A feature that shows in loading the shortest program with these fields. */
function programFeature(
  name: string,
  facts: { readonly minKernel: string; readonly fields: Partial<bpf_attr_prog_load> },
): Feature {
  const { minKernel, fields } = facts;
  const probe = (kernel: Kernel): boolean =>
    canOpen(kernel, programLoad(kernel, { subject: name, instructions: returnZero, fields }));
  return { name, minKernel, probe };
}

/** Whatever the kernel makes of the descriptor: an errno of bpf(2) itself says that it is there. */
export const bpfSyscall: Feature = {
  name: 'bpf(2)',
  minKernel: '3.18',
  probe: (kernel) => {
    const call = {
      command: 'BPF_OBJ_GET_INFO_BY_FD',
      attribute: bpf_attr_info,
      fields: { bpf_fd: NO_DESCRIPTOR },
      doing: 'probe for bpf(2)',
    } as const;
    const result = tryBpf(kernel, call);
    // seccomp says EPERM too, before the system call is looked up.
    if (result === -errno.EPERM || result === -errno.EACCES) throw bpfError(call, result);
    return result !== -errno.ENOSYS;
  },
};

export const programNames = programFeature('names of programs', {
  minKernel: '4.15',
  fields: { prog_type: BPF_PROG_TYPE_SOCKET_FILTER, prog_name: 'ts_xdp_probe' },
});

export const xdpProgram = programFeature('XDP programs', {
  minKernel: '4.8',
  fields: { prog_type: BPF_PROG_TYPE_XDP },
});

export const xdpFrags = programFeature('XDP for packets of several buffers', {
  minKernel: '5.18',
  fields: { prog_type: BPF_PROG_TYPE_XDP, prog_flags: BPF_F_XDP_HAS_FRAGS },
});

/**
 * bpf_prog_load() knows the flag before it looks at the device. What the loopback interface lacks (EOPNOTSUPP from
 * bpf_dev_offload_check() in kernel/bpf/offload.c) says that the kernel came that far.
 */
export const deviceBoundXdp: Feature = {
  name: 'XDP programs bound to a device',
  minKernel: '6.3',
  probe: (kernel) => {
    const attempt = programLoad(kernel, {
      subject: 'XDP programs bound to a device',
      instructions: returnZero,
      fields: {
        prog_type: BPF_PROG_TYPE_XDP,
        prog_flags: BPF_F_XDP_DEV_BOUND_ONLY,
        prog_ifindex: LOOPBACK_IFINDEX,
      },
    });
    const call = { ...attempt, doing: `probe for ${attempt.subject}` };
    const result = tryBpf(kernel, call);
    if (result >= 0) kernel.close(result);
    if (result >= 0 || result === -errno.EOPNOTSUPP) return true;
    if (result === -errno.EINVAL || result === -errno.E2BIG) return false;
    throw bpfError(call, result);
  },
};

/** A load of the address of a map's value, which `.rodata`, `.data` and `.bss` need. */
export const globalData: Feature = {
  name: 'global variables',
  minKernel: '5.2',
  probe: (kernel) => {
    const map = openBpf(kernel, {
      command: 'BPF_MAP_CREATE',
      attribute: bpf_attr_map_create,
      fields: { map_type: BPF_MAP_TYPE_ARRAY, key_size: 4, value_size: 8, max_entries: 1 },
      doing: 'probe for global variables',
      description: 'map of a probe',
    });
    try {
      const address = { opcode: LOAD_IMMEDIATE_64, destination: 1, source: BPF_PSEUDO_MAP_VALUE };
      const attempt = programLoad(kernel, {
        subject: 'global variables',
        instructions: [{ ...address, immediate: map.value }, {}, ...returnZero],
        fields: { prog_type: BPF_PROG_TYPE_SOCKET_FILTER },
      });
      return canOpen(kernel, attempt);
    } finally {
      map.close();
    }
  },
};

/** Before 5.9 link_create() finds no program type for BPF_XDP, and never gets to look the program up. */
export const xdpLink: Feature = {
  name: 'bpf_link for XDP',
  minKernel: '5.9',
  probe: (kernel) =>
    looksUpDescriptor(kernel, {
      command: 'BPF_LINK_CREATE',
      attribute: bpf_attr_link_create,
      fields: { prog_fd: NO_DESCRIPTOR, target_ifindex: LOOPBACK_IFINDEX, attach_type: BPF_XDP },
      subject: 'bpf_link for XDP',
    }),
};
