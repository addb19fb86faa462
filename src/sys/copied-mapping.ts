import { BoundsError, ClosedError } from '../errors.ts';
import { forget, watchForLeak } from './leaks.ts';

/** How a mapping is copied from and to, and given back. */
export interface CopiedMappingAccess {
  read(address: bigint, bytes: Uint8Array): void;
  write(address: bigint, bytes: Uint8Array): void;
  release(): void;
}

/**
 * Shared memory of a kernel object that this process has mapped and never looks at directly. Every access is a copy
 * made by the kernel, which answers with an error where plain memory access would end the process: on pages that an
 * arena has not allocated, and after they are gone. As no view exists, closing gives the address range back.
 */
export class CopiedMapping {
  readonly address: bigint;
  /** Bytes. */
  readonly length: number;
  readonly #access: CopiedMappingAccess;
  #closed = false;

  /** `access` must not hold this mapping. */
  constructor(place: { address: bigint; length: number }, access: CopiedMappingAccess) {
    this.address = place.address;
    this.length = place.length;
    this.#access = access;
    watchForLeak(this, `a mapping of ${String(place.length)} bytes`, () => {
      access.release();
    });
  }

  /** A copy of `length` bytes from `offset` on. @throws BoundsError, ClosedError, SyscallError (EFAULT) */
  read(offset: number, length: number): Uint8Array {
    this.#check(offset, length);
    const bytes = new Uint8Array(length);
    if (length > 0) this.#access.read(this.address + BigInt(offset), bytes);
    return bytes;
  }

  /** @throws BoundsError, ClosedError, SyscallError (EFAULT) */
  write(offset: number, bytes: Uint8Array): void {
    this.#check(offset, bytes.length);
    if (bytes.length > 0) this.#access.write(this.address + BigInt(offset), bytes);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    forget(this);
    this.#access.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #check(offset: number, length: number): void {
    if (this.#closed) throw new ClosedError('a mapping');
    const inside = Number.isSafeInteger(offset) && offset >= 0 && Number.isSafeInteger(length) && length >= 0;
    if (!inside || offset + length > this.length) throw new BoundsError(offset, length, this.length);
  }
}
