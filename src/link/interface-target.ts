import { interfaceByIndex, interfaceByName, RouteSocket, type NetworkInterface } from '../netlink/index.ts';
import { withNetworkNamespace, type NetworkNamespace } from '../sys/index.ts';

/** A network interface, and where it is. */
export interface InterfaceOptions {
  /** Name, alternative name or index of a network interface. */
  readonly interface: string | number;
  /** The namespace that the interface is in. @default the current one */
  readonly netns?: NetworkNamespace;
}

/** Runs an action where the interface is; without a namespace right here. */
export function inNamespace<Result>(netns: NetworkNamespace | undefined, action: () => Result): Result {
  return netns ? withNetworkNamespace(netns, action) : action();
}

/** Looks an interface up in the namespace that the thread is in. @throws NotFoundError (INTERFACE_NOT_FOUND) */
export function findInterface(socket: RouteSocket, reference: string | number): NetworkInterface {
  return typeof reference === 'number'
    ? interfaceByIndex(socket, reference)
    : interfaceByName(socket, reference);
}

/** Runs an action with the interface in its namespace. @throws NotFoundError (INTERFACE_NOT_FOUND) */
export function withInterface<Result>(
  options: InterfaceOptions,
  action: (device: NetworkInterface) => Result,
): Result {
  return inNamespace(options.netns, () => {
    const socket = RouteSocket.open();
    let device: NetworkInterface;
    try {
      device = findInterface(socket, options.interface);
    } finally {
      socket.close();
    }
    return action(device);
  });
}
