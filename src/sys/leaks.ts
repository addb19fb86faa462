/** A handle that became unreachable without `close()`. */
export interface Leak {
  readonly resource: string;
  /** Where the handle was made; there while {@link trackLeaks} was on. */
  readonly createdAt: string | undefined;
}

interface Held {
  readonly resource: string;
  readonly createdAt: string | undefined;
  readonly release: () => void;
}

let listener: ((leak: Leak) => void) | undefined;
let registry: FinalizationRegistry<Held> | undefined;

/**
 * From now on handles remember where they were made, and `report` is called for each one that the garbage
 * collector finds unclosed. Costs a stack trace per handle: for tests. Returns a function that ends it.
 */
export function trackLeaks(report: (leak: Leak) => void): () => void {
  listener = report;
  return () => {
    if (listener === report) listener = undefined;
  };
}

/**
 * Watches `handle` until {@link forget}. When the collector finds it first, the leak is reported (as a process
 * warning where nobody tracks) and then `release` is called, which must not hold `handle`.
 */
export function watchForLeak(handle: object, resource: string, release: () => void): void {
  registry ??= new FinalizationRegistry<Held>(reportLeak);
  const createdAt = listener === undefined ? undefined : new Error(`${resource} was made here`).stack;
  registry.register(handle, { resource, createdAt, release }, handle);
}

export function forget(handle: object): void {
  registry?.unregister(handle);
}

function reportLeak({ resource, createdAt, release }: Held): void {
  if (listener === undefined) {
    process.emitWarning(`${resource} was never closed; it is closed now, by the garbage collector`, {
      type: 'TsXdpLeak',
      detail: 'Call close() on every handle, or declare it with "using".',
    });
  } else {
    listener({ resource, createdAt });
  }
  release();
}
