import { forget, watchForLeak } from './leaks.ts';

/**
 * Shared memory of a kernel object.
 *
 * Its buffer cannot be detached on Node 20, and touching unmapped memory ends the process. So `close()` lets go of
 * the kernel object and leaves zero pages at the address: a view that is used too late reads zeros and writes into
 * the void. The address range itself is never given back.
 *
 * The buffer is for the layers that own a mapping. It must not reach user code: on Node 22 `transfer()` would move
 * it away, and a store into pages mapped read-only ends the process.
 */
export class MemoryMapping {
  /** The mapped bytes. */
  readonly buffer: ArrayBuffer;
  readonly bytes: Uint8Array;
  readonly dataView: DataView;
  readonly #release: () => void;
  #closed = false;

  /** `release` lets go of the kernel object and must not hold this mapping. */
  constructor(buffer: ArrayBuffer, release: () => void) {
    this.buffer = buffer;
    this.bytes = new Uint8Array(buffer);
    this.dataView = new DataView(buffer);
    this.#release = release;
    watchForLeak(this, `a memory mapping of ${String(buffer.byteLength)} bytes`, release);
  }

  /** Bytes. */
  get length(): number {
    return this.buffer.byteLength;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Idempotent. Afterwards every view reads zeros. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    forget(this);
    this.#release();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
