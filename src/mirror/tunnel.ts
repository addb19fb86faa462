import { AttachError, NetlinkError, UnsupportedFeatureError } from '../errors.ts';
import {
  createVxlan,
  deleteInterface,
  setInterface,
  tryInterfaceByIndex,
  tryInterfaceByName,
  type NetworkInterface,
  type RouteSocket,
} from '../netlink/index.ts';

/** What VXLAN puts before a frame: Ethernet header of the frame itself, VXLAN, UDP and IP header. */
export const OVERHEAD = { ipv4: 50, ipv6: 70 } as const;

/** Named by the port: the kernel allows one such device for a port. */
function tunnelName(port: number): string {
  return `mirror${String(port)}`;
}

/** The VXLAN device of a mirror, which goes with it. */
export class Tunnel {
  readonly device: NetworkInterface;
  readonly #port: number;
  /** The mirror's own, opened in the interfaces' namespace; stays open longer than this. */
  readonly #socket: RouteSocket;

  private constructor(socket: RouteSocket, { device, port }: { device: NetworkInterface; port: number }) {
    this.#socket = socket;
    this.device = device;
    this.#port = port;
  }

  /** Makes the device, down. @throws AttachError, UnsupportedFeatureError, NetlinkError, PermissionError */
  static create(socket: RouteSocket, port: number): Tunnel {
    const name = tunnelName(port);
    if (tryInterfaceByName(socket, name)) {
      throw new AttachError(
        'ALREADY_ATTACHED',
        name,
        `Cannot create the tunnel device ${name}: an interface of that name is there`,
        {
          hint: `a mirror runs, or one was killed: end it, remove what it left with "ip link delete ${name}", or choose another port`,
        },
      );
    }
    try {
      return new Tunnel(socket, { device: createVxlan(socket, { name, port }), port });
    } catch (error) {
      throw explain(error, { name, port });
    }
  }

  /** The port is taken now. @throws AttachError, NetlinkError */
  raise(): void {
    const { index, name } = this.device;
    try {
      setInterface(this.#socket, { index, name, change: { up: true } });
    } catch (error) {
      throw explain(error, { name, port: this.#port });
    }
  }

  /** Removes the device, unless somebody else has. */
  close(): void {
    const { index, name } = this.device;
    if (tryInterfaceByIndex(this.#socket, index)?.name !== name) return;
    deleteInterface(this.#socket, { index, name });
  }
}

function explain(error: unknown, { name, port }: { name: string; port: number }): unknown {
  if (!(error instanceof NetlinkError)) return error;
  const { errnoName } = error;
  if (errnoName === 'EEXIST' || errnoName === 'EADDRINUSE') {
    return new AttachError(
      'ATTACH_REFUSED',
      name,
      `Cannot create the tunnel device ${name}: port ${String(port)} belongs to another VXLAN device or a socket`,
      { hint: 'choose another port, or send through a device that is there', cause: error },
    );
  }
  if (errnoName === 'EOPNOTSUPP') {
    return new UnsupportedFeatureError(
      'VXLAN',
      '4.3',
      `Cannot create the tunnel device ${name}: this kernel has no VXLAN`,
      { hint: 'load its module, vxlan, or send through a device of another kind', cause: error },
    );
  }
  return error;
}
