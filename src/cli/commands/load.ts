import type { CommandDeclaration } from '../command.ts';
import {
  parseAssignment,
  parseCount,
  parseDuration,
  parseExistingMap,
  parseList,
  parseMapAssignment,
  parsePriority,
  parseProcessId,
} from '../parse-option.ts';

/** `ts-xdp load` */
export const loadCommand: CommandDeclaration = {
  name: 'load',
  summary: 'load an object, attach its programs and stream its events',
  arguments: [
    {
      name: '<object>',
      description: 'a BPF object built by clang, or the name of one that comes with ts-xdp',
    },
  ],
  options: [
    { flags: '--iface <name>', description: 'attach to this network interface', repeatable: true },
    {
      flags: '--cgroup <path>',
      description: 'attach cgroup programs here: a directory, or a path below the root of cgroup v2',
    },
    {
      flags: '--pid <n>',
      description: 'attach uprobes, USDT probes, perf events and iterators to this process only',
      parse: parseProcessId,
    },
    {
      flags: '--target <target>',
      description:
        'what to attach to, where the section does not say: a function, PATH:FUNCTION, ingress, …; PROGRAM=TARGET for one of several',
      repeatable: true,
    },
    {
      flags: '--prog <name>',
      description: 'a program to attach (default: every one whose section says how, and one XDP program)',
      repeatable: true,
    },
    {
      flags: '--mode <list>',
      description: 'XDP modes to try in order: native, generic, offload (default: native,generic)',
      parse: (text) => parseList(text, ['native', 'generic', 'offload']),
    },
    {
      flags: '--via <kind>',
      description:
        'how XDP and tc programs are held: link goes with this process, netlink stays until detached',
      choices: ['link', 'netlink'],
    },
    { flags: '--replace', description: 'take the place of the XDP program that is attached now' },
    {
      flags: '--multi',
      description:
        'attach every XDP program, beside those of others, through a dispatcher as xdp-loader does',
    },
    {
      flags: '--priority <n>',
      description: 'with --multi: lower runs earlier (default: what the object says, otherwise 50)',
      parse: parsePriority,
    },
    { flags: '--netns <name|pid|path>', description: 'the network namespace of the interfaces' },
    {
      flags: '--event <map=struct>',
      description: 'the struct that a ring buffer carries, where the object does not say',
      repeatable: true,
      parse: parseAssignment,
    },
    { flags: '--count <n>', description: 'end after this many events', parse: parseCount },
    { flags: '--duration <time>', description: 'end after this time: 500ms, 5s, 2m', parse: parseDuration },
    {
      flags: '--detach',
      description:
        'leave it attached and return at once; pins to /sys/fs/bpf/OBJECT without --pin, unless all of it is held by --via netlink or --multi',
    },
    {
      flags: '--set <map[key]=value>',
      description: 'write a map entry, typed by the map, before attaching',
      repeatable: true,
      parse: parseMapAssignment,
    },
    {
      flags: '--var <name=value>',
      description: 'set a global variable, typed by the object, before loading',
      repeatable: true,
      parse: parseAssignment,
    },
    {
      flags: '--map <name=pin>',
      description: 'use a map that exists for one of the object: NAME=PATH of its pin, or NAME=id:NUMBER',
      repeatable: true,
      parse: parseExistingMap,
    },
    {
      flags: '--pin-root <dir>',
      description: 'where maps that the object pins by name are shared (default: /sys/fs/bpf)',
    },
    { flags: '--pin <dir>', description: 'pin links, programs and maps into this new directory of a bpffs' },
    { flags: '--config <file>', description: 'a sniffer configuration in JSON; changes take effect at once' },
    { flags: '--trace', description: 'show the output of bpf_printk too' },
    {
      flags: '--protobuf <file>',
      description: "write the sniffer's events as length-delimited protobuf; - is standard output",
    },
  ],
  examples: [
    'ts-xdp load sniffer.bpf.o --iface eth0',
    'ts-xdp load sniffer.bpf.o --iface eth0 --set "excluded_ports[22]=1" --json',
    'ts-xdp load mine.bpf.o --iface eth0 --map counters=/sys/fs/bpf/counters',
    'ts-xdp load filters.bpf.o --iface eth0 --multi --priority 10',
    'ts-xdp load trace.bpf.o --json',
    'ts-xdp load profile.bpf.o --target cpu-clock/freq=99/',
    'ts-xdp load filter.bpf.o --iface eth0 --prog count --target egress',
    'ts-xdp load policy.bpf.o --cgroup /system.slice/web.service',
    'ts-xdp load mine.bpf.o --iface eth0 --event events=my_event --duration 10s',
  ],
  object: ({ arguments: [object] }) => object as string,
  silent: ({ options }) => options['protobuf'] === '-',
  load: async () => (await import('../load/run.ts')).runLoad,
};
