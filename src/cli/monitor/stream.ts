import type { Collection } from '../../loader/index.ts';
import {
  openPacketRings,
  packetFromIpv4,
  packetFromIpv6,
  PacketCounters,
  type MonitoredPacket,
} from '../../monitor/index.ts';
import { WallClock, type NetworkNamespace } from '../../sys/index.ts';
import type { AttachedProgram } from '../load/attach-programs.ts';
import { drainRest, listenTo, type HandledRing } from '../load/counted-reading.ts';
import { EndOfStream } from '../load/end-of-stream.ts';
import { followInterfaces } from '../load/follow-interfaces.ts';
import type { FoundInterface } from '../load/interfaces.ts';
import { AttachmentWatch } from '../load/watch-attachments.ts';
import type { Output } from '../output/output.ts';
import type { MonitorCommandOptions } from './options.ts';
import { packetDocument, packetLine } from './packet.ts';
import { StatisticsPrinter } from './statistics.ts';

const STATISTICS_INTERVAL = 10_000;

export interface PacketStreamContext {
  readonly collection: Collection;
  readonly targets: readonly FoundInterface[];
  readonly options: MonitorCommandOptions;
  readonly netns: NetworkNamespace | undefined;
  readonly output: Output;
  /** Otherwise only statistics are shown. */
  readonly showsPackets: boolean;
}

/**
 * The packets and statistics of the loaded monitor, until a signal, the count, the duration, the end of standard output or of
 * the last attachment.
 *
 * Everything that can fail is prepared before anything is attached, signals are caught from then on, and `close()` gives
 * everything back.
 */
export class PacketStream {
  readonly #context: PacketStreamContext;
  readonly #end = new EndOfStream();
  readonly #cleanup: (() => void)[] = [];
  readonly #counter = { events: 0 };
  #rings: readonly HandledRing<MonitoredPacket | undefined>[] = [];
  #attachments: AttachmentWatch | undefined;

  private constructor(context: PacketStreamContext) {
    this.#context = context;
  }

  /** @throws NotFoundError, SyscallError */
  static prepare(context: PacketStreamContext): PacketStream {
    const stream = new PacketStream(context);
    try {
      stream.#prepare();
      return stream;
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  /**
   * Streams, detaches, reads what is left and prints the totals.
   *
   * @throws AttachError (ATTACH_CHANGED) after that, where somebody else has detached what was attached
   */
  async run(attachments: readonly AttachedProgram[]): Promise<void> {
    const { options, output, collection } = this.#context;
    const watch = new AttachmentWatch(attachments, { ...this.#context, end: this.#end });
    this.#attachments = watch;
    this.#cleanup.push(() => {
      watch.close();
    });
    const counting = { counter: this.#counter, limit: options.count, end: this.#end };
    const statistics = new StatisticsPrinter(new PacketCounters(collection), output);
    for (const ring of this.#rings) listenTo(ring, counting);
    const stopStatistics = this.#every(options.stats ?? STATISTICS_INTERVAL, () => {
      statistics.printPeriodic();
    });
    if (options.duration !== undefined) this.#cleanup.push(this.#end.after(options.duration));
    await this.#end.reached;
    watch.close();
    stopStatistics();
    // Detached first, so that nothing more arrives: then what was read is exactly what was submitted.
    for (const { link } of attachments) link.close();
    drainRest(this.#rings, counting);
    statistics.printFinal({ packets: this.#counter.events, dropped: output.dropped });
    if (watch.failure) throw watch.failure;
  }

  close(): void {
    for (const close of this.#cleanup.splice(0).toReversed()) close();
  }

  #prepare(): void {
    const context = this.#context;
    this.#cleanup.push(this.#end.onSignals());
    this.#end.onStandardOutput(context.output);
    this.#rings = openHandledRings(context);
    this.#cleanup.push(() => {
      for (const { ring } of this.#rings) ring.close();
    });
    const routes = followInterfaces({ ...context, maps: undefined }, () => {
      this.#attachments?.look();
    });
    this.#cleanup.push(() => {
      routes.close();
    });
  }

  #every(milliseconds: number, action: () => void): () => void {
    const timer = setInterval(() => {
      try {
        action();
      } catch (error) {
        this.#end.fail(error);
      }
    }, milliseconds);
    const stop = (): void => {
      clearInterval(timer);
    };
    this.#cleanup.push(stop);
    return stop;
  }
}

/** Packets that nobody sees are counted without being decoded. */
function openHandledRings({
  collection,
  output,
  showsPackets,
}: PacketStreamContext): HandledRing<MonitoredPacket | undefined>[] {
  const clock = WallClock.ofKernel();
  const nothing = (): undefined => undefined;
  const decoders = showsPackets
    ? { ipv4: packetFromIpv4, ipv6: packetFromIpv6 }
    : { ipv4: nothing, ipv6: nothing };
  const handle = (packet: MonitoredPacket | undefined): void => {
    if (!packet) return;
    output.stream({ json: () => packetDocument(packet, clock), text: () => packetLine(packet, clock) });
  };
  return openPacketRings<MonitoredPacket | undefined>(collection, decoders).map((ring) => ({ ring, handle }));
}
