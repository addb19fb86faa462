import type { CommandGroup } from '../command.ts';

const PLACES = 'xdp, xdpgeneric, xdpdrv, xdpoffload, tcx_ingress or tcx_egress';

/** `ts-xdp net` */
export const netCommands: CommandGroup = {
  name: 'net',
  summary: 'show, attach and detach the programs of network interfaces',
  commands: [
    {
      name: 'show',
      aliases: ['list'],
      summary:
        'list what is attached to interfaces (XDP, tc, tcx, netkit), flow dissectors and netfilter programs',
      arguments: [{ name: '[words...]', description: 'dev and an interface; all without it' }],
      examples: ['ts-xdp net show', 'ts-xdp net show dev eth0 --json'],
      load: async () => {
        const { runNetShow } = await import('../net/show.ts');
        return ({ arguments: [words] }, output) => runNetShow(words as string[], output);
      },
    },
    {
      name: 'attach',
      summary: 'attach a program so that it stays until it is detached',
      arguments: [
        { name: '<words...>', description: `${PLACES}, a program, dev and an interface; then overwrite` },
      ],
      examples: ['ts-xdp net attach xdpdrv name my_xdp dev eth0 overwrite'],
      load: async () => {
        const { runNetAttach } = await import('../net/attach.ts');
        return ({ arguments: [words] }, output) => runNetAttach(words as string[], output);
      },
    },
    {
      name: 'detach',
      summary: 'take a program off that is attached without a link',
      arguments: [{ name: '<words...>', description: `${PLACES}, dev and an interface` }],
      examples: ['ts-xdp net detach xdp dev eth0'],
      load: async () => {
        const { runNetDetach } = await import('../net/attach.ts');
        return ({ arguments: [words] }, output) => runNetDetach(words as string[], output);
      },
    },
  ],
};
