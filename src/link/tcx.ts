import { ArgumentError } from '../errors.ts';
import { Feature } from '../features/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import { BPF_PROG_TYPE_SCHED_CLS, BPF_TCX_EGRESS, BPF_TCX_INGRESS } from '../uapi/index.ts';
import type { BpfLink } from './bpf-link-attachment.ts';
import { checkProgram, createLink } from './create-link.ts';
import { withInterface, type InterfaceOptions } from './interface-target.ts';
import { encodeOrder, type OrderOptions } from './order.ts';

/** Whether a program sees what an interface receives (`ingress`) or sends (`egress`). */
export type TrafficDirection = 'ingress' | 'egress';

/** Options of {@link attachTcx}. */
export interface TcxOptions extends InterfaceOptions, OrderOptions {
  /** @default what the program's section says: `tcx/ingress`, `tc/egress` */
  readonly direction?: TrafficDirection;
}

/**
 * Attaches a tc program to an interface by tcx, where several programs run in an order that each may choose.
 *
 * Linux 6.6; older kernels have {@link attachTc}. Needs CAP_NET_ADMIN in the interface's namespace.
 *
 * @throws NotFoundError (INTERFACE_NOT_FOUND); UnsupportedFeatureError before 6.6; AttachError: ALREADY_ATTACHED
 * where this program is there already, ATTACH_CHANGED where `expectedRevision` is no longer current, ATTACH_REFUSED
 * where the neighbour is not there; PermissionError
 *
 * @example
 * using link = attachTcx(collection.program('count'), { interface: 'eth0', direction: 'ingress', before: 'first' });
 */
export function attachTcx(program: BpfProgram, options: TcxOptions): BpfLink {
  const direction = options.direction ?? directionOf(program);
  checkProgram(program, { types: [BPF_PROG_TYPE_SCHED_CLS], target: `an interface (${direction})` });
  const { flags, relative } = encodeOrder(options);
  return withInterface(options, (device) =>
    createLink(program, {
      kind: 'tcx',
      target: `${device.name} (${direction})`,
      needed: ['CAP_NET_ADMIN'],
      feature: Feature.Tcx,
      hint: 'attach it to a clsact qdisc, which older kernels have: attachTc()',
      reasons: {
        EEXIST: 'this program is attached there already',
        ESTALE: 'the programs there have changed since the expected revision',
        ENOENT: 'the neighbour that it is to run next to is not attached there',
        ENODEV: 'the interface is gone',
      },
      fields: {
        target_ifindex: device.index,
        attach_type: direction === 'ingress' ? BPF_TCX_INGRESS : BPF_TCX_EGRESS,
        flags,
        tcx: { relative_id: relative.relative_fd, ...relative },
      },
    }),
  );
}

/** @throws ArgumentError where the program does not say */
export function directionOf(program: BpfProgram): TrafficDirection {
  if (program.attachType === BPF_TCX_INGRESS) return 'ingress';
  if (program.attachType === BPF_TCX_EGRESS) return 'egress';
  throw new ArgumentError(
    'direction',
    `Cannot attach ${program.name}: nothing says whether to incoming or outgoing packets`,
    { hint: 'give the option "direction", or name the section tcx/ingress or tcx/egress' },
  );
}
