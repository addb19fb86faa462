import { ArgumentError } from '../../errors.ts';
import { MapType, type BpfMap } from '../../maps/index.ts';
import { sumCounters, WallClock } from '../../sniffer/index.ts';
import { clockGettime } from '../../sys/index.ts';
import { TracePipe } from '../../inspect/index.ts';
import { ExitCode } from '../exit-code.ts';
import { followConfiguration } from './configuration-file.ts';
import type { AttachedContext } from './context.ts';
import { EndOfStream } from './end-of-stream.ts';
import { EventPrinter } from './event-printer.ts';
import { followInterfaces } from './interfaces.ts';
import { openProtobufOutput, type ProtobufOutput } from './protobuf-output.ts';
import { printSummary } from './summary.ts';

/**
 * Streams the events of every ring buffer until a signal, the count, the duration, the end of standard output or of
 * the last interface; then detaches, reads what is left and prints the summary. Returns the exit code.
 */
export async function streamEvents(context: AttachedContext): Promise<number> {
  const { options, output, collection } = context;
  const startedAt = performance.now();
  const clock = new WallClock({
    monotonic: () => clockGettime('monotonic'),
    realtime: () => clockGettime('realtime'),
  });
  const cleanup: (() => void)[] = [];
  const end = new EndOfStream();
  let protobuf: ProtobufOutput | undefined;
  try {
    if (options.protobuf !== undefined) protobuf = await openProtobuf(options.protobuf, { context, clock });
    const counter = { events: 0 };
    const printers = makePrinters(context, { clock, protobuf });
    cleanup.push(() => {
      for (const { ring } of printers) ring.close();
    });
    cleanup.push(end.onSignals(), end.onStandardOutput(output));
    if (options.duration !== undefined) cleanup.push(end.after(options.duration));
    const routes = followInterfaces(context, () => {
      end.finish();
    });
    cleanup.push(() => {
      routes.close();
    });
    cleanup.push(...followExtras(context));
    for (const printer of printers) listen(printer, { counter, limit: options.count, end });
    await end.reached;
    // Detached first, so that nothing more arrives: then what was read is exactly what was submitted.
    if (context.pinDirectory === undefined) for (const attachment of context.attachments) attachment.close();
    drainRest(printers, { counter, limit: options.count });
    const counters = readCounters(context);
    printSummary(output, {
      events: counter.events,
      counters,
      durationMilliseconds: performance.now() - startedAt,
      dropped: output.dropped + (protobuf?.dropped ?? 0),
    });
    await protobuf?.close();
    await output.flush();
    return ExitCode.Done;
  } finally {
    for (const close of cleanup.toReversed()) close();
    collection.close();
  }
}

async function openProtobuf(
  path: string,
  { context, clock }: { context: AttachedContext; clock: WallClock },
): Promise<ProtobufOutput> {
  if (!context.maps) {
    throw new ArgumentError('protobuf', "Cannot write protobuf: only the sniffer's events have that form", {
      hint: 'leave --protobuf out, or use --json',
    });
  }
  return openProtobufOutput(path, clock);
}

function ringsOf(context: AttachedContext): BpfMap[] {
  return [...context.collection.maps.values()].filter((map) => map.type === MapType.RingBuffer);
}

function makePrinters(
  context: AttachedContext,
  { clock, protobuf }: { clock: WallClock; protobuf: ProtobufOutput | undefined },
): EventPrinter[] {
  const rings = ringsOf(context);
  const { object } = context.collection;
  const types = findEventTypes(object, {
    rings: rings.map(({ name }) => name),
    given: context.options.event,
  });
  const sink = protobuf
    ? {
        captured: (event: Parameters<ProtobufOutput['write']>[0]): void => {
          protobuf.write(event);
        },
      }
    : {};
  return rings.map(
    (map) =>
      new EventPrinter(map, { object, type: types.get(map.name), output: context.output, clock, sink }),
  );
}

/** What goes along with a stream where it is asked for: the configuration file, the kernel's trace pipe. */
function followExtras(context: AttachedContext): (() => void)[] {
  const { options, output } = context;
  const closers: (() => void)[] = [];
  if (options.config !== undefined) {
    const watcher = followConfiguration(options.config, context);
    closers.push(() => {
      watcher.close();
    });
  }
  if (options.trace === true) {
    const trace = TracePipe.open((line) => {
      output.stream({ json: () => ({ type: 'trace', text: line }), text: () => line });
    });
    closers.push(() => {
      trace.close();
    });
  }
  return closers;
}

function listen(
  printer: EventPrinter,
  { counter, limit, end }: { counter: { events: number }; limit: number | undefined; end: EndOfStream },
): void {
  const fail = (error: unknown): void => {
    printer.ring.stop();
    end.fail(error);
  };
  printer.ring.listen(
    (event) => {
      if (limit !== undefined && counter.events >= limit) return;
      counter.events++;
      printer.handle(event);
      if (counter.events === limit) end.finish();
    },
    { onError: fail },
  );
}

function drainRest(
  printers: readonly EventPrinter[],
  { counter, limit }: { counter: { events: number }; limit: number | undefined },
): void {
  for (const { ring, handle } of printers) {
    ring.stop();
    const left = limit === undefined ? Number.POSITIVE_INFINITY : limit - counter.events;
    if (left <= 0) continue;
    ring.drain(
      (event) => {
        counter.events++;
        handle(event);
      },
      { limit: left },
    );
  }
}

function readCounters(context: AttachedContext): Record<string, bigint> | undefined {
  const { counters } = context.collection.object.anchors;
  return counters && sumCounters(context.collection.map(counters.map));
}
