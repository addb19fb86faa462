import { ArgumentError, BoundsError, ClosedError, UnallocatedPageError } from '../errors.ts';
import { errno, type CopiedMapping } from '../sys/index.ts';
import { arenaMemory } from './arena-memory.ts';
import { requireType } from './family.ts';
import type { BpfMap } from './map.ts';
import { MapType } from './map-type.ts';

/**
 * The memory of an arena (Linux 6.9), which programs and this process share: global variables of `__arena`, and pages of
 * `bpf_arena_alloc_pages()`. A pointer that a program stores is an address in this process: {@link offsetOf} says where in
 * the arena it lies.
 *
 * What is read is a copy that the kernel makes, so nothing ends this process. Touching a page that nobody has allocated
 * allocates it, full of zeros (arena_vm_fault() in kernel/bpf/arena.c); with `BPF_F_SEGV_ON_FAULT` only programs allocate, and
 * it is an error here. Programs may write at the same time: no access is atomic.
 *
 * It does not own the map: closing that ends it.
 *
 * @example
 * const arena = new Arena(collection.map('arena'));
 * const node = arena.offsetOf(first); // a pointer that a program has stored
 * console.log(arena.u64(node), arena.pointer(node + 8));
 */
export class Arena {
  readonly map: BpfMap;
  /** Bytes: `max_entries` pages. */
  readonly length: number;
  /** Bytes of a page: what `bpf_arena_alloc_pages()` counts in. */
  readonly pageSize: number;
  /** Where it begins in this process, and so what programs' pointers are relative to. */
  readonly address: bigint;
  readonly #memory: CopiedMapping;

  /**
   * Maps it, where loading its programs has not done so.
   *
   * @throws ArgumentError for a map of another type; ClosedError; SyscallError: EBUSY where another process has mapped it elsewhere
   */
  constructor(map: BpfMap) {
    requireType(map, { types: [MapType.Arena], as: 'an arena' });
    if (map.fd.closed) throw new ClosedError(`map ${map.name}`);
    this.map = map;
    this.#memory = arenaMemory(map);
    this.length = this.#memory.length;
    this.address = this.#memory.address;
    this.pageSize = map.kernel.pageSize;
  }

  get closed(): boolean {
    return this.#memory.closed;
  }

  /** A copy of `length` bytes from `offset` on. @throws BoundsError, UnallocatedPageError, ClosedError */
  read(offset: number, length: number): Uint8Array {
    return this.#access(offset, () => this.#memory.read(offset, length));
  }

  /** @throws BoundsError, UnallocatedPageError, ClosedError */
  write(offset: number, bytes: Uint8Array): void {
    this.#access(offset, () => {
      this.#memory.write(offset, bytes);
    });
  }

  /** @throws as {@link read} */
  u32(offset: number): number {
    return view(this.read(offset, 4)).getUint32(0, true);
  }

  /** @throws as {@link read} */
  u64(offset: number): bigint {
    return view(this.read(offset, 8)).getBigUint64(0, true);
  }

  /** A pointer into the arena that lies at an offset; 0n is NULL. @throws as {@link read} */
  pointer(offset: number): bigint {
    return this.u64(offset);
  }

  /** Whether a pointer of a program's, or an address of this process, points into it. */
  has(pointer: bigint): boolean {
    return pointer >= this.address && pointer < this.address + BigInt(this.length);
  }

  /**
   * Where a pointer points, in bytes from the beginning. Programs that keep their own, narrow form of an address (the low 32
   * bits, as in registers that were not cast) have the same low 32 bits, by which it is found.
   *
   * @throws ArgumentError for NULL and for one that points elsewhere
   */
  offsetOf(pointer: bigint): number {
    if (this.has(pointer)) return Number(pointer - this.address);
    // The kernel's and the process's address agree in them (arena_map_mmap() in kernel/bpf/arena.c).
    const narrow = pointer <= 0xffff_ffffn ? BigInt.asUintN(32, pointer - this.address) : -1n;
    if (pointer > 0n && narrow >= 0n && narrow < BigInt(this.length)) return Number(narrow);
    const what = pointer === 0n ? 'it is NULL' : 'it points elsewhere';
    const message = `Cannot follow pointer 0x${pointer.toString(16)} into arena ${this.map.name}: ${what}`;
    throw new ArgumentError('pointer', message);
  }

  /** The pointer to an offset, for a program to follow. @throws BoundsError */
  pointerTo(offset: number): bigint {
    if (!Number.isSafeInteger(offset) || offset < 0 || offset >= this.length)
      throw new BoundsError(offset, 1, this.length);
    return this.address + BigInt(offset);
  }

  #access<Result>(offset: number, action: () => Result): Result {
    try {
      return action();
    } catch (error) {
      if ((error as { errno?: number }).errno !== errno.EFAULT) throw error;
      throw new UnallocatedPageError(this.map.name, Math.floor(offset / this.pageSize), { cause: error });
    }
  }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
