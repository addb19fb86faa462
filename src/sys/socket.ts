import { struct, i64, u32, i32 } from '../binary/index.ts';
import { checkBytes, checkDescriptor, checkInteger } from './argument-checks.ts';
import { effectiveCapabilities, missingCapabilities } from './capabilities.ts';
import { errno, syscallError } from './errno.ts';
import { Fd } from './fd.ts';
import { lastErrno, libc } from './libc.ts';
import { systemKernel } from './system-kernel.ts';

/** <bits/socket.h> and <asm-generic/socket.h>, the same on x86-64 and arm64. */
export const socketConstants = {
  AF_INET: 2,
  AF_NETLINK: 16,
  AF_PACKET: 17,
  SOCK_DGRAM: 2,
  SOCK_RAW: 3,
  SOCK_NONBLOCK: 0o4000,
  SOCK_CLOEXEC: 0o2000000,
  SOL_SOCKET: 1,
  SOL_PACKET: 263,
  SOL_NETLINK: 270,
  SO_ERROR: 4,
  SO_SNDBUF: 7,
  SO_RCVBUF: 8,
  SO_RCVTIMEO: 20,
  SO_RCVBUFFORCE: 33,
  MSG_PEEK: 0x2,
  MSG_TRUNC: 0x20,
  MSG_DONTWAIT: 0x40,
} as const;

const timeval = struct('timeval', { tv_sec: i64, tv_usec: i64 });
const integer = struct('int', { value: i32 });
const socklen = struct('socklen_t', { value: u32 });
/** struct sockaddr_storage holds every address there is. */
const largestAddress = 128;

export interface SocketOptions {
  /** AF_… */
  readonly domain: number;
  /** SOCK_…, close-on-exec is added. */
  readonly type: number;
  /** In the byte order that the domain wants: network order for AF_PACKET. */
  readonly protocol: number;
  /** What it is for, in messages: `route netlink socket`. */
  readonly description: string;
}

/** What a receive brought; `undefined` stands for "nothing there yet" (EAGAIN, or the receive timeout). */
export type Received = number | undefined;

/**
 * A socket over libc, blocking unless SOCK_NONBLOCK was given. Every method throws {@link SyscallError},
 * {@link PermissionError} or, after `close()`, {@link ClosedError}.
 */
export class Socket {
  readonly fd: Fd;
  readonly description: string;

  private constructor(fd: Fd, description: string) {
    this.fd = fd;
    this.description = description;
  }

  /** socket(2), in the network namespace that the thread is in now. */
  static open(options: SocketOptions): Socket {
    const { domain, type, protocol, description } = options;
    checkInteger('domain', domain, { minimum: 0, maximum: 0xffff });
    checkInteger('type', type, { minimum: 0, maximum: 0x7fff_ffff });
    checkInteger('protocol', protocol, { minimum: 0, maximum: 0xffff });
    const number = libc().socket(domain, type | socketConstants.SOCK_CLOEXEC, protocol);
    if (number < 0) {
      const needed = type % 16 === socketConstants.SOCK_RAW && domain !== socketConstants.AF_NETLINK;
      throw syscallError({
        call: 'socket',
        errno: lastErrno(),
        doing: `open a ${description}`,
        missing: needed ? missingCapabilities(['CAP_NET_RAW']) : [],
      });
    }
    return new Socket(new Fd(systemKernel(), number, description), description);
  }

  get closed(): boolean {
    return this.fd.closed;
  }

  /** bind(2) to an encoded `struct sockaddr_*`. */
  bind(address: Uint8Array): void {
    checkBytes('address', address, 2);
    if (libc().bind(this.fd.value, address, address.length) < 0) throw this.#failed('bind');
  }

  /** connect(2) to an encoded `struct sockaddr_*`. */
  connect(address: Uint8Array): void {
    checkBytes('address', address, 2);
    if (libc().connect(this.fd.value, address, address.length) < 0) throw this.#failed('connect');
  }

  /** The encoded local address. */
  getsockname(): Uint8Array {
    const address = new Uint8Array(largestAddress);
    const length = socklen.encode({ value: address.length });
    if (libc().getsockname(this.fd.value, address, length) < 0) throw this.#failed('getsockname');
    return address.subarray(0, Math.min(socklen.decode(length).value, address.length));
  }

  /** send(2), again after EINTR. Returns how many bytes went. */
  send(bytes: Uint8Array): number {
    checkBytes('bytes', bytes);
    return this.#retry('send', () => libc().send(this.fd.value, bytes, bytes.length, 0));
  }

  /** sendto(2) an encoded `struct sockaddr_*`, again after EINTR. Returns how many bytes went. */
  sendTo(bytes: Uint8Array, address: Uint8Array): number {
    checkBytes('bytes', bytes);
    checkBytes('address', address, 2);
    return this.#retry('sendto', () =>
      libc().sendto(this.fd.value, bytes, bytes.length, 0, address, address.length),
    );
  }

  /**
   * recv(2) into `buffer`, again after EINTR. Returns the bytes received, with MSG_TRUNC in `flags` the length of
   * the whole message even where it is longer than the buffer, or undefined where none is there (EAGAIN).
   */
  receive(buffer: Uint8Array, flags = 0): Received {
    checkBytes('buffer', buffer);
    checkInteger('flags', flags, { minimum: 0, maximum: 0x7fff_ffff });
    for (;;) {
      const length = libc().recv(this.fd.value, buffer, buffer.length, flags);
      if (length >= 0) return length;
      const failure = lastErrno();
      if (failure === errno.EAGAIN) return undefined;
      if (failure !== errno.EINTR)
        throw syscallError({ call: 'recv', errno: failure, doing: `use a ${this.description}` });
    }
  }

  /** setsockopt(2) with an encoded value, or an `int`. */
  setOption(option: { readonly level: number; readonly name: number }, value: Uint8Array | number): void {
    if (typeof value === 'number')
      checkInteger('value', value, { minimum: -0x8000_0000, maximum: 0x7fff_ffff });
    const bytes = typeof value === 'number' ? integer.encode({ value }) : value;
    checkBytes('value', bytes);
    checkInteger('level', option.level, { minimum: 0, maximum: 0x7fff_ffff });
    checkInteger('name', option.name, { minimum: 0, maximum: 0x7fff_ffff });
    if (libc().setsockopt(this.fd.value, option.level, option.name, bytes, bytes.length) < 0) {
      throw this.#failed('setsockopt');
    }
  }

  /** A blocking receive gives up after this long, and returns undefined. */
  setReceiveTimeout(milliseconds: number): void {
    checkInteger('milliseconds', milliseconds, { minimum: 1, maximum: 0x7fff_ffff });
    const { SOL_SOCKET, SO_RCVTIMEO } = socketConstants;
    const value = timeval.encode({
      tv_sec: BigInt(Math.floor(milliseconds / 1000)),
      tv_usec: BigInt((milliseconds % 1000) * 1000),
    });
    this.setOption({ level: SOL_SOCKET, name: SO_RCVTIMEO }, value);
  }

  /** Bytes that the kernel may queue; above net.core.rmem_max where CAP_NET_ADMIN allows it. */
  setReceiveBuffer(bytes: number): void {
    checkInteger('bytes', bytes, { minimum: 1, maximum: 0x3fff_ffff });
    const { SOL_SOCKET, SO_RCVBUF, SO_RCVBUFFORCE } = socketConstants;
    const allowed = effectiveCapabilities().has('CAP_NET_ADMIN');
    this.setOption({ level: SOL_SOCKET, name: allowed ? SO_RCVBUFFORCE : SO_RCVBUF }, bytes);
  }

  /** The pending error as an errno, 0 for none; reading clears it. */
  takeError(): number {
    const value = new Uint8Array(integer.size);
    const length = socklen.encode({ value: value.length });
    const { SOL_SOCKET, SO_ERROR } = socketConstants;
    if (libc().getsockopt(this.fd.value, SOL_SOCKET, SO_ERROR, value, length) < 0)
      throw this.#failed('getsockopt');
    return integer.decode(value).value;
  }

  close(): void {
    this.fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #retry(call: string, attempt: () => number): number {
    for (;;) {
      const result = attempt();
      if (result >= 0) return result;
      const failure = lastErrno();
      if (failure !== errno.EINTR)
        throw syscallError({ call, errno: failure, doing: `use a ${this.description}` });
    }
  }

  #failed(call: string): Error {
    return syscallError({ call, errno: lastErrno(), doing: `use a ${this.description}` });
  }
}

/**
 * setsockopt(2) with an `int` on a descriptor of somebody else's: a socket that Node made. 0, or the negated errno.
 */
export function setSocketOption(
  fd: number,
  option: { readonly level: number; readonly name: number; readonly value: number },
): number {
  const { level, name, value } = option;
  checkDescriptor(fd);
  checkInteger('level', level, { minimum: 0, maximum: 0x7fff_ffff });
  checkInteger('name', name, { minimum: 0, maximum: 0x7fff_ffff });
  checkInteger('value', value, { minimum: -0x8000_0000, maximum: 0x7fff_ffff });
  const bytes = integer.encode({ value });
  return libc().setsockopt(fd, level, name, bytes, bytes.length) < 0 ? -lastErrno() : 0;
}

/**
 * ioctl(2) with a pointer to `argument`, whose size must be what `request` reads and writes, or with a number.
 * Returns the result, or the negated errno.
 */
export function ioctl(fd: number, request: number, argument: Uint8Array | number): number {
  checkDescriptor(fd);
  checkInteger('request', request, { minimum: 0, maximum: 0xffff_ffff });
  if (typeof argument === 'number') {
    checkInteger('argument', argument, {
      minimum: Number.MIN_SAFE_INTEGER,
      maximum: Number.MAX_SAFE_INTEGER,
    });
  } else {
    checkBytes('argument', argument, argumentSize(request));
  }
  const result =
    typeof argument === 'number'
      ? libc().ioctlNumber(fd, request, argument)
      : libc().ioctl(fd, request, argument);
  return result < 0 ? -lastErrno() : result;
}

/** struct ifreq, the argument of the old network requests, whose numbers do not hold a size. */
const interfaceRequestSize = 40;

/** The bytes that `request` may touch: bits 16 to 29 of an `_IOC` number. */
function argumentSize(request: number): number {
  const encoded = (request >>> 16) & 0x3fff;
  return encoded === 0 ? interfaceRequestSize : encoded;
}
