import { bpfError, errno, tryBpf } from '../sys/index.ts';
import type { Kernel } from '../sys/index.ts';
import * as uapi from '../uapi/index.ts';
import { bpf_attr_link_create, bpf_attr_map_create, bpf_attr_raw_tracepoint } from '../uapi/index.ts';
import type { bpf_attr_prog_load } from '../uapi/index.ts';
import { NO_DESCRIPTOR, looksUpDescriptor } from './attempt.ts';
import type { Feature } from './feature.ts';
import { programLoad, returnZero } from './probe-program.ts';

/** No interface has it: indexes count up from 1. */
const NO_INTERFACE = 0x7fff_ffff;

const refusals: readonly number[] = [errno.EINVAL, errno.E2BIG, errno.EOPNOTSUPP, errno.ENOTSUPP];

interface LinkProbe {
  readonly name: string;
  readonly minKernel: string;
  /** The program that is to be linked, of the shortest instructions. */
  readonly program: Partial<bpf_attr_prog_load>;
  /** A target that cannot exist. */
  readonly link: (kernel: Kernel) => {
    readonly fields: Partial<bpf_attr_link_create>;
    readonly keep?: readonly Uint8Array[];
  };
  /** What a kernel says that came as far as looking for that target. */
  readonly missing: number;
}

/**
 * A feature that shows in linking a program to what does not exist: a kernel that has it looks for the target, one
 * that has not says EINVAL, already to the type of the program or its attach type.
 */
function linkFeature(facts: LinkProbe): Feature {
  const { name, minKernel, program, link, missing } = facts;
  const doing = `probe for ${name}`;
  const probe = (kernel: Kernel): boolean => {
    const load = programLoad(kernel, { subject: name, instructions: returnZero, fields: program });
    const loaded = tryBpf(kernel, { ...load, doing });
    if (refusals.includes(-loaded)) return false;
    if (loaded < 0) throw bpfError({ ...load, doing }, loaded);
    try {
      const { fields, keep = [] } = link(kernel);
      const call = {
        command: 'BPF_LINK_CREATE',
        attribute: bpf_attr_link_create,
        fields: { prog_fd: loaded, ...fields },
        keep,
        doing,
      } as const;
      const result = tryBpf(kernel, call);
      if (result >= 0) kernel.close(result);
      if (result >= 0 || result === -missing) return true;
      if (refusals.includes(-result)) return false;
      throw bpfError(call, result);
    } finally {
      kernel.close(loaded);
    }
  };
  return { name, minKernel, probe };
}

/** The command came with links for cgroups; whatever is linked, it looks the program up first. */
export const cgroupLink: Feature = {
  name: 'bpf_link for cgroups',
  minKernel: '5.7',
  probe: (kernel) =>
    looksUpDescriptor(kernel, {
      command: 'BPF_LINK_CREATE',
      attribute: bpf_attr_link_create,
      fields: { prog_fd: NO_DESCRIPTOR, attach_type: uapi.BPF_CGROUP_INET_INGRESS },
      subject: 'bpf_link for cgroups',
    }),
};

/** Flags of order are refused before the cgroup is looked up (cgroup_bpf_link_attach() in kernel/bpf/cgroup.c). */
export const cgroupOrder = linkFeature({
  name: 'an order of the programs of a cgroup',
  minKernel: '6.17',
  program: {
    prog_type: uapi.BPF_PROG_TYPE_CGROUP_SKB,
    expected_attach_type: uapi.BPF_CGROUP_INET_INGRESS,
  },
  link: () => ({
    fields: {
      target_fd: NO_DESCRIPTOR,
      attach_type: uapi.BPF_CGROUP_INET_INGRESS,
      flags: uapi.BPF_F_BEFORE,
    },
  }),
  missing: errno.EBADF,
});

export const tcx = linkFeature({
  name: 'tcx',
  minKernel: '6.6',
  program: { prog_type: uapi.BPF_PROG_TYPE_SCHED_CLS },
  link: () => ({ fields: { target_ifindex: NO_INTERFACE, attach_type: uapi.BPF_TCX_INGRESS } }),
  missing: errno.ENODEV,
});

export const netkit = linkFeature({
  name: 'netkit devices',
  minKernel: '6.7',
  program: { prog_type: uapi.BPF_PROG_TYPE_SCHED_CLS },
  link: () => ({ fields: { target_ifindex: NO_INTERFACE, attach_type: uapi.BPF_NETKIT_PRIMARY } }),
  missing: errno.ENODEV,
});

export const flowDissectorLink = linkFeature({
  name: 'bpf_link for flow dissectors',
  minKernel: '5.8',
  program: { prog_type: uapi.BPF_PROG_TYPE_FLOW_DISSECTOR, expected_attach_type: uapi.BPF_FLOW_DISSECTOR },
  link: () => ({ fields: { target_fd: NO_DESCRIPTOR, attach_type: uapi.BPF_FLOW_DISSECTOR } }),
  missing: errno.EBADF,
});

export const skLookup = linkFeature({
  name: 'sk_lookup programs',
  minKernel: '5.9',
  program: { prog_type: uapi.BPF_PROG_TYPE_SK_LOOKUP, expected_attach_type: uapi.BPF_SK_LOOKUP },
  link: () => ({ fields: { target_fd: NO_DESCRIPTOR, attach_type: uapi.BPF_SK_LOOKUP } }),
  missing: errno.EBADF,
});

/** A hook of no protocol family: bpf_nf_check_pf_and_hooks() says EAFNOSUPPORT (net/netfilter/nf_bpf_link.c). */
export const netfilter = linkFeature({
  name: 'netfilter programs',
  minKernel: '6.4',
  program: { prog_type: uapi.BPF_PROG_TYPE_NETFILTER, expected_attach_type: uapi.BPF_NETFILTER },
  link: () => ({
    fields: {
      attach_type: uapi.BPF_NETFILTER,
      netfilter: { pf: uapi.NFPROTO_NUMPROTO, hooknum: 0, priority: 0, flags: 0 },
    },
  }),
  missing: errno.EAFNOSUPPORT,
});

export const perfEventLink = linkFeature({
  name: 'bpf_link for perf events',
  minKernel: '5.15',
  program: { prog_type: uapi.BPF_PROG_TYPE_TRACEPOINT },
  link: () => ({ fields: { target_fd: NO_DESCRIPTOR, attach_type: uapi.BPF_PERF_EVENT } }),
  missing: errno.EBADF,
});

export const sockmapLink = linkFeature({
  name: 'bpf_link for sockmaps',
  minKernel: '6.10',
  program: { prog_type: uapi.BPF_PROG_TYPE_SK_MSG, expected_attach_type: uapi.BPF_SK_MSG_VERDICT },
  link: () => ({ fields: { target_fd: NO_DESCRIPTOR, attach_type: uapi.BPF_SK_MSG_VERDICT } }),
  missing: errno.EBADF,
});

const encoder = new TextEncoder();

interface MultiProbeFeature {
  readonly name: string;
  readonly minKernel: string;
  readonly attachType: number;
}

/** Symbols are looked for before anything else that could fail (bpf_kprobe_multi_link_attach(), kernel/trace/bpf_trace.c). */
function kprobesFeature({ name, minKernel, attachType }: MultiProbeFeature): Feature {
  return linkFeature({
    name,
    minKernel,
    program: { prog_type: uapi.BPF_PROG_TYPE_KPROBE, expected_attach_type: attachType },
    link: (kernel) => {
      const symbol = encoder.encode('ts_xdp_probe\0');
      const symbols = new Uint8Array(new BigUint64Array([kernel.addressOf(symbol)]).buffer);
      const syms = kernel.addressOf(symbols);
      return {
        fields: {
          attach_type: attachType,
          kprobe_multi: { flags: 0, cnt: 1, syms, addrs: 0n, cookies: 0n },
        },
        keep: [symbol, symbols],
      };
    },
    missing: errno.ESRCH,
  });
}

export const kprobeMulti = kprobesFeature({
  name: 'kprobe.multi',
  minKernel: '5.18',
  attachType: uapi.BPF_TRACE_KPROBE_MULTI,
});

export const kprobeSession = kprobesFeature({
  name: 'kprobe.session',
  minKernel: '6.10',
  attachType: uapi.BPF_TRACE_KPROBE_SESSION,
});

/** A folder is no program file, which is EBADF (bpf_uprobe_multi_link_attach(), kernel/trace/bpf_trace.c). */
function uprobesFeature({ name, minKernel, attachType }: MultiProbeFeature): Feature {
  return linkFeature({
    name,
    minKernel,
    program: { prog_type: uapi.BPF_PROG_TYPE_KPROBE, expected_attach_type: attachType },
    link: (kernel) => {
      const path = encoder.encode('/\0');
      const offsets = new Uint8Array(8);
      return {
        fields: {
          attach_type: attachType,
          uprobe_multi: {
            path: kernel.addressOf(path),
            offsets: kernel.addressOf(offsets),
            ref_ctr_offsets: 0n,
            cookies: 0n,
            cnt: 1,
            flags: 0,
            pid: 0,
            path_fd: 0,
          },
        },
        keep: [path, offsets],
      };
    },
    missing: errno.EBADF,
  });
}

export const uprobeMulti = uprobesFeature({
  name: 'uprobe.multi',
  minKernel: '6.6',
  attachType: uapi.BPF_TRACE_UPROBE_MULTI,
});

export const uprobeSession = uprobesFeature({
  name: 'uprobe.session',
  minKernel: '6.13',
  attachType: uapi.BPF_TRACE_UPROBE_SESSION,
});

/** Before 6.10 BPF_RAW_TRACEPOINT_OPEN knows no such field, and says so before it looks the program up. */
export const rawTracepointCookie: Feature = {
  name: 'cookies for raw tracepoints',
  minKernel: '6.10',
  probe: (kernel) =>
    looksUpDescriptor(kernel, {
      command: 'BPF_RAW_TRACEPOINT_OPEN',
      attribute: bpf_attr_raw_tracepoint,
      fields: { prog_fd: NO_DESCRIPTOR, cookie: 1n },
      subject: 'cookies for raw tracepoints',
    }),
};

/**
 * A map of no kernel struct: a kernel that knows the flag then looks for its type, and says ENOTSUPP
 * (bpf_struct_ops_map_alloc() in kernel/bpf/bpf_struct_ops.c).
 */
/** The command looks the program up first. */
export const structOpsAssociation: Feature = {
  name: 'programs that belong to a struct_ops map',
  minKernel: '7.0',
  probe: (kernel) =>
    looksUpDescriptor(kernel, {
      command: 'BPF_PROG_ASSOC_STRUCT_OPS',
      attribute: uapi.bpf_attr_prog_assoc_struct_ops,
      fields: { map_fd: NO_DESCRIPTOR, prog_fd: NO_DESCRIPTOR },
      subject: 'programs that belong to a struct_ops map',
    }),
};

export const structOpsLink: Feature = {
  name: 'bpf_link for struct_ops',
  minKernel: '6.4',
  probe: (kernel) => {
    const call = {
      command: 'BPF_MAP_CREATE',
      attribute: bpf_attr_map_create,
      fields: {
        map_type: uapi.BPF_MAP_TYPE_STRUCT_OPS,
        key_size: 4,
        value_size: 8,
        max_entries: 1,
        map_flags: uapi.BPF_F_LINK,
        btf_vmlinux_value_type_id: 1,
      },
      doing: 'probe for bpf_link for struct_ops',
    } as const;
    const result = tryBpf(kernel, call);
    if (result >= 0) kernel.close(result);
    if (result >= 0 || result === -errno.ENOTSUPP) return true;
    if (result === -errno.EINVAL || result === -errno.E2BIG) return false;
    throw bpfError(call, result);
  },
};
