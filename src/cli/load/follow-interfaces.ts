import { inNamespace } from '../../link/index.ts';
import {
  listAddresses,
  listInterfaces,
  parseIpAddress,
  RouteSocket,
  watchRoute,
  type NetworkInterface,
  type RouteEvent,
  type RouteWatch,
} from '../../netlink/index.ts';
import type { SnifferMaps } from '../../sniffer/index.ts';
import type { NetworkNamespace } from '../../sys/index.ts';
import type { Output } from '../output/output.ts';
import type { FoundInterface } from './interfaces.ts';

interface FollowContext {
  readonly targets: readonly FoundInterface[];
  readonly netns: NetworkNamespace | undefined;
  readonly maps: SnifferMaps | undefined;
  readonly output: Output;
}

/**
 * Follows what happens to the interfaces while programs are attached: renamed, down, up, deleted. Deleted ones are
 * forgotten. The callback hears of every notification about the others, which may be of a program that somebody took off.
 * Keeps the sniffer's local addresses current.
 */
export function followInterfaces(context: FollowContext, onChange: () => void): RouteWatch {
  const follower = new Follower(context, onChange);
  const { netns } = context;
  const watch = watchRoute(
    { groups: ['link', 'ipv4-address', 'ipv6-address'], ...(netns && { netns }) },
    (event) => {
      follower.handle(event);
    },
  );
  try {
    // What changed between the command's first look and the beginning of the watch.
    follower.lookAgain();
    return watch;
  } catch (error) {
    watch.close();
    throw error;
  }
}

/** What was last said of an interface. */
interface State {
  name: string;
  up: boolean;
}

class Follower {
  readonly #context: FollowContext;
  readonly #onChange: () => void;
  readonly #states: Map<number, State>;

  constructor(context: FollowContext, onChange: () => void) {
    this.#context = context;
    this.#onChange = onChange;
    this.#states = new Map(context.targets.map(({ index, name, up }) => [index, { name, up }]));
  }

  handle(event: RouteEvent): void {
    const { maps } = this.#context;
    if (event.type === 'address') maps?.addLocalAddress(parseIpAddress(event.address.address));
    else if (event.type === 'address-removed') this.#removeAddress(event.address.address);
    else if (event.type === 'overflow') this.lookAgain();
    else if (event.type === 'link-removed') this.#removed(event.interface.index);
    else this.#changed(event.interface);
  }

  /** Takes the state of now for what it was not told of. */
  lookAgain(): void {
    const { maps, netns } = this.#context;
    const { interfaces, addresses } = look(netns);
    for (const address of addresses) maps?.addLocalAddress(parseIpAddress(address));
    for (const index of [...this.#states.keys()]) {
      const found = interfaces.find((one) => one.index === index);
      if (found) this.#changed(found);
      else this.#removed(index);
    }
  }

  /** Another interface may have the same address. */
  #removeAddress(address: string): void {
    const { maps, netns } = this.#context;
    if (maps && !look(netns).addresses.includes(address)) maps.removeLocalAddress(parseIpAddress(address));
  }

  #removed(index: number): void {
    const state = this.#states.get(index);
    if (!state) return;
    this.#states.delete(index);
    this.#context.maps?.removeInterface(index);
    const { name } = state;
    this.#say({ change: 'removed', name, index, text: `${name} is gone` });
    this.#onChange();
  }

  #changed({ index, name, up }: NetworkInterface): void {
    const state = this.#states.get(index);
    if (!state) return;
    if (name !== state.name) {
      this.#say({ change: 'renamed', name, index, text: `${state.name} is called ${name} now` });
      state.name = name;
      this.#context.maps?.setName(index, name);
    }
    if (up !== state.up) {
      this.#say({ change: up ? 'up' : 'down', name, index, text: `${name} is ${up ? 'up' : 'down'}` });
      state.up = up;
    }
    this.#onChange();
  }

  #say({ change, name, index, text }: { change: string; name: string; index: number; text: string }): void {
    const { output } = this.#context;
    output.note(`note: ${text}`);
    if (!output.json) return;
    output.stream({
      json: () => ({ type: 'interface', change, target: name, ifindex: index }),
      text: () => '',
    });
  }
}

function look(netns: NetworkNamespace | undefined): {
  interfaces: NetworkInterface[];
  addresses: string[];
} {
  return inNamespace(netns, () => {
    const socket = RouteSocket.open();
    try {
      const addresses = listAddresses(socket).map(({ address }) => address);
      return { interfaces: listInterfaces(socket), addresses };
    } finally {
      socket.close();
    }
  });
}
