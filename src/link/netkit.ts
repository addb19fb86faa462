import { Feature } from '../features/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import { BPF_NETKIT_PEER, BPF_NETKIT_PRIMARY, BPF_PROG_TYPE_SCHED_CLS } from '../uapi/index.ts';
import type { BpfLink } from './bpf-link-attachment.ts';
import { checkProgram, createLink } from './create-link.ts';
import { withInterface, type InterfaceOptions } from './interface-target.ts';
import { encodeOrder, type OrderOptions } from './order.ts';

/** Options of {@link attachNetkit}. */
export interface NetkitOptions extends InterfaceOptions, OrderOptions {
  /** Whose packets: those that leave the primary device, or those that leave its peer. @default the program's section */
  readonly side?: 'primary' | 'peer';
}

/**
 * Attaches a tc program to a netkit device, always through its primary end.
 *
 * Linux 6.7. Needs CAP_NET_ADMIN in the namespace of the primary device.
 *
 * @throws NotFoundError (INTERFACE_NOT_FOUND), UnsupportedFeatureError, AttachError, PermissionError
 */
export function attachNetkit(program: BpfProgram, options: NetkitOptions): BpfLink {
  const side = options.side ?? (program.attachType === BPF_NETKIT_PEER ? 'peer' : 'primary');
  checkProgram(program, { types: [BPF_PROG_TYPE_SCHED_CLS], target: 'a netkit device' });
  const { flags, relative } = encodeOrder(options);
  return withInterface(options, (device) =>
    createLink(program, {
      kind: 'netkit',
      target: `${device.name} (${side})`,
      needed: ['CAP_NET_ADMIN'],
      feature: Feature.Netkit,
      reasons: {
        ENXIO: 'the interface is no netkit device',
        EACCES: 'the interface is the peer of a netkit device, and only the primary takes programs',
        EEXIST: 'this program is attached there already',
        ESTALE: 'the programs there have changed since the expected revision',
        ENOENT: 'the neighbour that it is to run next to is not attached there',
      },
      fields: {
        target_ifindex: device.index,
        attach_type: side === 'primary' ? BPF_NETKIT_PRIMARY : BPF_NETKIT_PEER,
        flags,
        netkit: { relative_id: relative.relative_fd, ...relative },
      },
    }),
  );
}
