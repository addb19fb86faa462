/** What `ts-xdp load` says where the kernel or the machine refuses, and that nothing of it stays behind. */
import { mkdirSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { Cli, notRoot, projectRoot, runCli, STACK } from '../helpers/cli.ts';
import type { CliResult } from '../helpers/cli.ts';
import { BpfFileSystem, leftObjects, xdpState } from '../helpers/kernel-objects.ts';
import { noClang, ObjectFolder, uniqueTag } from '../helpers/object-source.ts';
import { VethPair } from '../helpers/veth.ts';

const skip = notRoot || noClang;
const sniffer = join(projectRoot, 'bpf/sniffer.bpf.o');

interface Place {
  readonly pair: VethPair;
  readonly netns: string;
  readonly device: string;
  readonly tag: string;
  readonly object: string;
  readonly folder: ObjectFolder;
}

/** An interface in a namespace of its own and an object whose names are nobody else's. */
async function inPlace(action: (place: Place) => Promise<void>, defines: Record<string, string> = {}): Promise<void> {
  const folder = new ObjectFolder();
  const pair = VethPair.open();
  try {
    const tag = uniqueTag();
    const object = folder.compile('variants', { name: `${tag}_x`, defines: { TAG: tag, ...defines } });
    const netns = String(pair.namespaceName);
    await action({ pair, netns, device: pair.receiver.name, tag, object, folder });
  } finally {
    pair.close();
    folder.close();
  }
}

function errorOf(result: CliResult): Record<string, unknown> {
  const [line, ...more] = result.lines;
  if (line?.error === undefined || more.length > 0) throw new Error(`No single error but ${result.stdout}`);
  return line.error;
}

async function nothingLeft(t: Test, { tag, device, netns }: Place): Promise<void> {
  t.same(await leftObjects(tag), [], 'no program and no map is left');
  t.equal(xdpState(device, netns).programId, undefined, 'nothing is attached');
}

interface Row {
  name: string;
  args: (place: Place) => string[];
  defines?: Record<string, string>;
  exit?: number;
  error: (place: Place) => Record<string, unknown>;
}

const here = ({ object, device, netns }: Place): string[] => [object, '--iface', device, '--netns', netns];

const rows: readonly Row[] = [
  {
    name: 'no such interface',
    args: ({ object, netns }) => [object, '--iface', 'nonesuch0', '--netns', netns],
    error: ({ device, pair }) => ({
      code: 'INTERFACE_NOT_FOUND',
      message: 'Cannot find interface nonesuch0: there is none of that name',
      hint: `The interfaces here are lo, ${pair.sender.name}, ${device}.`,
      subject: 'nonesuch0',
      available: ['lo', pair.sender.name, device],
    }),
  },
  {
    name: 'no such network namespace',
    args: ({ object, device }) => [object, '--iface', device, '--netns', 'nonesuch'],
    error: () => ({
      code: 'NETNS_NOT_FOUND',
      message: 'Cannot open network namespace nonesuch: there is none of that name or process id',
      hint: 'List the named ones with "ip netns list".',
      subject: 'nonesuch',
    }),
  },
  {
    name: 'the second interface is none: the first is not even tried',
    args: (place) => [...here(place), '--iface', 'nonesuch1'],
    error: ({ device, pair }) => ({
      code: 'INTERFACE_NOT_FOUND',
      message: 'Cannot find interface nonesuch1: there is none of that name',
      hint: `The interfaces here are lo, ${pair.sender.name}, ${device}.`,
      subject: 'nonesuch1',
      available: ['lo', pair.sender.name, device],
    }),
  },
  {
    name: 'an unknown map in --set',
    args: (place) => [...here(place), '--set', 'ports[22]=1'],
    error: ({ tag }) => ({
      code: 'MAP_NOT_FOUND',
      message: 'Cannot find map ports: the object has none of that name',
      hint: `the object has: ${tag}_rules, ${tag}_sums, .rodata`,
      subject: 'ports',
    }),
  },
  {
    name: 'a value that does not fit in --set',
    args: (place) => [...here(place), '--set', `${place.tag}_rules[address=1,port=2]=65536`],
    error: () => ({ code: 'VALUE_INVALID' }),
  },
  {
    name: 'a key field that does not fit in --set',
    args: (place) => [...here(place), '--set', `${place.tag}_rules[{"address":1,"port":-1}]=1`],
    error: () => ({ code: 'VALUE_INVALID' }),
  },
  {
    name: 'a key with an unknown field in --set',
    args: (place) => [...here(place), '--set', `${place.tag}_rules[adress=1]=1`],
    error: () => ({ code: 'VALUE_INVALID' }),
  },
  {
    name: 'a key beyond the end of an array in --set',
    args: (place) => [...here(place), '--set', `${place.tag}_sums[2]=1`],
    error: () => ({ code: 'KEY_NOT_FOUND' }),
  },
  {
    name: 'an unknown ring buffer in --event',
    args: (place) => [...here(place), '--event', 'ring=endpoint'],
    error: () => ({
      code: 'MAP_NOT_FOUND',
      message: 'Cannot type the events of ring: the object has no such ring buffer',
      hint: 'it has none at all',
      subject: 'ring',
      available: [],
    }),
  },
  {
    name: 'a pin directory outside of a bpf file system',
    args: (place) => [...here(place), '--pin', join(place.folder.path, 'pins')],
    error: ({ folder }) => ({
      code: 'ARGUMENT_INVALID',
      message: `Cannot pin to ${join(folder.path, 'pins')}: it is not in a bpf file system`,
      hint: 'mount one: mount -t bpf bpf /sys/fs/bpf, and name a new directory below it',
      argument: 'pin',
    }),
  },
  {
    name: '--config for an object that is no sniffer',
    args: (place) => [...here(place), '--config', join(projectRoot, 'package.json')],
    error: () => ({ code: 'ARGUMENT_INVALID' }),
  },
  {
    name: '--protobuf for an object that is no sniffer',
    args: (place) => [...here(place), '--protobuf', join(place.folder.path, 'out.pb')],
    error: () => ({
      code: 'ARGUMENT_INVALID',
      message: "Cannot write protobuf: only the sniffer's events have that form",
      hint: 'leave --protobuf out, or use --json',
      argument: 'protobuf',
    }),
  },
];

t.test('an error has its own code, names the culprit, and leaves nothing behind', { skip }, async (t) => {
  for (const { name, args, error, exit = 1, defines } of rows) {
    await t.test(name, (t) =>
      inPlace(async (place) => {
        const [json, plain] = await Promise.all([
          runCli(['load', '--json', ...args(place)]),
          runCli(['load', ...args(place)]),
        ]);
        t.equal(json.code, exit, json.stdout);
        const wanted = error(place);
        const found = json.lines.at(-1)?.error;
        t.same(found, wanted);
        t.equal(plain.code, exit);
        t.equal(plain.stderr.split('\n').find((line) => line.startsWith('error: ')), `error: ${String(found?.message)}`);
        t.notMatch(plain.stderr, STACK);
        await nothingLeft(t, place);
      }, defines),
    );
  }
});
