import type { CommandDeclaration } from '../command.ts';
import { parseDuration, parseNumberUpTo } from '../parse-option.ts';

/** `ts-xdp mirror` */
export const mirrorCommand: CommandDeclaration = {
  name: 'mirror',
  summary: 'copy whole frames of an interface into a tunnel to other hosts',
  options: [
    { flags: '--iface <name>', description: 'mirror this network interface', repeatable: true },
    {
      flags: '--remote <address>',
      description: 'send copies to this host, IPv4 or IPv6, through a VXLAN device made for it',
      repeatable: true,
    },
    {
      flags: '--device <name>',
      description: 'send copies through this tunnel device, which is there, instead',
      repeatable: true,
    },
    {
      flags: '--vni <n>',
      description: 'VXLAN network identifier (default: 42)',
      parse: (text) => parseNumberUpTo(text, { least: 0, most: 0xff_ffff, what: 'VNI' }),
    },
    {
      flags: '--port <n>',
      description: 'UDP port of the tunnel (default: 4789)',
      parse: (text) => parseNumberUpTo(text, { least: 1, most: 0xffff, what: 'port' }),
    },
    {
      flags: '--direction <which>',
      description: 'what is mirrored: what the interface receives, sends, or both (default: both)',
      choices: ['ingress', 'egress', 'both'],
    },
    {
      flags: '--only <rule>',
      description:
        'mirror what a rule takes: arp, ip, ip6, icmp, icmp6, tcp, udp, sctp, ether=N, proto=N, port=N, host=ADDRESS[/BITS], joined by commas; of several one is enough',
      repeatable: true,
    },
    { flags: '--netns <name|pid|path>', description: 'the network namespace of interfaces and tunnel' },
    {
      flags: '--via <kind>',
      description:
        'attach by tcx (link) or by a clsact qdisc (netlink) (default: link where the kernel has it)',
      choices: ['link', 'netlink'],
    },
    {
      flags: '--pin <directory>',
      description: 'pin the statistics there (default: /sys/fs/bpf/ts-xdp-mirror-PID)',
    },
    {
      flags: '--stats <time>',
      description: 'how often statistics are shown: 10, 500ms, 5s, 2m (default: 10)',
      parse: parseDuration,
    },
    { flags: '--duration <time>', description: 'end after this time: 500ms, 5s, 2m', parse: parseDuration },
  ],
  examples: [
    'ts-xdp mirror --iface eth0 --remote 192.0.2.1',
    'ts-xdp mirror --iface eth0 --remote 192.0.2.1 --remote 2001:db8::1 --vni 7 --direction ingress',
    'ts-xdp mirror --iface eth0 --remote 192.0.2.1 --only tcp,port=443 --only arp',
    'ts-xdp mirror --iface eth0 --device gretap1 --json',
  ],
  load: async () => {
    const { runMirror } = await import('../mirror/run.ts');
    return ({ options }, output) => runMirror(options as unknown as Parameters<typeof runMirror>[0], output);
  },
};
