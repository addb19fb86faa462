import type { CommandDeclaration } from '../command.ts';
import { parseId } from '../parse-option.ts';

/** `ts-xdp unload` */
export const unloadCommand: CommandDeclaration = {
  name: 'unload',
  summary:
    'detach XDP programs from interfaces, whoever attached them, remove a directory of pins, or take away what holds a program, map or link',
  arguments: [
    { name: '[directory]', description: 'a directory that load --pin made; or prog, map or link' },
    {
      name: '[selector...]',
      description: 'the program, map or link: id ID, name NAME, tag TAG, pinned PATH, or one of these alone',
    },
  ],
  options: [
    { flags: '--iface <name>', description: 'detach every XDP program of this interface', repeatable: true },
    { flags: '--prog <name>', description: 'only the program of this name' },
    { flags: '--id <n>', description: 'only the program of this id', parse: parseId },
    { flags: '--netns <name|pid|path>', description: 'the network namespace of the interfaces' },
  ],
  examples: [
    'ts-xdp unload --iface eth0',
    'ts-xdp unload --iface eth0 --prog count',
    'ts-xdp unload /sys/fs/bpf/sniffer',
    'ts-xdp unload prog 41',
  ],
  load: async () => (await import('../unload/run.ts')).runUnload,
};
