import type { CopiedMapping } from './copied-mapping.ts';
import type { MemoryMapping } from './memory-mapping.ts';

export interface MmapRequest {
  readonly fd: number;
  /** Bytes, above zero. */
  readonly length: number;
  /** Bytes from the start of the object; a multiple of the page size. */
  readonly offset: number;
  /** Without it the pages are read-only, and writing to a view on them ends the process. */
  readonly writable: boolean;
}

export interface MapCopiedRequest {
  readonly fd: number;
  /** Bytes, above zero. */
  readonly length: number;
  /** Where it must lie; nothing else may be there. @default wherever the kernel likes */
  readonly address?: bigint | undefined;
}

/**
 * What the layers above need of the operating system to load and use BPF objects. {@link systemKernel} is the real
 * one; a fake that records the calls takes its place in tests that need no root.
 */
export interface Kernel {
  /** bpf(2) with `attribute.length` as the size. The result, or the negated errno; never throws for an errno. */
  bpf(command: number, attribute: Uint8Array): number;
  /** The address of the first byte, `0n` for no bytes; valid only while the caller holds the buffer. */
  addressOf(bytes: Uint8Array): bigint;
  /** 0, or the negated errno. */
  close(fd: number): number;
  /** A new descriptor, not below `minimum`, for the same open file, closed on exec; or the negated errno. */
  duplicate(fd: number, minimum: number): number;
  /** Maps shared pages. Throws {@link SyscallError} or {@link PermissionError}. */
  mmap(request: MmapRequest): MemoryMapping;
  /**
   * Maps memory that is copied from and to instead of being looked at, so that it can be large, partly populated, and
   * unmapped. Throws {@link SyscallError} or {@link PermissionError}.
   */
  mapCopied(request: MapCopiedRequest): CopiedMapping;
  /** Bytes. */
  readonly pageSize: number;
  /** CPUs that can ever be there. A per-CPU map value has one slot for each, of `value_size` rounded up to 8. */
  possibleCpus(): number;
  /** CPUs that are running now. */
  onlineCpus(): number;
}
