import type { CommandGroup, CommandInput } from '../command.ts';
import type { Output } from '../output/output.ts';
import { parseDuration } from '../parse-option.ts';

const PROG = 'a program: id ID, name NAME, tag TAG, pinned PATH, or one of these without the word before it';

/** `ts-xdp prog` */
export const progCommands: CommandGroup = {
  name: 'prog',
  summary: 'show, dump, run, load and pin the programs in the kernel',
  commands: [
    {
      name: 'show',
      aliases: ['list'],
      summary: 'list the programs in the kernel, or say what one is',
      arguments: [{ name: '[program...]', description: `${PROG}; all without it` }],
      options: [
        { flags: '-f, --bpffs', description: 'say where they are pinned' },
        { flags: '--pids', description: 'say which processes have descriptors of them' },
      ],
      examples: ['ts-xdp prog show', 'ts-xdp prog show name my_xdp --pids', 'ts-xdp prog list --json -f'],
      load: async () => {
        const { runProgShow } = await import('../prog/show.ts');
        return ({ arguments: [words], options }, output) => runProgShow(words as string[], options, output);
      },
    },
    {
      name: 'dump',
      summary: 'print the instructions of programs, or their machine code',
      arguments: [
        {
          name: '<words...>',
          description: `xlated or jited, ${PROG}; then file FILE (bytes to a file), opcodes (bytes beside the text), linum (file and line beside the source)`,
        },
      ],
      examples: ['ts-xdp prog dump xlated my_xdp linum', 'ts-xdp prog dump jited id 7 file /tmp/code'],
      load: async () => {
        const { runProgDump } = await import('../prog/dump.ts');
        return ({ arguments: [words] }, output) => runProgDump(words as string[], output);
      },
    },
    {
      name: 'pin',
      summary: 'pin a program in a bpf file system',
      arguments: [{ name: '<words...>', description: `${PROG}; then the path` }],
      examples: ['ts-xdp prog pin my_xdp /sys/fs/bpf/my_xdp'],
      load: async () => {
        const { runProgPin } = await import('../prog/pin.ts');
        return ({ arguments: [words] }, output) => runProgPin(words as string[], output);
      },
    },
    {
      name: 'run',
      summary: 'run a program on given data, without any event',
      arguments: [
        {
          name: '<words...>',
          description: `${PROG}; then data_in FILE, data_out FILE, data_size_out BYTES, ctx_in FILE, ctx_out FILE, ctx_size_out BYTES, repeat N; - is standard input or output`,
        },
      ],
      examples: ['ts-xdp prog run my_xdp data_in packet.bin data_out - repeat 1000'],
      load: async () => {
        const { runProgRun } = await import('../prog/run.ts');
        return ({ arguments: [words] }, output) => runProgRun(words as string[], output);
      },
    },
    {
      name: 'stats',
      summary: 'count the runs of programs and their time while it runs',
      arguments: [{ name: '[program...]', description: `${PROG}; all without it` }],
      options: [
        {
          flags: '--duration <time>',
          description: 'how long: 500ms, 5s; without it until a signal',
          parse: parseDuration,
        },
      ],
      examples: ['ts-xdp prog stats my_xdp --duration 10s'],
      load: async () => {
        const { runProgStats } = await import('../prog/stats.ts');
        return ({ arguments: [words], options }, output) => runProgStats(words as string[], options, output);
      },
    },
    {
      name: 'metadata',
      summary: 'print the variables bpf_metadata_* of programs',
      arguments: [{ name: '<program...>', description: PROG }],
      load: async () => {
        const { runProgMetadata } = await import('../prog/metadata.ts');
        return ({ arguments: [words] }, output) => runProgMetadata(words as string[], output);
      },
    },
    ...(['load', 'loadall'] as const).map((name) => ({
      name,
      summary:
        name === 'load'
          ? 'load an object and pin its first program'
          : 'load an object and pin every program below a directory',
      arguments: [
        {
          name: '<words...>',
          description:
            'an object and a path in a bpf file system; then type TYPE (as a section says it), map name NAME MAP, autoattach (pin the link), pinmaps DIR',
        },
      ],
      examples: [`ts-xdp prog ${name} mine.bpf.o /sys/fs/bpf/mine pinmaps /sys/fs/bpf/maps`],
      object: ({ arguments: [words] }: CommandInput) => (words as string[])[0],
      load: async () => {
        const { runProgLoad } = await import('../prog/load.ts');
        return ({ arguments: [words] }: CommandInput, output: Output) =>
          runProgLoad(words as string[], { all: name === 'loadall' }, output);
      },
    })),
  ],
};
