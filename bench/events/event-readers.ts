import { spawnSync } from 'node:child_process';
import { availableParallelism, constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { buildBpf } from '../compile-bpf.ts';
import { Collection, ObjectFile, SyscallError } from '../../src/index.ts';
import { compileWithLibbpf } from '../compile-c.ts';
import { projectRoot } from '../project-root.ts';
import { checkAnswers } from '../ring/check-answers.ts';
import { ReaderProcess } from '../ring/reader-process.ts';
import type { EventsAnswer, Wanted } from './tally.ts';

export const LIBBPF = 'libbpf ring_buffer__poll()';

/** What the readers of ours are called in reports, by what our-reader.ts calls them. */
export const OURS = {
  loop: 'RingBuffer.listen() on the event loop',
  block: 'RingBufferWorker, blocking',
  spin: 'RingBufferWorker, busy-polling',
} as const;

/** Of the benchmarks that have events come by themselves. */
export interface EventBenchmarkOptions {
  readonly events?: number | undefined;
  readonly runs?: number | undefined;
  readonly preferred?: boolean | undefined;
}

/** Puts events into the ring of one reader, as fast as there is space. */
export type Produce = (count: number) => void;

interface Side {
  readonly process: ReaderProcess;
  readonly collection: Collection;
  readonly produce: Produce;
}

/**
 * Reader processes, each with a ring of its own that this process fills, in turns. With two CPUs and taskset this process is
 * kept to the first and the readers to the second.
 */
export class EventReaders {
  readonly #sides: readonly Side[];

  private constructor(sides: readonly Side[]) {
    this.#sides = sides;
  }

  /**
   * `preferred` gives producer and readers the highest priority. It is no realtime policy: there a thread that spins would
   * keep the others of its process from ever running.
   */
  static start({ preferred }: { preferred: boolean }): EventReaders {
    // Children have their parent's.
    if (preferred) setPriority(constants.priority.PRIORITY_HIGHEST);
    const root = projectRoot();
    const object = buildBpf(root, 'bench/events/events.bpf.c');
    const peer = compileWithLibbpf(root, 'bench/events/libbpf-poll.c');
    if (peer.path === undefined) console.error(`nothing to compare with: ${peer.missing ?? ''}`);
    const prefix = keepApart();
    const start = (name: string, command: (mapId: string) => string[]): Side => {
      const collection = Collection.load(ObjectFile.open(object));
      const mapId = String(collection.map('events').info().id);
      const [first = '', ...rest] = [...prefix, ...command(mapId)];
      const reader = new ReaderProcess(name, [first, ...rest]);
      return { process: reader, collection, produce: producerOf(collection) };
    };
    const script = join(root, 'build/bench/events/our-reader.js');
    const sides = Object.entries(OURS).map(([how, name]) =>
      start(name, (mapId) => [process.execPath, script, mapId, how]),
    );
    const { path } = peer;
    if (path !== undefined)
      sides.splice(
        1,
        0,
        start(LIBBPF, (mapId) => [path, mapId]),
      );
    return new EventReaders(sides);
  }

  /** One run of each reader, while `makeEvents` makes its events. @throws ChecksumMismatch */
  async run(
    { events, what }: { events: number; what: Wanted },
    makeEvents: (produce: Produce) => void,
  ): Promise<ReadonlyMap<string, EventsAnswer>> {
    const answers = new Map<string, EventsAnswer>();
    for (const { process: reader, collection, produce } of this.#sides) {
      collection.variable('sequence').set(0);
      await reader.ask(`${String(events)} ${what}`);
      makeEvents(produce);
      answers.set(reader.name, (await reader.answer()) as EventsAnswer);
    }
    checkAnswers(answers, events);
    return answers;
  }

  async close(): Promise<void> {
    for (const side of this.#sides) {
      await side.process.close();
      side.collection.close();
    }
  }
}

function producerOf(collection: Collection): Produce {
  const program = collection.program('produce');
  const sequence = collection.variable('sequence');
  const data = new Uint8Array(64);
  return (count) => {
    const start = sequence.get() as number;
    // One that found no space has not moved the sequence.
    for (let left = count; left > 0; left = count - (((sequence.get() as number) - start) >>> 0)) {
      try {
        program.testRun({ data, repeat: Math.min(left, 10_000) });
      } catch (error) {
        // Those that had their turn before the signal have moved the sequence.
        if (!(error instanceof SyscallError && error.errnoName === 'EINTR')) throw error;
      }
    }
  };
}

/** Keeps this process to the first CPU, and returns what keeps a command to the second. */
function keepApart(): string[] {
  const pinned =
    availableParallelism() >= 2 && spawnSync('taskset', ['-pc', '0', String(process.pid)]).status === 0;
  if (pinned) return ['taskset', '-c', '1'];
  console.error('producer and readers run on whichever CPU there is: two of them and taskset are needed');
  return [];
}
