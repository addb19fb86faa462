import { createRequire } from 'node:module';
import type koffi from 'koffi';
import { DependencyError } from '../errors.ts';

type Koffi = typeof koffi;

/**
 * The libc functions in use, as C declares them. A pointer is given as the buffer itself, which koffi then keeps
 * alive during the call. Nothing is checked here or by koffi: a value out of range is cut without a word and a
 * wrong pointer ends the process, so only code that has checked its arguments may call these.
 */
export interface Libc {
  bpf(number: number, command: number, attribute: Uint8Array, size: number): number;
  capget(header: Uint8Array, data: Uint8Array): number;
  capset(header: Uint8Array, data: Uint8Array): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  clock_gettime(clock: number, time: Uint8Array): number;
  close(fd: number): number;
  connect(fd: number, address: Uint8Array, length: number): number;
  epoll_create1(flags: number): number;
  epoll_ctl(epoll: number, operation: number, fd: number, event: Uint8Array): number;
  epoll_wait(epoll: number, events: Uint8Array, count: number, timeout: number): number;
  eventfd(value: number, flags: number): number;
  fcntl(fd: number, command: number, argument: number): number;
  flock(fd: number, operation: number): number;
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number;
  getsockopt(fd: number, level: number, option: number, value: Uint8Array, length: Uint8Array): number;
  ioctl(fd: number, request: number, argument: Uint8Array): number;
  ioctlNumber(fd: number, request: number, argument: number): number;
  madvise(address: number, length: number, advice: number): number;
  mmap(
    address: number,
    length: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ): number;
  perf_event_open(
    number: number,
    attribute: Uint8Array,
    pid: number,
    cpu: number,
    group: number,
    flags: number,
  ): number;
  pidfd_open(number: number, pid: number, flags: number): number;
  mount(source: string, target: string, type: string, flags: number, data: string): number;
  munmap(address: number, length: number): number;
  process_vm_readv(
    pid: number,
    local: Uint8Array,
    localCount: number,
    remote: Uint8Array,
    remoteCount: number,
    flags: number,
  ): number;
  process_vm_writev(
    pid: number,
    local: Uint8Array,
    localCount: number,
    remote: Uint8Array,
    remoteCount: number,
    flags: number,
  ): number;
  prlimit(pid: number, resource: number, value: Uint8Array, previous: null): number;
  recv(fd: number, buffer: Uint8Array, length: number, flags: number): number;
  send(fd: number, buffer: Uint8Array, length: number, flags: number): number;
  sendto(
    fd: number,
    buffer: Uint8Array,
    length: number,
    flags: number,
    address: Uint8Array,
    addressLength: number,
  ): number;
  setns(fd: number, type: number): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number;
  sigprocmask(how: number, set: Uint8Array, before: Uint8Array | null): number;
  socket(domain: number, type: number, protocol: number): number;
  sysconf(name: number): number;
  umount2(target: string, flags: number): number;
}

type Signature = readonly [symbol: string, result: string, parameters: readonly string[]];

// `fcntl`, `ioctl` and `syscall` are variadic in C. Without floating-point arguments the calling conventions of
// x86-64 and arm64 Linux pass variadic arguments like named ones, so a fixed signature serves, at half the cost.
const signatures: { readonly [Name in keyof Libc]: Signature } = {
  bpf: ['syscall', 'int', ['long', 'int', 'void *', 'uint']],
  capget: ['capget', 'int', ['void *', 'void *']],
  capset: ['capset', 'int', ['void *', 'void *']],
  bind: ['bind', 'int', ['int', 'void *', 'uint']],
  clock_gettime: ['clock_gettime', 'int', ['int', 'void *']],
  close: ['close', 'int', ['int']],
  connect: ['connect', 'int', ['int', 'void *', 'uint']],
  epoll_create1: ['epoll_create1', 'int', ['int']],
  epoll_ctl: ['epoll_ctl', 'int', ['int', 'int', 'int', 'void *']],
  epoll_wait: ['epoll_wait', 'int', ['int', 'void *', 'int', 'int']],
  eventfd: ['eventfd', 'int', ['uint', 'int']],
  fcntl: ['fcntl', 'int', ['int', 'int', 'long']],
  flock: ['flock', 'int', ['int', 'int']],
  getsockname: ['getsockname', 'int', ['int', 'void *', 'void *']],
  getsockopt: ['getsockopt', 'int', ['int', 'int', 'int', 'void *', 'void *']],
  ioctl: ['ioctl', 'int', ['int', 'ulong', 'void *']],
  ioctlNumber: ['ioctl', 'int', ['int', 'ulong', 'long']],
  madvise: ['madvise', 'int', ['uintptr_t', 'size_t', 'int']],
  // User addresses lie below 2^47 (2^48 on arm64), so a 64-bit integer result is always a plain number.
  mmap: ['mmap', 'int64', ['uintptr_t', 'size_t', 'int', 'int', 'int', 'int64']],
  perf_event_open: ['syscall', 'int', ['long', 'void *', 'int', 'int', 'int', 'ulong']],
  pidfd_open: ['syscall', 'int', ['long', 'int', 'uint']],
  mount: ['mount', 'int', ['str', 'str', 'str', 'ulong', 'str']],
  munmap: ['munmap', 'int', ['uintptr_t', 'size_t']],
  process_vm_readv: ['process_vm_readv', 'int64', ['int', 'void *', 'ulong', 'void *', 'ulong', 'ulong']],
  process_vm_writev: ['process_vm_writev', 'int64', ['int', 'void *', 'ulong', 'void *', 'ulong', 'ulong']],
  prlimit: ['prlimit', 'int', ['int', 'int', 'void *', 'void *']],
  recv: ['recv', 'int64', ['int', 'void *', 'size_t', 'int']],
  send: ['send', 'int64', ['int', 'void *', 'size_t', 'int']],
  sendto: ['sendto', 'int64', ['int', 'void *', 'size_t', 'int', 'void *', 'uint']],
  setns: ['setns', 'int', ['int', 'int']],
  setsockopt: ['setsockopt', 'int', ['int', 'int', 'int', 'void *', 'uint']],
  sigprocmask: ['sigprocmask', 'int', ['int', 'void *', 'void *']],
  socket: ['socket', 'int', ['int', 'int', 'int']],
  sysconf: ['sysconf', 'long', ['int']],
  umount2: ['umount2', 'int', ['str', 'int']],
};

let loadedKoffi: Koffi | undefined;
let loadedLibc: Libc | undefined;

/** Loads koffi at the first call: it costs 5 ms, and its native part may be absent. */
export function foreign(): Koffi {
  if (loadedKoffi === undefined) {
    try {
      loadedKoffi = createRequire(import.meta.url)('koffi') as Koffi;
    } catch (cause) {
      throw new DependencyError(
        'koffi',
        `Cannot call the kernel: the native part of koffi is not installed`,
        {
          hint: 'Install again without --omit=optional; koffi has prebuilt packages for Linux on x64 and arm64.',
          cause,
        },
      );
    }
  }
  return loadedKoffi;
}

/** The libc of this process, whichever it is (glibc or musl): no library is opened by path. */
export function libc(): Libc {
  if (loadedLibc === undefined) {
    const library = foreign().load(null);
    const bound: Partial<Record<keyof Libc, unknown>> = {};
    for (const [name, [symbol, result, parameters]] of Object.entries(signatures) as [
      keyof Libc,
      Signature,
    ][]) {
      bound[name] = library.func(symbol, result, [...parameters]);
    }
    loadedLibc = bound as unknown as Libc;
  }
  return loadedLibc;
}

/** The errno of the call that has just failed; right only before any other call. */
export function lastErrno(): number {
  return foreign().errno();
}
