import { ArgumentError } from '../errors.ts';
import type { BpfProgram } from '../programs/index.ts';
import { errno, Fd, setSocketOption, socketConstants, syscallError, systemKernel } from '../sys/index.ts';
import * as uapi from '../uapi/index.ts';
import { Attachment } from './attachment.ts';
import { attachRefused, checkProgram, type AttachRequest } from './create-link.ts';

/** Options of {@link attachSocketFilter} and {@link attachReuseport}. */
export interface SocketOptions {
  /**
   * The descriptor of a socket. It stays the caller's; the attachment has one of its own on the same socket, so that
   * the socket is open until both are closed.
   */
  readonly socket: number;
}

/**
 * Lets a program decide which packets a socket gets, and how many bytes of each. Replaces what was attached there.
 *
 * Linux 3.19.
 *
 * @throws AttachError where the descriptor is no socket, or its filter is locked; PermissionError
 */
export function attachSocketFilter(program: BpfProgram, options: SocketOptions): SocketAttachment {
  checkProgram(program, {
    types: [uapi.BPF_PROG_TYPE_SOCKET_FILTER],
    target: `socket ${String(options.socket)}`,
  });
  return SocketAttachment.attach(program, {
    ...options,
    kind: 'socket_filter',
    attach: uapi.SO_ATTACH_BPF,
    detach: uapi.SO_DETACH_BPF,
  });
}

/**
 * Lets a program choose which socket of a group that shares its port (SO_REUSEPORT) gets a connection or datagram. The
 * socket must be bound, or have SO_REUSEPORT set.
 *
 * `sk_reuseport` programs Linux 4.19, socket filters 4.5; taking it off again Linux 5.3.
 *
 * @throws AttachError, PermissionError
 */
export function attachReuseport(program: BpfProgram, options: SocketOptions): SocketAttachment {
  const types = [uapi.BPF_PROG_TYPE_SK_REUSEPORT, uapi.BPF_PROG_TYPE_SOCKET_FILTER];
  checkProgram(program, { types, target: `socket ${String(options.socket)}` });
  return SocketAttachment.attach(program, {
    ...options,
    kind: 'sk_reuseport',
    attach: uapi.SO_ATTACH_REUSEPORT_EBPF,
    detach: uapi.SO_DETACH_REUSEPORT_BPF,
  });
}

/** A program that is attached to a socket, by a socket option. */
export class SocketAttachment extends Attachment {
  override readonly kind: string;
  override readonly via = 'socket';
  override readonly id = undefined;
  readonly #socket: Fd;
  readonly #detach: number;

  static attach(
    program: BpfProgram,
    facts: SocketOptions & { kind: string; attach: number; detach: number },
  ): SocketAttachment {
    const { socket, kind, attach, detach } = facts;
    const request: AttachRequest = {
      kind,
      target: `socket ${String(socket)}`,
      needed: ['CAP_NET_ADMIN'],
      reasons: {
        ENOTSOCK: 'the descriptor is no socket',
        EBADF: 'the descriptor is not open',
        EINVAL: 'the socket takes no such program: it must share its port (SO_REUSEPORT), or be bound',
      },
    };
    const result = setSocketOption(socket, {
      level: socketConstants.SOL_SOCKET,
      name: attach,
      value: program.fd.value,
    });
    if (result < 0) throw attachRefused(program, { request, call: 'setsockopt', result });
    const kernel = systemKernel();
    const number = kernel.duplicate(socket, 3);
    if (number < 0) throw syscallError({ call: 'fcntl', errno: number, doing: `hold ${request.target}` });
    return new SocketAttachment(request, { socket: new Fd(kernel, number, request.target), detach });
  }

  private constructor(request: AttachRequest, facts: { socket: Fd; detach: number }) {
    super(request.target);
    this.kind = request.kind;
    this.#socket = facts.socket;
    this.#detach = facts.detach;
  }

  /** The socket itself is held, and does not tell what is attached to it. */
  override get attached(): boolean {
    this.checkOpen();
    return true;
  }

  override pin(path: string): void {
    throw new ArgumentError(
      'socket',
      `Cannot pin the program on ${this.target} to ${path}: it goes with the socket`,
    );
  }

  protected override detach(): void {
    const { SOL_SOCKET } = socketConstants;
    const result = setSocketOption(this.#socket.value, { level: SOL_SOCKET, name: this.#detach, value: 0 });
    this.#socket.close();
    // Somebody else took it off before.
    if (result < 0 && result !== -errno.ENOENT) {
      throw syscallError({ call: 'setsockopt', errno: result, doing: `take the program off ${this.target}` });
    }
  }

  protected override letBe(): void {
    this.#socket.close();
  }
}
