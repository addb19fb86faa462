import { Feature } from '../features/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import { checkInteger, type NetworkNamespace } from '../sys/index.ts';
import * as uapi from '../uapi/index.ts';
import type { BpfLink } from './bpf-link-attachment.ts';
import { checkProgram, createLink } from './create-link.ts';
import { inNamespace } from './interface-target.ts';

/** Options of {@link attachNetfilter}: hook and priority. */
export interface NetfilterOptions {
  readonly family: 'ipv4' | 'ipv6';
  readonly hook: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';
  /**
   * Lower runs first: -200 is connection tracking, 0 the filter table. Only one program may have each; -2147483648 and
   * 2147483647 are not allowed.
   */
  readonly priority: number;
  /** Put fragments together before; the priority must then be above -400. Linux 6.6. @default false */
  readonly defragment?: boolean;
  /** @default the current one */
  readonly netns?: NetworkNamespace;
}

const families = { ipv4: uapi.NFPROTO_IPV4, ipv6: uapi.NFPROTO_IPV6 } as const;
const hooks = {
  prerouting: uapi.NF_INET_PRE_ROUTING,
  input: uapi.NF_INET_LOCAL_IN,
  forward: uapi.NF_INET_FORWARD,
  output: uapi.NF_INET_LOCAL_OUT,
  postrouting: uapi.NF_INET_POST_ROUTING,
} as const;

/**
 * Attaches a program to a netfilter hook of a network namespace.
 *
 * Linux 6.4. Needs CAP_NET_ADMIN.
 *
 * @throws AttachError: ALREADY_ATTACHED where the priority is taken; UnsupportedFeatureError, PermissionError
 */
export function attachNetfilter(program: BpfProgram, options: NetfilterOptions): BpfLink {
  const { family, hook, priority, defragment = false } = options;
  const target = `netfilter ${family} ${hook} at priority ${String(priority)}`;
  checkProgram(program, { types: [uapi.BPF_PROG_TYPE_NETFILTER], target });
  checkInteger('priority', priority, { minimum: -0x7fff_ffff, maximum: 0x7fff_fffe });
  return inNamespace(options.netns, () =>
    createLink(program, {
      kind: 'netfilter',
      target,
      needed: ['CAP_NET_ADMIN'],
      feature: Feature.Netfilter,
      reasons: {
        EBUSY: 'another program has that priority',
        ERANGE: 'the kernel keeps that priority for itself',
        EAFNOSUPPORT: 'the kernel has no netfilter for that family',
      },
      fields: {
        attach_type: uapi.BPF_NETFILTER,
        netfilter: {
          pf: families[family],
          hooknum: hooks[hook],
          priority,
          flags: defragment ? uapi.BPF_F_NETFILTER_IP_DEFRAG : 0,
        },
      },
    }),
  );
}
