import { Feature } from '../features/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import { NetworkNamespace } from '../sys/index.ts';
import {
  BPF_FLOW_DISSECTOR,
  BPF_PROG_TYPE_FLOW_DISSECTOR,
  BPF_PROG_TYPE_SK_LOOKUP,
  BPF_SK_LOOKUP,
} from '../uapi/index.ts';
import type { BpfLink } from './bpf-link-attachment.ts';
import { checkProgram, createLink } from './create-link.ts';

/** Options of the functions that attach to a network namespace. */
export interface NamespaceOptions {
  /** @default the current one */
  readonly netns?: NetworkNamespace;
}

/**
 * Attaches a program that chooses the socket for packets that arrive in a network namespace. Several run in the order
 * in which they were attached.
 *
 * Linux 5.9. Needs CAP_NET_ADMIN.
 *
 * @throws UnsupportedFeatureError, AttachError, PermissionError
 */
export function attachSkLookup(program: BpfProgram, options: NamespaceOptions = {}): BpfLink {
  return attachToNamespace(program, {
    ...options,
    kind: 'sk_lookup',
    type: BPF_PROG_TYPE_SK_LOOKUP,
    attachType: BPF_SK_LOOKUP,
    feature: Feature.SkLookup,
  });
}

/**
 * Attaches the program that dissects packets in a network namespace, of which there is one. A program attached to the
 * first namespace goes for all (netns_bpf_link_create() in kernel/bpf/net_namespace.c).
 *
 * Linux 5.8 by bpf_link. Needs CAP_NET_ADMIN.
 *
 * @throws AttachError: ALREADY_ATTACHED; UnsupportedFeatureError, PermissionError
 */
export function attachFlowDissector(program: BpfProgram, options: NamespaceOptions = {}): BpfLink {
  return attachToNamespace(program, {
    ...options,
    kind: 'flow_dissector',
    type: BPF_PROG_TYPE_FLOW_DISSECTOR,
    attachType: BPF_FLOW_DISSECTOR,
    feature: Feature.FlowDissectorLink,
  });
}

function attachToNamespace(
  program: BpfProgram,
  facts: NamespaceOptions & { kind: string; type: number; attachType: number; feature: Feature },
): BpfLink {
  const { kind, type, attachType, feature } = facts;
  const own = facts.netns === undefined ? NetworkNamespace.current() : undefined;
  const netns = facts.netns ?? own;
  const target =
    facts.netns === undefined ? 'the current network namespace' : `network namespace ${facts.netns.name}`;
  try {
    checkProgram(program, { types: [type], target });
    return createLink(program, {
      kind,
      target,
      needed: ['CAP_NET_ADMIN'],
      feature,
      reasons: {
        EEXIST: 'a program is attached there already',
        EBUSY: 'a program is attached there already',
        E2BIG: 'as many programs as the kernel allows are attached there',
      },
      fields: { target_fd: netns?.fd.value ?? 0, attach_type: attachType },
    });
  } finally {
    own?.close();
  }
}
