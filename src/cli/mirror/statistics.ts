import type { Mirror, MirrorTotals } from '../../mirror/index.ts';
import type { Json } from '../output/error-report.ts';
import type { Output } from '../output/output.ts';

/** Prints what was mirrored, now and then and at the end. */
export class MirrorStatistics {
  readonly #mirror: Mirror;
  readonly #output: Output;
  readonly #startedAt = performance.now();

  constructor(mirror: Mirror, output: Output) {
    this.#mirror = mirror;
    this.#output = output;
  }

  printPeriodic(): void {
    const { totals, elapsed } = this.#read();
    this.#output.stream({
      json: () => ({ type: 'statistics', ...totalsDocument(totals, elapsed) }),
      text: () => `statistics after ${totalsText(totals, elapsed)}`,
    });
  }

  printFinal(): void {
    const { totals, elapsed } = this.#read();
    this.#output.result(
      { type: 'summary', ...totalsDocument(totals, elapsed) },
      `final statistics after ${totalsText(totals, elapsed)}`,
    );
  }

  #read(): { totals: MirrorTotals; elapsed: number } {
    return { totals: this.#mirror.read(), elapsed: performance.now() - this.#startedAt };
  }
}

function totalsDocument(totals: MirrorTotals, elapsed: number): { [name: string]: Json } {
  return {
    duration_ms: Math.round(elapsed),
    seen: totals.seen.toString(),
    mirrored: totals.mirrored.toString(),
    filtered: totals.filtered.toString(),
    tunnel: totals.tunnel.toString(),
    tunnel_lost: totals.tunnelLost.toString(),
    targets: totals.targets.map(({ name, packets, bytes, dropped }) => ({
      target: name,
      packets: packets.toString(),
      bytes: bytes.toString(),
      dropped: dropped.toString(),
    })),
  };
}

function totalsText(totals: MirrorTotals, elapsed: number): string {
  const { seen, mirrored, filtered, tunnel, tunnelLost, targets } = totals;
  const parts = targets.map(
    ({ name, packets, bytes, dropped }) =>
      `to ${name} ${packets.toString()} (${bytes.toString()} bytes, ${dropped.toString()} refused)`,
  );
  return (
    `${(elapsed / 1000).toFixed(1)} s: ${seen.toString()} frames, mirrored ${mirrored.toString()}, ` +
    `not wanted ${filtered.toString()}, the tunnel's own ${tunnel.toString()}; ${parts.join(', ')}; ` +
    `lost in the tunnel: ${tunnelLost.toString()}`
  );
}
