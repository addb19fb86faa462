import type { CommandDeclaration } from '../command.ts';

/** `ts-xdp unload` */
export const unloadCommand: CommandDeclaration = {
  name: 'unload',
  summary: 'detach XDP programs from interfaces, whoever attached them, or remove a directory of pins',
  arguments: [{ name: '[directory]', description: 'a directory that load --pin made' }],
  options: [
    { flags: '--iface <name>', description: 'detach every XDP program of this interface', repeatable: true },
    { flags: '--netns <name|pid>', description: 'the network namespace of the interfaces' },
  ],
  examples: ['ts-xdp unload --iface eth0', 'ts-xdp unload /sys/fs/bpf/sniffer'],
  load: async () => (await import('../unload/run.ts')).runUnload,
};
