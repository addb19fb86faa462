import { closeSync, openSync } from 'node:fs';
import { queryHook, type HookedProgram, type LinkInfo } from '../../link/index.ts';
import {
  filterParents,
  listBpfFilters,
  listInterfaces,
  listQdiscs,
  RouteSocket,
  type BpfFilter,
  type NetworkInterface,
} from '../../netlink/index.ts';
import type { Kernel } from '../../sys/index.ts';
import {
  BPF_FLOW_DISSECTOR,
  BPF_NETKIT_PEER,
  BPF_NETKIT_PRIMARY,
  BPF_TCX_EGRESS,
  BPF_TCX_INGRESS,
} from '../../uapi/index.ts';
import { listLinks } from '../objects/index.ts';

/** What is attached to one interface. */
export interface InterfaceHooks {
  readonly device: NetworkInterface;
  /** By tcx (Linux 6.6) and netkit (6.7), in the order in which they run. */
  readonly programs: readonly (HookedProgram & { readonly hook: InterfaceHook })[];
  /** By classes, qdiscs and the sides of clsact. `qdisc` is the kind: `htb`, `clsact`, … */
  readonly filters: readonly (BpfFilter & { readonly qdisc: string })[];
}

/** Where a program sits on an interface, as bpftool names it. */
export type InterfaceHook = 'tcx/ingress' | 'tcx/egress' | 'netkit/primary' | 'netkit/peer';

/** What is attached to the network in the namespace that the thread is in. */
export interface NetworkHooks {
  readonly interfaces: readonly InterfaceHooks[];
  readonly flowDissector: readonly number[];
  /** Of all namespaces, as the kernel does not tell which. By protocol, hook and priority. */
  readonly netfilter: readonly Extract<LinkInfo, { kind: 'netfilter' }>[];
}

const HOOKS: readonly (readonly [InterfaceHook, number])[] = [
  ['tcx/ingress', BPF_TCX_INGRESS],
  ['tcx/egress', BPF_TCX_EGRESS],
  ['netkit/primary', BPF_NETKIT_PRIMARY],
  ['netkit/peer', BPF_NETKIT_PEER],
];

/**
 * Everything of BPF on the network: of all interfaces, or of the one with an index.
 *
 * @throws PermissionError (CAP_NET_ADMIN, and CAP_SYS_ADMIN for netfilter), NetlinkError, SyscallError
 */
export function inspectNetwork(
  kernel: Kernel,
  { ifindex }: { ifindex?: number | undefined } = {},
): NetworkHooks {
  using socket = RouteSocket.open();
  const devices = listInterfaces(socket).filter(({ index }) => ifindex === undefined || index === ifindex);
  const qdiscs = listQdiscs(socket);
  return {
    interfaces: devices.map((device) => ({
      device,
      programs: HOOKS.flatMap(([hook, attachType]) => programsAt(kernel, { device, hook, attachType })),
      filters: filterParents(socket, {
        device: { ifindex: device.index, name: device.name },
        qdiscs,
      }).flatMap((parent) =>
        listBpfFilters(socket, parent).map((filter) => ({ ...filter, qdisc: parent.kind })),
      ),
    })),
    flowDissector: flowDissectors(kernel),
    netfilter: listLinks(kernel)
      .filter((link) => link.kind === 'netfilter')
      .sort(
        (one, other) =>
          one.protocolFamily - other.protocolFamily ||
          one.hook - other.hook ||
          one.priority - other.priority ||
          one.flags - other.flags,
      ),
  };
}

function programsAt(
  kernel: Kernel,
  { device, hook, attachType }: { device: NetworkInterface; hook: InterfaceHook; attachType: number },
): (HookedProgram & { readonly hook: InterfaceHook })[] {
  const doing = `list the programs of ${device.name} (${hook})`;
  const answer = queryHook(kernel, { place: { ifindex: device.index }, attachType, doing });
  return (answer?.programs ?? []).map((program) => ({ ...program, hook }));
}

function flowDissectors(kernel: Kernel): number[] {
  const fd = openSync('/proc/thread-self/ns/net', 'r');
  try {
    const doing = 'list the flow dissectors of the network namespace';
    const answer = queryHook(kernel, { place: { fd }, attachType: BPF_FLOW_DISSECTOR, doing });
    return (answer?.programs ?? []).map(({ programId }) => programId);
  } finally {
    closeSync(fd);
  }
}
