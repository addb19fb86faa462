/**
 * A shortcut for TCP between the processes of a cgroup: what one socket sends is put into the queue of the other, past
 * the TCP stack.
 *
 *     sockmap.ts /system.slice
 */
import { setTimeout } from 'node:timers/promises';
import { attachCgroup, attachSockmap } from 'ts-xdp';
import { load } from './bpf/sockmap.ts';
import { firstArgument, interrupted } from './lib/interrupted.ts';

const cgroup = firstArgument('sockmap.ts CGROUP');
using shortcut = load();
const { programs, maps, variables } = shortcut;
// First what sends messages on, then what brings sockets into the map: one that is there is served from its first byte.
using _redirecting = attachSockmap(programs.send_to_peer, { map: maps.sockets.map, via: 'prog_attach' });
using _remembering = attachCgroup(programs.remember_socket, { cgroup });
const signal = interrupted();
console.log(`shortcutting connections within ${cgroup}, Ctrl-C ends it`);

await setTimeout(2 ** 31 - 1, undefined, { signal }).catch((error: unknown) => {
  if (!signal.aborted) throw error;
});
console.log(`${String(variables.connections.get())} connections`);
console.log(`${String(variables.redirected_messages.get())} messages redirected`);
console.log(`${String(variables.redirected_bytes.get())} bytes redirected`);
