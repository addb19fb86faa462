import type { CommandDeclaration } from '../command.ts';
import { parseCount, parseDuration, parseList } from '../parse-option.ts';

/** `ts-xdp monitor` */
export const monitorCommand: CommandDeclaration = {
  name: 'monitor',
  summary: 'count the packets that arrive on an interface, by protocol, and show them',
  options: [
    {
      flags: '--iface <name>',
      description: 'watch this network interface; lo where none is named',
      repeatable: true,
    },
    {
      flags: '--mode <list>',
      description: 'XDP modes to try in order: native, generic, offload (default: native,generic)',
      parse: (text) => parseList(text, ['native', 'generic', 'offload']),
    },
    { flags: '--netns <name|pid|path>', description: 'the network namespace of the interfaces' },
    {
      flags: '-v, --verbose',
      description: 'show each packet, and the whole verifier log; with --json packets are always shown',
    },
    {
      flags: '--stats <time>',
      description: 'how often statistics are shown: 10, 500ms, 5s, 2m (default: 10)',
      parse: parseDuration,
    },
    { flags: '--count <n>', description: 'end after this many packets', parse: parseCount },
    { flags: '--duration <time>', description: 'end after this time: 500ms, 5s, 2m', parse: parseDuration },
  ],
  examples: [
    'ts-xdp monitor --verbose',
    'ts-xdp monitor --iface eth0 --stats 5',
    'ts-xdp monitor --iface eth0 --count 100 --json',
  ],
  load: async () => {
    const { runMonitor } = await import('../monitor/run.ts');
    return ({ options }, output) =>
      runMonitor(options as unknown as Parameters<typeof runMonitor>[0], output);
  },
};
