import { toJson, type Btf, type BtfValue, type Json } from '../../btf/index.ts';
import { readEventAnchors } from '../../elf/index.ts';
import { ArgumentError, NotFoundError } from '../../errors.ts';
import { programsOfMap, readBtfById } from '../../inspect/index.ts';
import { MapType, mapTypeName, type BpfMap } from '../../maps/index.ts';
import { PerfBuffer, RingBuffer } from '../../ringbuf/index.ts';
import { describeFields, hexDump } from '../../sniffer/index.ts';
import { systemKernel } from '../../sys/index.ts';
import { ExitCode } from '../exit-code.ts';
import { EndOfStream } from '../load/end-of-stream.ts';
import type { Output } from '../output/output.ts';
import { selectMap } from './select.ts';
import { Words } from '../words.ts';

export interface EventsOptions {
  readonly event?: string;
  readonly count?: number;
  /** Milliseconds. */
  readonly duration?: number;
}

interface EventStruct {
  readonly btf: Btf;
  readonly typeId: number;
  readonly name: string;
}

type Event = BtfValue | Uint8Array;

/**
 * Follows a ring buffer or a perf event array until a signal, the count, the duration or the end of standard output. Each
 * event goes to one reader: who reads a map that somebody else reads takes events away from there, which is said.
 */
export async function followEvents(
  given: readonly string[],
  options: EventsOptions,
  output: Output,
): Promise<number> {
  const words = new Words(given, 'map events');
  using map = selectMap(systemKernel(), words);
  words.end();
  const struct = findStruct(map, options.event);
  const end = new EndOfStream();
  let left = options.count ?? Number.POSITIVE_INFINITY;
  const print = (event: Event, cpu: number | undefined): void => {
    if (left <= 0) return;
    printEvent(event, { map, struct, cpu, output });
    if (--left <= 0) end.finish();
  };
  const reader = openReader(map, { struct, print, fail: (error) => { end.fail(error); }, output }); // prettier-ignore
  const undo = [end.onSignals(), ...(options.duration === undefined ? [] : [end.after(options.duration)])];
  end.onStandardOutput(output);
  try {
    output.note(
      `note: following ${mapTypeName(map.type)} ${map.name}; events read here reach no other reader of it`,
    );
    await end.reached;
  } finally {
    for (const one of undo) one();
    reader.close();
  }
  await output.flush();
  return ExitCode.Done;
}

function openReader(
  map: BpfMap,
  context: {
    struct: EventStruct | undefined;
    print: (event: Event, cpu: number | undefined) => void;
    fail: (error: Error) => void;
    output: Output;
  },
): { close(): void } {
  const { struct, print, fail, output } = context;
  if (map.type === MapType.RingBuffer) {
    const ring: RingBuffer<Event> = struct ? RingBuffer.typed(map, struct) : RingBuffer.bytes(map);
    ring.listen(
      (event) => {
        print(event, undefined);
      },
      { onError: fail },
    );
    return ring;
  }
  if (map.type === MapType.PerfEventArray) {
    const onLost = ({ cpu, count }: { cpu: number; count: number }): void => {
      output.note(`note: ${count} events of CPU ${cpu} were lost: they came faster than they were read`);
    };
    const buffer: PerfBuffer<Event> = struct
      ? PerfBuffer.typed(map, { ...struct, onLost })
      : PerfBuffer.bytes(map, { onLost });
    buffer.listen(
      ({ cpu, event }) => {
        print(event, cpu);
      },
      { onError: fail },
    );
    return buffer;
  }
  const why = `it is neither a ring buffer nor a perf event array but ${mapTypeName(map.type)}`;
  throw new ArgumentError('map', `Cannot follow the events of map ${map.name}: ${why}`);
}

/** The struct of a name in the types of the programs that use the map, or the one that they anchor for it. */
function findStruct(map: BpfMap, wanted: string | undefined): EventStruct | undefined {
  const { kernel } = map;
  const { id, name: mapName } = map.info();
  const ids = new Set(programsOfMap(kernel, id).map(({ btfId }) => btfId));
  for (const btfId of ids) {
    if (btfId === 0) continue;
    const btf = readBtfById(kernel, btfId);
    const typeId =
      wanted === undefined
        ? anchoredType(btf, mapName)
        : (btf.find(wanted, 'struct') ?? btf.find(wanted, 'typedef'));
    if (typeId !== undefined) return { btf, typeId, name: wanted ?? btf.nameOf(typeId) };
  }
  if (wanted === undefined) return undefined;
  const why = 'no program that uses the map has a struct of that name in its BTF';
  throw new NotFoundError('TYPE_NOT_FOUND', wanted, `Cannot find struct ${wanted}: ${why}`);
}

/** The kernel keeps 15 characters of the map's name, the anchor all of them. */
function anchoredType(btf: Btf, map: string): number | undefined {
  const { events } = readEventAnchors(btf);
  const exact = events.get(map);
  if (exact !== undefined || map.length < 15) return exact;
  const cut = [...events].filter(([name]) => name.startsWith(map));
  return cut.length === 1 ? cut[0]?.[1] : undefined;
}

function printEvent(
  event: Event,
  {
    map,
    struct,
    cpu,
    output,
  }: { map: BpfMap; struct: EventStruct | undefined; cpu: number | undefined; output: Output },
): void {
  const time = new Date().toISOString();
  const place = cpu === undefined ? '' : ` CPU ${cpu}`;
  const start = {
    type: 'event',
    map: map.name,
    struct: struct?.name ?? null,
    time,
    ...(cpu !== undefined && { cpu }),
  };
  if (event instanceof Uint8Array && struct === undefined) {
    const hex = Buffer.from(event).toString('hex');
    output.stream({
      json: (): Json => ({ ...start, size: event.length, hex }),
      text: () => `${time} ${map.name}${place} ${event.length} bytes\n${hexDump(event)}`,
    });
    return;
  }
  output.stream({
    json: (): Json => ({ ...start, data: toJson(event) }),
    text: () => `${time} ${map.name}${place} ${describeFields(event as Record<string, BtfValue>)}`,
  });
}
