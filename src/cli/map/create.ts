import { BpfMap, MapType, mapTypeName } from '../../maps/index.ts';
import { systemKernel, type Kernel } from '../../sys/index.ts';
import { interfaceByName, RouteSocket } from '../../netlink/index.ts';
import { ExitCode, UsageError } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { parseNumber } from '../parse-option.ts';
import { selectMap } from './select.ts';
import { Words } from '../words.ts';

/** Their entries come with what they belong to (bpf_local_storage_map_alloc_check() of kernel/bpf/bpf_local_storage.c). */
const WITHOUT_ENTRIES: ReadonlySet<number> = new Set([
  MapType.SkStorage,
  MapType.InodeStorage,
  MapType.TaskStorage,
  MapType.CgroupLocalStorage,
  MapType.CgroupStorage,
  MapType.PerCpuCgroupStorage,
]);

interface Given {
  type?: number;
  key?: number;
  value?: number;
  entries?: number;
  name?: string;
  flags?: number;
  extra?: bigint;
  inner?: BpfMap;
  device?: string;
}

/** Creates a map and pins it: `PATH type T key N value N entries N name N [flags N] [inner_map MAP] [dev NAME]`. */
export async function createPinnedMap(given: readonly string[], output: Output): Promise<number> {
  const kernel = systemKernel();
  const words = new Words(given, 'map create');
  const path = words.take('the path');
  const options: Given = {};
  try {
    while (words.next !== undefined) readOption(kernel, words, options);
    using map = create(kernel, options);
    map.pin(path);
    output.result(null, '');
  } finally {
    options.inner?.close();
  }
  await output.flush();
  return ExitCode.Done;
}

function create(
  kernel: Kernel,
  { type, key, value, entries, name, flags, extra, inner, device }: Given,
): BpfMap {
  if (type === undefined) throw new UsageError('the type of the map is missing');
  if (name === undefined) throw new UsageError('the name of the map is missing');
  if (entries === undefined && !WITHOUT_ENTRIES.has(type))
    throw new UsageError(`map create needs entries and their number for maps of type ${mapTypeName(type)}`);
  const ifindex = device === undefined ? undefined : indexOf(device);
  return BpfMap.create(
    {
      type,
      keySize: key ?? 0,
      valueSize: value ?? 0,
      maxEntries: entries ?? 0,
      name,
      ...(flags !== undefined && { flags }),
      ...(extra !== undefined && { extra }),
      ...(inner !== undefined && { innerMap: inner }),
      ...(ifindex !== undefined && { ifindex }),
    },
    { kernel },
  );
}

function readOption(kernel: Kernel, words: Words, options: Given): void {
  const option = words.take('an option');
  switch (option) {
    case 'type':
      options.type = typeOf(words.take('the type'));
      return;
    case 'key':
    case 'value':
    case 'entries':
    case 'flags':
      options[option] = parseNumber(words.take(`the number after ${option}`), {
        what: `number for ${option}`,
        most: 0xffff_ffff,
      });
      return;
    case 'extra':
      options.extra = extraOf(words.take('the number after extra'));
      return;
    case 'name':
      options.name = words.take('the name');
      return;
    case 'inner_map':
      options.inner = selectMap(kernel, words);
      return;
    case 'dev':
      options.device = words.take('the interface');
      return;
    default:
      throw new UsageError(
        `map create knows no ${option}: there are type, key, value, entries, name, flags, extra, inner_map and dev`,
      );
  }
}

function typeOf(name: string): number {
  const found = Object.values(MapType).find(
    (type) => type !== MapType.Unspecified && mapTypeName(type) === name,
  );
  if (found !== undefined) return found;
  const known = Object.values(MapType)
    .filter((type) => type !== MapType.Unspecified)
    .map(mapTypeName);
  throw new UsageError(`there is no map type ${name}: there are ${known.join(', ')}`);
}

/** `map_extra` is of 64 bits: that of an arena is an address. */
function extraOf(text: string): bigint {
  const extra = /^(?:\d+|0x[\da-f]+)$/i.test(text) ? BigInt(text) : -1n;
  if (extra >= 0n && extra <= MOST_EXTRA) return extra;
  throw new UsageError(`${text} is no number for extra: a whole number from 0 to ${MOST_EXTRA} is wanted`);
}

const MOST_EXTRA = (1n << 64n) - 1n;

function indexOf(name: string): number {
  using socket = RouteSocket.open();
  return interfaceByName(socket, name).index;
}
