import { fileURLToPath } from 'node:url';
import { Collection, ObjectFile, RingBuffer } from '../../src/index.ts';
import { adaptToKernel, SnifferMaps, sumCounters } from '../../src/sniffer/index.ts';
import type { Counters } from './counter-checks.ts';
import type { EventFields } from './compare-event.ts';

/** From build/scripts/demo/, where this runs. */
const OBJECT = fileURLToPath(new URL('../../../bpf/sniffer.bpf.o', import.meta.url));
export const PROGRAM = 'xdp_sniffer_enhanced';

/** Loads the shipped object with the one program that the demo attaches. */
export function loadSniffer(): Collection {
  const object = ObjectFile.open(OBJECT);
  adaptToKernel(object);
  for (const program of object.programs.values()) program.autoload = program.name === PROGRAM;
  return Collection.load(object);
}

/** Tells the program, by its maps, to make an event of every IP packet that arrives on an interface. */
export function watchInterface(
  collection: Collection,
  { index, name }: { readonly index: number; readonly name: string },
): void {
  SnifferMaps.of(collection)?.setInterface({ index, name, mode: 'gateway', isWan: true });
}

/** Reads both of the sniffer's ring buffers: IPv4 and IPv6 packets have events of their own. */
export class SnifferEvents {
  readonly #rings: readonly RingBuffer<EventFields>[];

  constructor(collection: Collection) {
    const { anchors, btf } = collection.object;
    // The object says which struct each of its rings carries: see docs/events.md.
    this.#rings = [...anchors.events].map(([map, typeId]) => {
      if (!btf) throw new Error(`${collection.object.name} has no BTF`);
      return RingBuffer.typed(collection.map(map), { btf, typeId }) as RingBuffer<EventFields>;
    });
  }

  /** Hands over events as they come, until the signal aborts; then what is left. */
  async follow(onEvent: (event: EventFields) => void, signal: AbortSignal): Promise<void> {
    const followOne = async (ring: RingBuffer<EventFields>): Promise<void> => {
      for await (const event of ring.events({ signal })) onEvent(event);
    };
    await Promise.all(this.#rings.map(followOne));
  }

  /** Hands over what is there now. */
  drain(onEvent: (event: EventFields) => void): void {
    for (const ring of this.#rings) ring.drain(onEvent);
  }

  close(): void {
    for (const ring of this.#rings) ring.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

export function readCounters(collection: Collection): Counters {
  return sumCounters(collection.map('stats'));
}
