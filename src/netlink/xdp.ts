import { ArgumentError } from '../errors.ts';
import {
  IFLA_XDP,
  IFLA_XDP_EXPECTED_FD,
  IFLA_XDP_FD,
  IFLA_XDP_FLAGS,
  RTM_SETLINK,
  XDP_FLAGS_DRV_MODE,
  XDP_FLAGS_HW_MODE,
  XDP_FLAGS_REPLACE,
  XDP_FLAGS_SKB_MODE,
  XDP_FLAGS_UPDATE_IF_NOEXIST,
  ifinfomsg,
} from '../uapi/index.ts';
import { concatenate, encodeAttributes, numberAttribute } from './attributes.ts';
import { checkIndex, nameOf } from './change-interfaces.ts';
import type { XdpMode } from './interface.ts';
import type { Outcome } from './message.ts';
import { netlinkError } from './netlink-error.ts';
import type { RouteRequest, RouteSocket } from './route-socket.ts';

const modeFlags: Readonly<Record<XdpMode, number>> = {
  native: XDP_FLAGS_DRV_MODE,
  generic: XDP_FLAGS_SKB_MODE,
  offload: XDP_FLAGS_HW_MODE,
};

export interface XdpChange {
  readonly ifindex: number;
  /** For messages. @default the index */
  readonly name?: string | undefined;
  /** The descriptor of the program to attach; -1 takes off what is there. */
  readonly programFd: number;
  readonly mode: XdpMode;
  /**
   * Replace, or take off, this program and no other. Without it nothing is replaced while something is attached
   * unless `noExist` is false. Linux 5.7.
   */
  readonly expectedFd?: number | undefined;
  /** Refuse with EBUSY where a program is attached. @default true to attach without `expectedFd`, else false */
  readonly noExist?: boolean | undefined;
}

/**
 * Attaches, replaces or detaches an XDP program by netlink. The program then stays when this process ends. A program
 * that a bpf_link holds is not touched: the kernel answers EBUSY.
 *
 * Throws {@link NetlinkError}: EBUSY or EEXIST where a program is there, EEXIST where it is not the expected one,
 * EOPNOTSUPP where the driver cannot, ERANGE for an MTU that is too large.
 */
export function setXdpProgram(socket: RouteSocket, change: XdpChange): void {
  const request = xdpRequest(change);
  const { outcome } = socket.tryRequest(request);
  if (outcome.errno !== 0) throw netlinkError(request, outcome);
}

/** The same with a refusal as a value: errno and the kernel's own text. */
export function trySetXdpProgram(socket: RouteSocket, change: XdpChange): Outcome {
  return socket.tryRequest(xdpRequest(change)).outcome;
}

function xdpRequest(change: XdpChange): RouteRequest {
  const { ifindex, name, programFd, mode, expectedFd } = change;
  const attach = programFd >= 0;
  const { noExist = attach && expectedFd === undefined } = change;
  if (noExist && (!attach || expectedFd !== undefined)) {
    throw new ArgumentError(
      'noExist',
      'Cannot change XDP: "noExist" goes with attaching alone, without an expected program',
    );
  }
  const flags =
    modeFlags[mode] |
    (noExist ? XDP_FLAGS_UPDATE_IF_NOEXIST : 0) |
    (expectedFd === undefined ? 0 : XDP_FLAGS_REPLACE);
  const attributes = [
    numberAttribute(IFLA_XDP_FD, attach ? programFd : -1),
    numberAttribute(IFLA_XDP_FLAGS, flags),
  ];
  if (expectedFd !== undefined) attributes.push(numberAttribute(IFLA_XDP_EXPECTED_FD, expectedFd));
  const target = nameOf({ index: ifindex, name });
  return {
    type: RTM_SETLINK,
    request: 'RTM_SETLINK',
    doing: attach ? `attach XDP to ${target} in ${mode} mode` : `detach XDP from ${target} in ${mode} mode`,
    body: concatenate([
      ifinfomsg.encode({ ifi_index: checkIndex(ifindex) }),
      encodeAttributes([{ type: IFLA_XDP, value: attributes }]),
    ]),
  };
}
