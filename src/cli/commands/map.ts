import { parseCount, parseDuration } from '../parse-option.ts';
import type { ArgumentDeclaration, CommandDeclaration, CommandGroup } from '../command.ts';

const MAP = 'id ID, name NAME, pinned PATH, or one of these alone';
const DATA =
  'a value by its type (443, 10.0.0.1, port=443,proto=TCP, JSON), or bytes as bpftool takes them (1 0 0 0, hex 01 00)';

/** The words of a command as they stand on the command line, in bpftool's order. */
function wordsOf(description: string, { optional = false } = {}): readonly ArgumentDeclaration[] {
  return [{ name: optional ? '[words...]' : '<words...>', description }];
}

type Run = (
  words: readonly string[],
  output: Parameters<Awaited<ReturnType<CommandDeclaration['load']>>>[1],
) => Promise<number>;

/** Only the command that was chosen is imported. */
function loader(importRun: () => Promise<Run>): CommandDeclaration['load'] {
  return async () => {
    const run = await importRun();
    return ({ arguments: [words] }, output) => run((words ?? []) as readonly string[], output);
  };
}

/** `ts-xdp map` */
export const mapCommands: CommandGroup = {
  name: 'map',
  summary: 'show, create, read and change maps of the kernel, whoever made them',
  commands: [
    {
      name: 'show',
      aliases: ['list'],
      summary: 'list all maps, or one',
      arguments: wordsOf(MAP, { optional: true }),
      options: [
        { flags: '-f, --bpffs', description: 'say where they are pinned' },
        { flags: '--pids', description: 'say which processes have descriptors of them' },
      ],
      examples: ['ts-xdp map show', 'ts-xdp map show name flows --json', 'ts-xdp map list --pids'],
      load: async () => {
        const { showMaps } = await import('../map/show.ts');
        return ({ arguments: [words], options }, output) => showMaps(words as string[], options, output);
      },
    },
    {
      name: 'create',
      summary: 'create a map and pin it',
      arguments: wordsOf(
        'PATH type TYPE key BYTES value BYTES entries NUMBER name NAME [flags NUMBER] [extra NUMBER] [inner_map MAP] [dev INTERFACE]',
      ),
      examples: ['ts-xdp map create /sys/fs/bpf/blocked type hash key 4 value 8 entries 1024 name blocked'],
      load: loader(async () => (await import('../map/create.ts')).createPinnedMap),
    },
    {
      name: 'dump',
      summary: 'print all entries',
      arguments: wordsOf(MAP),
      examples: ['ts-xdp map dump flows', 'ts-xdp map dump id 12 --json'],
      load: loader(async () => (await import('../map/read.ts')).dumpMap),
    },
    {
      name: 'lookup',
      summary: 'print the entry of a key',
      arguments: wordsOf(`MAP key DATA. DATA is ${DATA}`),
      examples: ['ts-xdp map lookup excluded_ports key 443', 'ts-xdp map lookup routes key 10.1.2.3/32'],
      load: loader(async () => (await import('../map/read.ts')).lookUp),
    },
    {
      name: 'update',
      summary: 'write an entry',
      arguments: wordsOf(
        `MAP key DATA value DATA [any|exist|noexist]. DATA is ${DATA}; of a map of maps or programs, the value is MAP or the id, name, tag or pin of a program; one value is written for every CPU, a JSON list one for each`,
      ),
      examples: [
        'ts-xdp map update excluded_ports key 443 value 1',
        'ts-xdp map update pinned /sys/fs/bpf/blocked key 10.0.0.1 value 1 noexist',
      ],
      load: loader(async () => (await import('../map/change.ts')).updateMap),
    },
    {
      name: 'delete',
      summary: 'remove the entry of a key',
      arguments: wordsOf(`MAP key DATA. DATA is ${DATA}`),
      load: loader(async () => (await import('../map/change.ts')).deleteKey),
    },
    {
      name: 'getnext',
      aliases: ['next'],
      summary: 'print the key that follows another, or the first',
      arguments: wordsOf(`MAP [key DATA]. DATA is ${DATA}`),
      load: loader(async () => (await import('../map/read.ts')).nextKey),
    },
    {
      name: 'push',
      aliases: ['enqueue'],
      summary: 'add a value to a queue or a stack',
      arguments: wordsOf(`MAP value DATA. DATA is ${DATA}`),
      load: loader(async () => (await import('../map/queue.ts')).pushValue),
    },
    {
      name: 'pop',
      aliases: ['dequeue'],
      summary: 'remove the next value of a queue or a stack and print it',
      arguments: wordsOf(MAP),
      load: loader(async () => (await import('../map/queue.ts')).popValue),
    },
    {
      name: 'peek',
      summary: 'print the next value of a queue or a stack',
      arguments: wordsOf(MAP),
      load: loader(async () => (await import('../map/queue.ts')).peekValue),
    },
    {
      name: 'freeze',
      summary: 'make a map read-only for user space, for good',
      arguments: wordsOf(MAP),
      load: loader(async () => (await import('../map/change.ts')).freezeMap),
    },
    {
      name: 'pin',
      summary: 'put a map into a bpf file system',
      arguments: wordsOf('MAP PATH'),
      load: loader(async () => (await import('../map/change.ts')).pinMap),
    },
    {
      name: 'events',
      summary: 'follow the events of a ring buffer or a perf event array, whoever made it',
      arguments: wordsOf(MAP),
      options: [
        {
          flags: '--event <struct>',
          description:
            'the struct of the events, of the types of the programs that use the map; by default what they anchor with TS_XDP_EVENT',
        },
        { flags: '--count <n>', description: 'end after as many events', parse: parseCount },
        { flags: '--duration <time>', description: 'end after 500ms, 5s, 2m, 1h', parse: parseDuration },
      ],
      examples: ['ts-xdp map events name events --event my_event --json'],
      load: async () => {
        const { followEvents } = await import('../map/events.ts');
        return ({ arguments: [words], options }, output) =>
          followEvents(words as readonly string[], options, output);
      },
    },
  ],
};
