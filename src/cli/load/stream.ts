import { ArgumentError, type FileError } from '../../errors.ts';
import { MapType, type BpfMap } from '../../maps/index.ts';
import { findEventTypes, type EventType } from '../../loader/index.ts';
import { sumCounters } from '../../sniffer/index.ts';
import { WallClock } from '../../sys/index.ts';
import type { AttachedProgram } from './attach-programs.ts';
import type { StreamContext } from './context.ts';
import { EndOfStream } from './end-of-stream.ts';
import { drainRest, listenTo } from './counted-reading.ts';
import { EventPrinter } from './event-printer.ts';
import { followInterfaces } from './follow-interfaces.ts';
import type { ProtobufOutput } from './protobuf-output.ts';
import { printSummary } from './summary.ts';
import { AttachmentWatch } from './watch-attachments.ts';

/**
 * The events of every ring buffer of a loaded object, until a signal, the count, the duration, the end of standard
 * output or of the last attachment.
 *
 * Everything that can fail is prepared before anything is attached, signals are caught from then on, and `close()`
 * gives everything back.
 */
export class EventStream {
  readonly #context: StreamContext;
  readonly #end = new EndOfStream();
  readonly #cleanup: (() => void)[] = [];
  readonly #counter = { events: 0 };
  readonly #startedAt = performance.now();
  #printers: readonly EventPrinter[] = [];
  #protobuf: ProtobufOutput | undefined;
  #attachments: AttachmentWatch | undefined;

  private constructor(context: StreamContext) {
    this.#context = context;
  }

  /** @throws NotFoundError for a ring or struct of `--event` that is not there, FileError, ArgumentError */
  static async prepare(context: StreamContext): Promise<EventStream> {
    const stream = new EventStream(context);
    try {
      await stream.#prepare();
      return stream;
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  /**
   * Streams, detaches, reads what is left and prints the summary.
   *
   * @throws AttachError (ATTACH_CHANGED) after that, where somebody else has detached what was attached
   */
  async run(attachments: readonly AttachedProgram[]): Promise<void> {
    const { options, output, pinDirectory } = this.#context;
    const watch = new AttachmentWatch(attachments, { ...this.#context, end: this.#end });
    this.#attachments = watch;
    this.#cleanup.push(() => {
      watch.close();
    });
    const counting = { counter: this.#counter, limit: options.count, end: this.#end };
    for (const printer of this.#printers) listenTo(printer, counting);
    if (options.duration !== undefined) this.#cleanup.push(this.#end.after(options.duration));
    await this.#end.reached;
    watch.close();
    // Detached first, so that nothing more arrives: then what was read is exactly what was submitted.
    if (pinDirectory === undefined) for (const { link } of attachments) link.close();
    drainRest(this.#printers, counting);
    printSummary(output, {
      events: this.#counter.events,
      counters: readCounters(this.#context),
      durationMilliseconds: performance.now() - this.#startedAt,
      dropped: output.dropped + (this.#protobuf?.dropped ?? 0),
    });
    await this.#protobuf?.close();
    if (watch.failure) throw watch.failure;
  }

  close(): void {
    for (const close of this.#cleanup.splice(0).toReversed()) close();
  }

  async #prepare(): Promise<void> {
    const context = this.#context;
    const { options, output } = context;
    this.#cleanup.push(this.#end.onSignals());
    this.#end.onStandardOutput(output);
    const clock = WallClock.ofKernel();
    const types = findEventTypes(context.collection.object, {
      rings: ringsOf(context).map(({ name }) => name),
      given: options.event,
    });
    if (options.protobuf !== undefined) {
      this.#protobuf = await openProtobuf(options.protobuf, {
        context,
        clock,
        onError: (error) => {
          this.#end.fail(error);
        },
      });
    }
    this.#printers = makePrinters(context, { types, clock, protobuf: this.#protobuf });
    this.#cleanup.push(() => {
      for (const { ring } of this.#printers) ring.close();
    });
    const routes = followInterfaces(context, () => {
      this.#attachments?.look();
    });
    this.#cleanup.push(() => {
      routes.close();
    });
    this.#cleanup.push(...(await followExtras(context)));
  }
}

async function openProtobuf(
  path: string,
  { context, ...setup }: { context: StreamContext; clock: WallClock; onError: (error: FileError) => void },
): Promise<ProtobufOutput> {
  if (!context.maps) {
    throw new ArgumentError('protobuf', "Cannot write protobuf: only the sniffer's events have that form", {
      hint: 'leave --protobuf out, or use --json',
    });
  }
  // Late: start-up is mostly imports.
  const { openProtobufOutput } = await import('./protobuf-output.ts');
  return openProtobufOutput(path, setup);
}

function ringsOf(context: StreamContext): BpfMap[] {
  return [...context.collection.maps.values()].filter((map) => map.type === MapType.RingBuffer);
}

function makePrinters(
  context: StreamContext,
  setup: { types: ReadonlyMap<string, EventType>; clock: WallClock; protobuf: ProtobufOutput | undefined },
): EventPrinter[] {
  const { types, clock, protobuf } = setup;
  const rings = ringsOf(context);
  const { object } = context.collection;
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
async function followExtras(context: StreamContext): Promise<(() => void)[]> {
  const { options, output } = context;
  const closers: (() => void)[] = [];
  if (options.config !== undefined) {
    const { followConfiguration } = await import('./configuration-file.ts');
    const watcher = followConfiguration(options.config, context);
    closers.push(() => {
      watcher.close();
    });
  }
  if (options.trace === true) {
    // Late: a dozen modules that no other stream waits for.
    const { TracePipe } = await import('./late-inspection.ts');
    const trace = TracePipe.open((line) => {
      output.stream({ json: () => ({ type: 'trace', text: line }), text: () => line });
    });
    closers.push(() => {
      trace.close();
    });
  }
  return closers;
}

function readCounters(context: StreamContext): Record<string, bigint> | undefined {
  const { counters } = context.collection.object.anchors;
  return counters && sumCounters(context.collection.map(counters.map));
}
