/**
 * A firewall: drops what comes from the networks of a blocklist, which is a trie of longest prefixes. Reads commands
 * until its input ends, and is gone then.
 *
 *     firewall.ts eth0
 *     block 192.0.2.0/24
 *     allow 192.0.2.0/24
 *     list
 */
import { isIPv4 } from 'node:net';
import { createInterface } from 'node:readline';
import { attachXdp } from 'ts-xdp';
import { load, type Network } from './bpf/firewall.ts';
import { firstArgument } from './lib/interrupted.ts';

/** `192.0.2.0/24`, or one address. */
function parseNetwork(text: string): Network {
  const [address = '', length = '32'] = text.split('/');
  if (!isIPv4(address) || !/^\d+$/.test(length) || Number(length) > 32)
    throw new Error(`${text} is no IPv4 network`);
  return { prefix_length: Number(length), address: Uint8Array.from(address.split('.'), Number) };
}

function format({ prefix_length: length, address }: Network): string {
  return `${address.join('.')}/${length}`;
}

const device = firstArgument('firewall.ts INTERFACE');
using firewall = load();
const { blocklist } = firewall.maps;
using attachment = attachXdp(firewall.programs.firewall, { interface: device });
console.log(`guarding ${device} in ${attachment.mode} mode`);

const commands: Readonly<Record<string, (argument: string) => void>> = {
  block(argument) {
    blocklist.set(parseNetwork(argument), { dropped: 0n });
    console.log(`blocked ${argument}`);
  },
  allow(argument) {
    const found = blocklist.delete(parseNetwork(argument));
    console.log(found ? `allowed ${argument}` : `${argument} was not blocked`);
  },
  list() {
    for (const [network, { dropped }] of blocklist)
      console.log(`${format(network)} dropped ${dropped.toString()}`);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name = '', argument = ''] = line.trim().split(/\s+/);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  try {
    if (command) command(argument);
    else console.error('commands: block NETWORK, allow NETWORK, list');
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
  }
}
