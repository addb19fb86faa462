import { ArgumentError, NotFoundError } from '../errors.ts';
import { errno } from '../sys/index.ts';
import {
  EOPNOTSUPP,
  IFLA_ALT_IFNAME,
  IFLA_EXT_MASK,
  IFLA_IFNAME,
  RTEXT_FILTER_SKIP_STATS,
  RTM_GETLINK,
  RTM_NEWLINK,
  ifinfomsg,
} from '../uapi/index.ts';
import type { Attribute } from './attributes.ts';
import { concatenate, encodeAttributes, numberAttribute, stringAttribute } from './attributes.ts';
import type { NetworkInterface } from './interface.ts';
import { decodeInterface } from './interface.ts';
import type { Message } from './message.ts';
import { netlinkError } from './netlink-error.ts';
import type { RouteRequest, RouteSocket } from './route-socket.ts';

/** IFNAMSIZ and ALTIFNAMSIZ, without the NUL. */
const longestName = 15;
const longestAlternativeName = 127;
/** More names than this do not help the reader of an error. */
const namesInError = 20;

/** Every interface of the socket's namespace, in the order of the kernel. */
export function listInterfaces(socket: RouteSocket): NetworkInterface[] {
  return interfacesOf(socket.dump(getLink({ doing: 'list the interfaces', index: 0, attributes: [] })));
}

/**
 * The interface of that name or alternative name. Throws {@link NotFoundError} (`INTERFACE_NOT_FOUND`), with the
 * names that are there.
 */
export function interfaceByName(socket: RouteSocket, name: string): NetworkInterface {
  const found = tryInterfaceByName(socket, name);
  if (found === undefined) throw notFound(socket, name);
  return found;
}

/** The same, with undefined where there is none. */
export function tryInterfaceByName(socket: RouteSocket, name: string): NetworkInterface | undefined {
  if (typeof name !== 'string' || name === '' || name.includes('\0')) {
    throw new ArgumentError('name', `Cannot find interface ${JSON.stringify(name)}: this is no name`);
  }
  const length = Buffer.byteLength(name);
  const types = [
    ...(length <= longestName ? [IFLA_IFNAME] : []),
    ...(length <= longestAlternativeName ? [IFLA_ALT_IFNAME] : []),
  ];
  for (const type of types) {
    const attributes = [stringAttribute(type, name)];
    const found = find(socket, getLink({ doing: `find interface ${name}`, index: 0, attributes }));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The interface of that index. Throws {@link NotFoundError} (`INTERFACE_NOT_FOUND`). */
export function interfaceByIndex(socket: RouteSocket, index: number): NetworkInterface {
  const found = tryInterfaceByIndex(socket, index);
  if (found === undefined) throw notFound(socket, String(index));
  return found;
}

/** The same, with undefined where there is none. */
export function tryInterfaceByIndex(socket: RouteSocket, index: number): NetworkInterface | undefined {
  if (!Number.isInteger(index) || index < 1 || index > 0x7fff_ffff) {
    throw new ArgumentError(
      'index',
      `Cannot find interface ${String(index)}: an index is an integer above zero`,
    );
  }
  return find(socket, getLink({ doing: `find interface ${String(index)}`, index, attributes: [] }));
}

function find(socket: RouteSocket, request: RouteRequest): NetworkInterface | undefined {
  const { outcome, messages } = socket.tryRequest(request);
  // Kernels before 5.5 know no alternative names, and say EINVAL or EOPNOTSUPP.
  const absent: readonly number[] = [errno.ENODEV, errno.EINVAL, EOPNOTSUPP];
  if (absent.includes(outcome.errno)) return undefined;
  if (outcome.errno !== 0) throw netlinkError(request, outcome);
  return interfacesOf(messages)[0];
}

function getLink(facts: { doing: string; index: number; attributes: readonly Attribute[] }): RouteRequest {
  const attributes = [numberAttribute(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS), ...facts.attributes];
  return {
    type: RTM_GETLINK,
    request: 'RTM_GETLINK',
    doing: facts.doing,
    body: concatenate([ifinfomsg.encode({ ifi_index: facts.index }), encodeAttributes(attributes)]),
  };
}

function interfacesOf(messages: readonly Message[]): NetworkInterface[] {
  return messages
    .filter((message) => message.type === RTM_NEWLINK)
    .map((message) => decodeInterface(message.body));
}

function notFound(socket: RouteSocket, name: string): NotFoundError {
  const names = listInterfaces(socket).map((existing) => existing.name);
  const few = names.length <= namesInError;
  return new NotFoundError(
    'INTERFACE_NOT_FOUND',
    name,
    `Cannot find interface ${name}: there is none of that name`,
    {
      available: few ? names : undefined,
      hint: few && names.length > 0 ? `The interfaces here are ${names.join(', ')}.` : undefined,
    },
  );
}
