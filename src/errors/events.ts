import { TsXdpError, type ErrorContext } from './base.ts';

/** A thread that reads a ring buffer ended with an error: its handler threw it, or could not be made. */
export class RingWorkerError extends TsXdpError {
  readonly code = 'RING_WORKER_FAILED';
  /** The map's name; several are separated by commas. */
  readonly map: string;

  /** `cause` is what was thrown there, as far as it can be passed between threads. */
  constructor({ map, what }: { readonly map: string; readonly what: string }, cause: unknown) {
    const said = cause instanceof Error ? cause.message : String(cause);
    super(`Cannot read ${what} in a worker: ${said}`, { cause });
    this.map = map;
  }
}

/** Memory of an arena that no program has allocated, where only programs may (`BPF_F_SEGV_ON_FAULT`). */
export class UnallocatedPageError extends TsXdpError {
  readonly code = 'PAGE_UNALLOCATED';
  /** The map's name. */
  readonly map: string;
  /** Of the first byte that was asked for, counted from 0; the missing page is this one, or one behind it. */
  readonly page: number;

  /** `cause` is what the kernel said. */
  constructor(map: string, page: number, options: { readonly cause?: unknown } = {}) {
    super(
      `Cannot touch page ${page} of arena ${map}: it, or one behind it, is not allocated, and with BPF_F_SEGV_ON_FAULT only programs allocate`,
      { ...options, hint: 'call bpf_arena_alloc_pages() in a program first' },
    );
    this.map = map;
    this.page = page;
  }
}

/** Records of a ring buffer are not of the size that their type has. */
export class EventSizeError extends TsXdpError {
  readonly code = 'EVENT_SIZE_MISMATCH';
  readonly map: string;
  readonly struct: string;
  /** Bytes; the fewest where the struct ends in a flexible array. */
  readonly structSize: number;
  readonly recordSize: number;

  /** `orMore` where the struct ends in a flexible array. */
  constructor(
    map: string,
    struct: string,
    structSize: number,
    recordSize: number,
    context: ErrorContext & { readonly orMore?: boolean } = {},
  ) {
    const { orMore = false, ...rest } = context;
    super(
      `Cannot read a record of ${map} as struct ${struct}: ` +
        `the record has ${String(recordSize)} bytes, the struct ${orMore ? 'at least ' : ''}${String(structSize)}`,
      rest,
    );
    this.map = map;
    this.struct = struct;
    this.structSize = structSize;
    this.recordSize = recordSize;
  }
}
