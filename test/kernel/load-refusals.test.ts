/** What `ts-xdp load` refuses once the machine is asked: each with its own code, and nothing of it stays behind. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { notRoot, STACK } from '../helpers/cli.ts';
import { runHosted } from '../helpers/command-host.ts';
import { noClang } from '../helpers/object-source.ts';
import { inPlace, nothingLeft } from '../helpers/refusal-place.ts';
import type { Place } from '../helpers/refusal-place.ts';

const skip = notRoot || noClang;

function configuration({ folder, device }: Place): string {
  const path = join(folder.path, 'configuration.json');
  writeFileSync(path, JSON.stringify({ interfaces: [{ name: device, mode: 'gateway' }] }));
  return path;
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
      hint: `the object has: .rodata, ${tag}_rules, ${tag}_sums`,
      subject: 'ports',
      available: ['.rodata', `${tag}_rules`, `${tag}_sums`],
    }),
  },
  {
    name: 'a value that does not fit in --set',
    args: (place) => [...here(place), '--set', `${place.tag}_rules[address=1,port=2]=65536`],
    error: ({ tag }) => ({
      code: 'VALUE_INVALID',
      message: `Cannot apply --set ${tag}_rules[address=1,port=2]=65536: cannot store "65536" as __u16: it must be between 0 and 65535`,
      path: '',
      type: '__u16',
    }),
  },
  {
    name: 'a key field that does not fit in --set',
    args: (place) => [...here(place), '--set', `${place.tag}_rules[{"address":1,"port":-1}]=1`],
    error: ({ tag }) => ({
      code: 'VALUE_INVALID',
      message: `Cannot apply --set ${tag}_rules[{"address":1,"port":-1}]=1: cannot store -1 as __u16 at .port: it must be between 0 and 65535`,
      path: '.port',
      type: '__u16',
    }),
  },
  {
    name: 'a key with an unknown field in --set',
    args: (place) => [...here(place), '--set', `${place.tag}_rules[adress=1]=1`],
    error: ({ tag }) => ({
      code: 'VALUE_INVALID',
      message: `Cannot apply --set ${tag}_rules[adress=1]=1: cannot store "adress=1" as struct endpoint at .adress: there is no such field; there are address, port, padding`,
      path: '.adress',
      type: 'struct endpoint',
    }),
  },
  {
    name: 'a key beyond the end of an array in --set',
    args: (place) => [...here(place), '--set', `${place.tag}_sums[2]=1`],
    error: ({ tag }) => ({
      code: 'SYSCALL_FAILED',
      message: `Cannot write to map ${tag}_sums: the index is past its end, which is 2 (E2BIG)`,
      call: 'bpf(BPF_MAP_UPDATE_ELEM)',
      errno: 7,
      errno_name: 'E2BIG',
    }),
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
    args: (place) => [...here(place), '--config', configuration(place)],
    error: () => ({
      code: 'ARGUMENT_INVALID',
      message: 'Cannot apply the configuration: the object has no map iface_configs',
      argument: 'config',
    }),
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
          runHosted(['load', '--json', ...args(place)]),
          runHosted(['load', ...args(place)]),
        ]);
        t.equal(json.code, exit, json.stdout);
        const wanted = error(place);
        const found = json.lines.at(-1)?.error;
        t.same(found, wanted);
        t.equal(plain.code, exit);
        t.equal(
          plain.stderr.split('\n').find((line) => line.startsWith('error: ')),
          `error: ${String(found?.message)}`,
        );
        t.notMatch(plain.stderr, STACK);
        await nothingLeft(t, place);
      }, defines),
    );
  }
});
