import { ArgumentError } from '../errors.ts';
import { socketConstants } from '../sys/index.ts';
import {
  IFA_ADDRESS,
  IFA_F_NODAD,
  IFA_F_TENTATIVE,
  IFA_FLAGS,
  IFA_LOCAL,
  NLM_F_CREATE,
  NLM_F_EXCL,
  RTM_DELADDR,
  RTM_GETADDR,
  RTM_NEWADDR,
  ifaddrmsg,
} from '../uapi/index.ts';
import { Attributes, concatenate, encodeAttributes } from './attributes.ts';
import type { Attribute } from './attributes.ts';
import { checkIndex } from './change-interfaces.ts';
import { formatIpAddress, parseIpAddress } from './ip-address.ts';
import type { RouteRequest, RouteSocket } from './route-socket.ts';

const AF_INET6 = 10;

/** How far an address reaches, by the numbers of <linux/rtnetlink.h>. */
const scopes: Readonly<Record<number, 'global' | 'site' | 'link' | 'host' | 'nowhere'>> = {
  0: 'global',
  200: 'site',
  253: 'link',
  254: 'host',
  255: 'nowhere',
};

/** An IP address of an interface. */
export interface InterfaceAddress {
  /** Of the interface. */
  readonly index: number;
  readonly family: 4 | 6;
  /** `10.0.0.1`, `fe80::1` */
  readonly address: string;
  /** Bits of the network part. */
  readonly prefixLength: number;
  /** `global`, `site`, `link`, `host`, `nowhere`, or the number of another one. */
  readonly scope: string;
  /** The other end of a point-to-point link. */
  readonly peer: string | undefined;
  /** Not usable yet: duplicate address detection is under way. */
  readonly tentative: boolean;
}

/** The addresses of one interface, or of all. */
export function listAddresses(
  socket: RouteSocket,
  options: { readonly index?: number } = {},
): InterfaceAddress[] {
  const ifa_index = options.index === undefined ? 0 : checkIndex(options.index);
  const messages = socket.dump({
    type: RTM_GETADDR,
    request: 'RTM_GETADDR',
    doing: 'list the addresses',
    body: ifaddrmsg.encode({ ifa_index }),
  });
  return messages
    .filter((message) => message.type === RTM_NEWADDR)
    .map((message) => decodeAddress(message.body))
    .filter((address) => address !== undefined)
    .filter((address) => options.index === undefined || address.index === options.index);
}

/** RTM_NEWADDR and RTM_DELADDR; undefined for another family than IP. */
export function decodeAddress(body: Uint8Array): InterfaceAddress | undefined {
  const header = ifaddrmsg.decode(body);
  if (header.ifa_family !== socketConstants.AF_INET && header.ifa_family !== AF_INET6) return undefined;
  const attributes = Attributes.parse(body.subarray(ifaddrmsg.size));
  const far = attributes.bytes(IFA_ADDRESS);
  // IPv4 gives both; IPv6 gives IFA_LOCAL for point-to-point links alone.
  const local = attributes.bytes(IFA_LOCAL) ?? far;
  if (local === undefined) return undefined;
  const address = formatIpAddress(local);
  const peer = far === undefined ? address : formatIpAddress(far);
  return {
    index: header.ifa_index,
    family: header.ifa_family === AF_INET6 ? 6 : 4,
    address,
    prefixLength: header.ifa_prefixlen,
    scope: scopes[header.ifa_scope] ?? String(header.ifa_scope),
    peer: peer === address ? undefined : peer,
    tentative: ((attributes.u32(IFA_FLAGS) ?? header.ifa_flags) & IFA_F_TENTATIVE) !== 0,
  };
}

export interface AddressOptions {
  /** Of the interface. */
  readonly index: number;
  /** IPv4 or IPv6. */
  readonly address: string;
  /** @default 24 for IPv4, 64 for IPv6 */
  readonly prefixLength?: number | undefined;
  /**
   * Whether IPv6 looks for others with the same address first, during which it cannot be used.
   * @default false
   */
  readonly detectDuplicates?: boolean | undefined;
}

/** Adds an address. Throws {@link NetlinkError}: EEXIST where it is there, ENODEV where the interface is gone. */
export function addAddress(socket: RouteSocket, options: AddressOptions): void {
  const { detectDuplicates = false } = options;
  const flags = detectDuplicates ? 0 : IFA_F_NODAD;
  socket.request({
    ...changeAddress(options, flags),
    type: RTM_NEWADDR,
    request: 'RTM_NEWADDR',
    flags: NLM_F_CREATE | NLM_F_EXCL,
    doing: `add address ${options.address} to interface ${String(options.index)}`,
  });
}

/** Removes an address. Throws {@link NetlinkError}: EADDRNOTAVAIL where it is not there. */
export function deleteAddress(socket: RouteSocket, options: Omit<AddressOptions, 'detectDuplicates'>): void {
  socket.request({
    ...changeAddress(options, 0),
    type: RTM_DELADDR,
    request: 'RTM_DELADDR',
    doing: `remove address ${options.address} from interface ${String(options.index)}`,
  });
}

function changeAddress(options: AddressOptions, flags: number): Pick<RouteRequest, 'body'> {
  const bytes = parseIpAddress(options.address);
  const { prefixLength = bytes.length === 4 ? 24 : 64 } = options;
  if (!Number.isInteger(prefixLength) || prefixLength < 0 || prefixLength > bytes.length * 8) {
    throw new ArgumentError(
      'prefixLength',
      `Cannot use a prefix of ${String(prefixLength)} bits for ${options.address}: it has ${String(bytes.length * 8)}`,
    );
  }
  const header = ifaddrmsg.encode({
    ifa_family: bytes.length === 4 ? socketConstants.AF_INET : AF_INET6,
    ifa_prefixlen: prefixLength,
    ifa_flags: flags,
    ifa_index: checkIndex(options.index),
  });
  const attributes: Attribute[] = [
    { type: IFA_LOCAL, value: bytes },
    { type: IFA_ADDRESS, value: bytes },
  ];
  return { body: concatenate([header, encodeAttributes(attributes)]) };
}
