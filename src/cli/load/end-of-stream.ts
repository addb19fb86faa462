import type { Output } from '../output/output.ts';

/** Decides when a stream ends: whichever of several reasons comes first. */
export class EndOfStream {
  readonly reached: Promise<void>;
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor() {
    this.reached = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Something may fail before anybody waits; whoever waits then still hears of it.
    this.reached.catch(() => undefined);
  }

  finish(): void {
    this.#resolve();
  }

  fail(error: unknown): void {
    this.#reject(error);
  }

  /** SIGINT and SIGTERM end the stream in order. Returns what takes that back. */
  onSignals(): () => void {
    const finish = (): void => {
      this.finish();
    };
    process.on('SIGINT', finish).on('SIGTERM', finish);
    return () => {
      process.off('SIGINT', finish).off('SIGTERM', finish);
    };
  }

  /** The reader of standard output went away, or writing there failed. */
  onStandardOutput(output: Output): void {
    output.onClosed((failure) => {
      if (failure) this.fail(failure);
      else this.finish();
    });
  }

  after(milliseconds: number): () => void {
    const timer = setTimeout(() => {
      this.finish();
    }, milliseconds);
    return () => {
      clearTimeout(timer);
    };
  }
}
