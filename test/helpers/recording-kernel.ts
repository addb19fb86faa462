import { CopiedMapping, MemoryMapping } from '../../src/sys/index.ts';
import type { Kernel, MapCopiedRequest, MmapRequest } from '../../src/sys/index.ts';

/** One bpf(2) call as the kernel got it. */
export interface RecordedCall {
  readonly command: number;
  /** A copy of `union bpf_attr`. */
  readonly attribute: Uint8Array;
}

/**
 * A kernel that only notes what it is asked. Each bpf(2) call is answered by `answer`, which may write into the
 * attribute as the kernel does; without it with a new descriptor.
 */
export class RecordingKernel implements Kernel {
  readonly pageSize = 4096;
  readonly calls: RecordedCall[] = [];
  readonly openDescriptors = new Set<number>();
  readonly openMappings = new Set<MmapRequest | MapCopiedRequest>();
  readonly #answer: ((call: RecordedCall, attribute: Uint8Array) => number) | undefined;
  readonly #addresses = new WeakMap<ArrayBufferLike, bigint>();
  #nextAddress = 0x7f00_0000_0000n;
  #nextDescriptor = 10;

  constructor(answer?: (call: RecordedCall, attribute: Uint8Array) => number) {
    this.#answer = answer;
  }

  bpf(command: number, attribute: Uint8Array): number {
    const call = { command, attribute: attribute.slice() };
    this.calls.push(call);
    return this.#answer === undefined ? this.newDescriptor() : this.#answer(call, attribute);
  }

  /** For an answer that gives a descriptor. */
  newDescriptor(): number {
    const fd = this.#nextDescriptor++;
    this.openDescriptors.add(fd);
    return fd;
  }

  addressOf(bytes: Uint8Array): bigint {
    if (bytes.length === 0) return 0n;
    let base = this.#addresses.get(bytes.buffer);
    if (base === undefined) {
      base = this.#nextAddress;
      this.#nextAddress += BigInt(Math.ceil(bytes.buffer.byteLength / 4096) * 4096);
      this.#addresses.set(bytes.buffer, base);
    }
    return base + BigInt(bytes.byteOffset);
  }

  close(fd: number): number {
    return this.openDescriptors.delete(fd) ? 0 : -9;
  }

  duplicate(fd: number, minimum: number): number {
    if (!this.openDescriptors.has(fd)) return -9;
    this.#nextDescriptor = Math.max(this.#nextDescriptor, minimum);
    return this.newDescriptor();
  }

  mmap(request: MmapRequest): MemoryMapping {
    this.openMappings.add(request);
    const buffer = new ArrayBuffer(request.length);
    return new MemoryMapping(buffer, () => {
      this.openMappings.delete(request);
      new Uint8Array(buffer).fill(0);
    });
  }

  mapCopied(request: MapCopiedRequest): CopiedMapping {
    this.openMappings.add(request);
    const memory = new Map<number, number>();
    const address = request.address ?? 0x6f00_0000_0000n;
    return new CopiedMapping(
      { address, length: request.length },
      {
        read: (from, bytes) => {
          bytes.forEach((_, index) => (bytes[index] = memory.get(Number(from - address) + index) ?? 0));
        },
        write: (to, bytes) => {
          bytes.forEach((byte, index) => memory.set(Number(to - address) + index, byte));
        },
        release: () => this.openMappings.delete(request),
      },
    );
  }

  possibleCpus(): number {
    return 4;
  }

  onlineCpus(): number {
    return 2;
  }
}
