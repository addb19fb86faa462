import type { Collection } from '../../loader/index.ts';
import { openDenials, PolicyMaps, type Denial, type RulesFile } from '../../policy/index.ts';
import type { NetworkNamespace } from '../../sys/index.ts';
import type { AttachedProgram } from '../load/attach-programs.ts';
import { drainRest, listenTo, type HandledRing } from '../load/counted-reading.ts';
import { EndOfStream } from '../load/end-of-stream.ts';
import { followFile } from '../load/follow-file.ts';
import { followInterfaces } from '../load/follow-interfaces.ts';
import type { FoundInterface } from '../load/interfaces.ts';
import { AttachmentWatch } from '../load/watch-attachments.ts';
import { errorText } from '../output/error-report.ts';
import type { Output } from '../output/output.ts';
import type { PolicyLoadOptions } from './options.ts';
import { readRulesFile } from './rules-file.ts';
import { changesText, countersDocument, countersLine, DenialText, settingsLine } from './text.ts';

export interface DenialStreamContext {
  readonly collection: Collection;
  readonly targets: readonly FoundInterface[];
  readonly options: PolicyLoadOptions;
  readonly netns: NetworkNamespace | undefined;
  readonly output: Output;
  /** Where it is pinned: then it stays attached when the stream ends. */
  readonly pin: string | undefined;
}

/**
 * The denials of the loaded firewall, until a signal, the count, the duration, the end of standard output or of the last
 * attachment.
 *
 * Everything that can fail is prepared before anything is attached, signals are caught from then on, and `close()` gives
 * everything back.
 */
export class DenialStream {
  readonly #context: DenialStreamContext;
  readonly #end = new EndOfStream();
  readonly #cleanup: (() => void)[] = [];
  readonly #counter = { events: 0 };
  readonly #maps: PolicyMaps;
  #rings: readonly HandledRing<Denial>[] = [];
  #attachments: AttachmentWatch | undefined;

  private constructor(context: DenialStreamContext) {
    this.#context = context;
    this.#maps = PolicyMaps.of(context.collection);
  }

  /** @throws NotFoundError, SyscallError */
  static prepare(context: DenialStreamContext): DenialStream {
    const stream = new DenialStream(context);
    try {
      stream.#prepare();
      return stream;
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  /**
   * Streams, detaches what is not pinned, reads what is left and prints the totals.
   *
   * @throws AttachError (ATTACH_CHANGED) after that, where somebody else has detached what was attached
   */
  async run(attachments: readonly AttachedProgram[]): Promise<void> {
    const { options, output } = this.#context;
    const watch = new AttachmentWatch(attachments, { ...this.#context, end: this.#end });
    this.#attachments = watch;
    this.#cleanup.push(() => {
      watch.close();
    });
    const counting = { counter: this.#counter, limit: options.count, end: this.#end };
    for (const ring of this.#rings) listenTo(ring, counting);
    if (options.rules !== undefined && this.#context.pin === undefined) this.#follow(options.rules);
    if (options.stats !== undefined) this.#printEvery(options.stats);
    if (options.duration !== undefined) this.#cleanup.push(this.#end.after(options.duration));
    await this.#end.reached;
    watch.close();
    // Detached first, so that nothing more arrives: then what was read is exactly what was submitted.
    for (const { link } of attachments) link.close();
    drainRest(this.#rings, counting);
    const counters = this.#maps.counters();
    const { dropped } = output;
    const unprinted = dropped > 0 ? `; not printed, the output was too slow: ${dropped}` : '';
    output.result(
      { type: 'summary', ...countersDocument(counters), denials: this.#counter.events, dropped },
      `final statistics: ${countersLine(counters)}${unprinted}`,
    );
    if (watch.failure) throw watch.failure;
  }

  close(): void {
    for (const close of this.#cleanup.splice(0).toReversed()) close();
  }

  #prepare(): void {
    const context = this.#context;
    const { collection, output, targets } = context;
    this.#cleanup.push(this.#end.onSignals());
    this.#end.onStandardOutput(output);
    const text = new DenialText(new Map(targets.map(({ index, name }) => [index, name])));
    const ring = openDenials(collection, (denial) => denial);
    this.#cleanup.push(() => {
      ring.close();
    });
    const handle = (denial: Denial): void => {
      output.stream({ json: () => text.document(denial), text: () => text.line(denial) });
    };
    this.#rings = [{ ring, handle }];
    const routes = followInterfaces({ ...context, maps: undefined }, () => {
      this.#attachments?.look();
    });
    this.#cleanup.push(() => {
      routes.close();
    });
  }

  /** A file that cannot be read or understood changes nothing; what is wrong with it is said. */
  #follow(path: string): void {
    const { output } = this.#context;
    const watcher = followFile(path, () => {
      try {
        const changes = this.#maps.apply(outdone(readRulesFile(path), this.#context.options));
        const text = `${changesText(changes)}; ${settingsLine(this.#maps.settings)}`;
        output.note(`note: the rules ${path} changed and are in effect: ${text}`);
      } catch (error) {
        const what = errorText(error, { verbose: false }).trimEnd();
        output.note(`${what}\nnote: the rules before stay in effect`);
      }
    });
    this.#cleanup.push(() => {
      watcher.close();
    });
  }

  #printEvery(milliseconds: number): void {
    const timer = setInterval(() => {
      try {
        const counters = this.#maps.counters();
        this.#context.output.stream({
          json: () => ({ type: 'statistics', ...countersDocument(counters) }),
          text: () => `statistics: ${countersLine(counters)}`,
        });
      } catch (error) {
        this.#end.fail(error);
      }
    }, milliseconds);
    this.#cleanup.push(() => {
      clearInterval(timer);
    });
  }
}

/** What the command line has said outdoes the file, however often that changes. */
function outdone(file: RulesFile, said: PolicyLoadOptions): RulesFile {
  return {
    rules: file.rules,
    defaultAction: said.default ?? file.defaultAction,
    ipv6: said.ipv6 ?? file.ipv6,
    dryRun: said.dryRun ?? file.dryRun,
  };
}
