import { NetlinkError } from '../errors.ts';
import type { TsXdpError } from '../errors.ts';
import { describeErrno, errno, errnoName, missingCapabilities, syscallError } from '../sys/index.ts';
import type { Outcome } from './message.ts';

/** What was asked for, in the words of the kernel and of an error message. */
export interface RequestName {
  /** `RTM_SETLINK` */
  readonly request: string;
  /** To follow "Cannot": `set the MTU of veth0`. */
  readonly doing: string;
}

/** `Cannot set the MTU of veth0: Peer MTU is too large to set XDP (ERANGE)`, or with the text of the errno. */
export function netlinkError({ request, doing }: RequestName, outcome: Outcome): TsXdpError {
  const { errno: number, extack } = outcome;
  if (number === errno.EPERM || number === errno.EACCES) {
    const missing = missingCapabilities(['CAP_NET_ADMIN']);
    if (missing.length > 0) {
      const hint = 'Run it as root, or give the process CAP_NET_ADMIN.';
      return syscallError({ call: request, errno: number, doing, missing, hint });
    }
  }
  const name = errnoName(number);
  const reason = extack === undefined ? describeErrno(number) : `${extack.replace(/\.$/, '')} (${name})`;
  return new NetlinkError(request, number, name, extack, `Cannot ${doing}: ${reason}`);
}
