import { fstatSync } from 'node:fs';
import { ArgumentError, UnsupportedFeatureError } from '../errors.ts';
import { checkBytes, checkDescriptor, checkInteger } from './argument-checks.ts';
import { readCpuCount } from './cpus.ts';
import { errno, syscallError } from './errno.ts';
import type { Kernel, MapCopiedRequest, MmapRequest } from './kernel.ts';
import { foreign, lastErrno, libc } from './libc.ts';
import type { Libc } from './libc.ts';
import { CopiedMapping } from './copied-mapping.ts';
import { MemoryMapping } from './memory-mapping.ts';

// <asm/unistd.h>; libc has no wrapper for bpf(2).
const bpfSyscallNumbers: Readonly<Partial<Record<NodeJS.Architecture, number>>> = { x64: 321, arm64: 280 };

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
/** Linux 4.17; older kernels take the address for a hint, so the result is compared. */
const MAP_FIXED_NOREPLACE = 0x100000;
const F_DUPFD_CLOEXEC = 1030;
const _SC_PAGESIZE = 30;

let shared: Kernel | undefined;

/** The running kernel, by FFI. One per thread, made at the first call. */
export function systemKernel(): Kernel {
  shared ??= new SystemKernel(libc(), bpfSyscallNumber());
  return shared;
}

function bpfSyscallNumber(): number {
  const number = process.platform === 'linux' ? bpfSyscallNumbers[process.arch] : undefined;
  if (number === undefined) {
    throw new UnsupportedFeatureError(
      'bpf',
      '3.18',
      `Cannot call bpf(2): it is there on Linux on x64 and arm64, and this is ${process.platform} on ${process.arch}`,
    );
  }
  return number;
}

class SystemKernel implements Kernel {
  readonly pageSize: number;
  readonly #libc: Libc;
  readonly #bpfNumber: number;
  #possibleCpus: number | undefined;

  constructor(bound: Libc, bpfNumber: number) {
    this.#libc = bound;
    this.#bpfNumber = bpfNumber;
    this.pageSize = bound.sysconf(_SC_PAGESIZE);
  }

  bpf(command: number, attribute: Uint8Array): number {
    checkInteger('command', command, { minimum: 0, maximum: 0x7fff_ffff });
    checkBytes('attribute', attribute);
    const result = this.#libc.bpf(this.#bpfNumber, command, attribute, attribute.length);
    return result < 0 ? -lastErrno() : result;
  }

  addressOf(bytes: Uint8Array): bigint {
    checkBytes('bytes', bytes);
    return foreign().address(bytes);
  }

  close(fd: number): number {
    checkDescriptor(fd);
    return this.#libc.close(fd) < 0 ? -lastErrno() : 0;
  }

  duplicate(fd: number, minimum: number): number {
    checkDescriptor(fd);
    checkInteger('minimum', minimum, { minimum: 0, maximum: 0x7fff_ffff });
    const result = this.#libc.fcntl(fd, F_DUPFD_CLOEXEC, minimum);
    return result < 0 ? -lastErrno() : result;
  }

  mmap(request: MmapRequest): MemoryMapping {
    const { fd, length, offset, writable } = request;
    checkDescriptor(fd);
    checkInteger('length', length, { minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
    checkInteger('offset', offset, { minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
    refuseRegularFile(fd);
    const protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    const address = this.#libc.mmap(0, length, protection, MAP_SHARED, fd, offset);
    if (address === -1) {
      throw syscallError({
        call: 'mmap',
        errno: lastErrno(),
        doing: `map ${String(length)} bytes of descriptor ${String(fd)}`,
      });
    }
    const buffer = foreign().view(BigInt(address), length);
    return new MemoryMapping(buffer, () => {
      this.#overlay(address, length);
    });
  }

  mapCopied({ fd, length, address = 0n }: MapCopiedRequest): CopiedMapping {
    checkDescriptor(fd);
    checkInteger('length', length, { minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
    checkInteger('address', Number(address), { minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
    refuseRegularFile(fd);
    const doing = `map ${String(length)} bytes of descriptor ${String(fd)}`;
    const flags = address === 0n ? MAP_SHARED : MAP_SHARED | MAP_FIXED_NOREPLACE;
    const bound = this.#libc;
    const found = bound.mmap(Number(address), length, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (found === -1) throw syscallError({ call: 'mmap', errno: lastErrno(), doing });
    const release = (): void => {
      if (bound.munmap(found, length) < 0)
        throw syscallError({ call: 'munmap', errno: lastErrno(), doing: 'release a mapping' });
    };
    if (address !== 0n && BigInt(found) !== address) {
      release();
      throw syscallError({ call: 'mmap', errno: errno.EEXIST, doing });
    }
    return new CopiedMapping(
      { address: BigInt(found), length },
      {
        read: (from, bytes) => {
          this.#copy('process_vm_readv', { address: from, bytes });
        },
        write: (to, bytes) => {
          this.#copy('process_vm_writev', { address: to, bytes });
        },
        release,
      },
    );
  }

  /** Both know memory by `struct iovec`: an address and a length of 8 bytes each. */
  #copy(
    call: 'process_vm_readv' | 'process_vm_writev',
    { address, bytes }: { address: bigint; bytes: Uint8Array },
  ): void {
    const local = new BigUint64Array([foreign().address(bytes), BigInt(bytes.length)]);
    const remote = new BigUint64Array([address, BigInt(bytes.length)]);
    const [ours, theirs] = [new Uint8Array(local.buffer), new Uint8Array(remote.buffer)];
    const copied = this.#libc[call](process.pid, ours, 1, theirs, 1, 0);
    if (copied === bytes.length) return;
    // A copy that stops half-way met a page that is not there.
    const number = copied < 0 ? lastErrno() : errno.EFAULT;
    const doing = `copy ${String(bytes.length)} bytes at 0x${address.toString(16)}`;
    throw syscallError({ call, errno: number, doing });
  }

  possibleCpus(): number {
    // Fixed at boot, unlike the CPUs that are online.
    this.#possibleCpus ??= readCpuCount('possible');
    return this.#possibleCpus;
  }

  onlineCpus(): number {
    return readCpuCount('online');
  }

  /**
   * Lets go of the kernel object by putting zero pages in its place. The address range stays taken: an ArrayBuffer
   * on foreign memory cannot be detached, so a late access must find memory there. Writable, because a late store
   * must not fault either.
   */
  #overlay(address: number, length: number): void {
    const flags = MAP_FIXED | MAP_ANONYMOUS | MAP_PRIVATE | MAP_NORESERVE;
    if (this.#libc.mmap(address, length, PROT_READ | PROT_WRITE, flags, -1, 0) === -1) {
      throw syscallError({ call: 'mmap', errno: lastErrno(), doing: 'release a memory mapping' });
    }
  }
}

/** A page past the end of a file that shrinks is SIGBUS when touched; BPF objects and sockets cannot shrink. */
function refuseRegularFile(fd: number): void {
  let isFile: boolean;
  try {
    isFile = fstatSync(fd).isFile();
  } catch (cause) {
    throw syscallError({
      call: 'fstat',
      errno: (cause as NodeJS.ErrnoException).errno ?? errno.EBADF,
      doing: `map descriptor ${String(fd)}`,
    });
  }
  if (isFile)
    throw new ArgumentError(
      'fd',
      `Cannot map descriptor ${String(fd)}: it is a regular file, which may shrink under the mapping`,
    );
}
