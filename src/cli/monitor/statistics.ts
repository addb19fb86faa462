import type { PacketCounters, PacketTotals } from '../../monitor/index.ts';
import type { Json } from '../output/error-report.ts';
import type { Output } from '../output/output.ts';

/** Prints what was counted, now and then and at the end. */
export class StatisticsPrinter {
  readonly #counters: PacketCounters;
  readonly #output: Output;
  readonly #startedAt = performance.now();
  #before = { total: 0n, at: this.#startedAt };

  constructor(counters: PacketCounters, output: Output) {
    this.#counters = counters;
    this.#output = output;
  }

  printPeriodic(): void {
    const totals = this.#counters.read();
    const at = performance.now();
    const { total } = totals;
    const recent = perSecond(total - this.#before.total, at - this.#before.at);
    this.#before = { total, at };
    const elapsed = at - this.#startedAt;
    this.#output.stream({
      json: () => ({
        type: 'statistics',
        ...totalsDocument(totals, elapsed),
        recent_packets_per_second: rounded(recent),
      }),
      text: () => `statistics after ${totalsText(totals, { elapsed, recent })}`,
    });
  }

  /** `packets` is how many were read, `dropped` how many lines the output was too slow for. */
  printFinal({ packets, dropped }: { readonly packets: number; readonly dropped: number }): void {
    const totals = this.#counters.read();
    const elapsed = performance.now() - this.#startedAt;
    const unprinted = dropped > 0 ? `; not printed, the output was too slow: ${String(dropped)}` : '';
    this.#output.result(
      { type: 'summary', ...totalsDocument(totals, elapsed), packets, dropped },
      `final statistics after ${totalsText(totals, { elapsed })}${unprinted}`,
    );
  }
}

function totalsDocument(totals: PacketTotals, elapsed: number): { [name: string]: Json } {
  const { total, tcp, udp, other, lost } = totals;
  return {
    duration_ms: Math.round(elapsed),
    total: total.toString(),
    tcp: tcp.toString(),
    udp: udp.toString(),
    other: other.toString(),
    lost: lost?.toString() ?? null,
    tcp_percent: rounded(percent(tcp, total)),
    udp_percent: rounded(percent(udp, total)),
    other_percent: rounded(percent(other, total)),
    packets_per_second: rounded(perSecond(total, elapsed)),
  };
}

function totalsText(
  { total, tcp, udp, other, lost }: PacketTotals,
  { elapsed, recent }: { readonly elapsed: number; readonly recent?: number },
): string {
  const share = (name: string, count: bigint): string =>
    `${name} ${count.toString()} (${percent(count, total).toFixed(1)}%)`;
  const now = recent === undefined ? '' : `, ${recent.toFixed(2)}/s of late`;
  const rate = `${perSecond(total, elapsed).toFixed(2)}/s${now}`;
  return (
    `${(elapsed / 1000).toFixed(1)} s: ${total.toString()} packets (${rate}), ` +
    `${share('TCP', tcp)}, ${share('UDP', udp)}, ${share('other', other)}; ` +
    (lost === undefined ? 'lost: unknown, the object does not count' : `lost: ${lost.toString()}`)
  );
}

function perSecond(count: bigint, milliseconds: number): number {
  return milliseconds > 0 ? (Number(count) * 1000) / milliseconds : 0;
}

/** 0 of nothing. */
function percent(part: bigint, total: bigint): number {
  return total === 0n ? 0 : (Number(part) / Number(total)) * 100;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
