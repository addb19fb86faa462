import {
  bpfError,
  checkInteger,
  errno,
  exchangeBpf,
  Fd,
  openBpf,
  openPin,
  pinDescriptor,
  readInfo,
  syscallError,
  systemKernel,
  type Kernel,
  unpinDescriptor,
  withoutProfilerSignal,
} from '../sys/index.ts';
import {
  BPF_PROG_TYPE_SCHED_CLS,
  BPF_PROG_TYPE_XDP,
  bpf_attr_get_id,
  bpf_attr_test,
  bpf_prog_info,
} from '../uapi/index.ts';
import { withoutTestRun } from './test-run-types.ts';

/** `struct bpf_prog_info`, in part. */
export interface ProgramInfo {
  readonly id: number;
  readonly type: number;
  /** At most 15 characters; the kernel keeps no more. */
  readonly name: string;
  /** SHA-1 of the instructions, cut to 8 bytes, as hex. */
  readonly tag: string;
  /** Nanoseconds and runs, counted only while statistics are switched on. */
  readonly runTime: bigint;
  readonly runCount: bigint;
  readonly verifiedInstructions: number;
  readonly btfId: number;
  /** Bytes. */
  readonly jitedSize: number;
  readonly translatedSize: number;
  /** Nanoseconds since boot. */
  readonly loadTime: bigint;
}

/** Options of {@link BpfProgram.testRun}. */
export interface TestRunOptions {
  /** The packet, for types that take one. */
  readonly data?: Uint8Array;
  /** The context struct, for types that take one: `struct xdp_md`, `struct __sk_buff`. */
  readonly context?: Uint8Array;
  /** How often the program runs; syscall and tracing programs take nothing but the default. @default once */
  readonly repeat?: number;
  /** Bytes to make room for in `data` of the result. @default the packet's length plus 256 */
  readonly dataCapacity?: number;
  /** Bytes to make room for in `context` of the result. @default the length of the context */
  readonly contextCapacity?: number;
  readonly flags?: number;
  readonly cpu?: number;
}

/** What a test run gives. */
export interface TestRunResult {
  /** What the program returned: `XDP_PASS` is 2. */
  readonly returnValue: number;
  /** Average nanoseconds of one run. */
  readonly duration: number;
  /** The packet afterwards; a copy. */
  readonly data: Uint8Array;
  /** The context struct afterwards, for types that take one and change it; a copy. */
  readonly context: Uint8Array;
}

/**
 * A program in the kernel. It owns its descriptor; the program goes when no descriptor, link or pin holds it.
 *
 * @example
 * const { returnValue } = collection.program('xdp_sniffer_enhanced').testRun({ data: frame });
 */
export class BpfProgram {
  readonly name: string;
  /** `BPF_PROG_TYPE_*`. */
  readonly type: number;
  /** `expected_attach_type` that it was loaded with; undefined where it was opened, since the kernel does not tell. */
  readonly attachType: number | undefined;
  readonly fd: Fd;
  readonly kernel: Kernel;
  #info: ProgramInfo | undefined;

  constructor(
    fd: Fd,
    facts: { name: string; type: number; kernel: Kernel; attachType?: number | undefined },
  ) {
    this.fd = fd;
    this.attachType = facts.attachType;
    this.name = facts.name;
    this.type = facts.type;
    this.kernel = facts.kernel;
  }

  /** Opens a program of this kernel. Needs CAP_SYS_ADMIN. */
  static fromId(id: number, facts: { kernel?: Kernel } = {}): BpfProgram {
    const kernel = facts.kernel ?? systemKernel();
    checkInteger('id', id, { minimum: 0, maximum: 0xffff_ffff });
    const fd = openBpf(kernel, {
      command: 'BPF_PROG_GET_FD_BY_ID',
      attribute: bpf_attr_get_id,
      fields: { prog_id: id },
      doing: `open program ${id}`,
      description: `program ${id}`,
    });
    return BpfProgram.#adopt(fd, kernel);
  }

  /** Opens a pinned program. @throws NotFoundError (PIN_NOT_FOUND), PermissionError */
  static fromPin(path: string, facts: { kernel?: Kernel } = {}): BpfProgram {
    const kernel = facts.kernel ?? systemKernel();
    return BpfProgram.#adopt(openPin(kernel, { path, what: 'program' }), kernel);
  }

  static #adopt(fd: Fd, kernel: Kernel): BpfProgram {
    try {
      const { name, type } = readProgramInfo(kernel, fd);
      return new BpfProgram(fd, { name, type, kernel });
    } catch (error) {
      fd.close();
      throw error;
    }
  }

  /** The id by which the kernel and other tools know it. */
  get id(): number {
    this.#info ??= readProgramInfo(this.kernel, this.fd);
    return this.#info.id;
  }

  /** What the kernel says of this program now. */
  info(): ProgramInfo {
    return readProgramInfo(this.kernel, this.fd);
  }

  /**
   * Runs the program on a packet of the caller's, without any traffic (`BPF_PROG_TEST_RUN`, Linux 4.12).
   *
   * Many repeats are one call, which a profiler of V8 does not see into: its signal waits until they are done.
   *
   * @throws UnsupportedFeatureError where the type cannot be run; SyscallError: EINVAL for a packet below 14 bytes, EINTR where
   * another signal came between two of many repeats: some have run by then, and nobody knows how many. Node 22 and later bring
   * that upon themselves right after a child process, since they close an io_uring (io_ring_exit_work()).
   */
  testRun(options: TestRunOptions = {}): TestRunResult {
    const { kernel } = this;
    for (const number of ['repeat', 'dataCapacity', 'contextCapacity', 'flags', 'cpu'] as const) {
      checkInteger(number, options[number] ?? 0, { minimum: 0, maximum: 0xffff_ffff });
    }
    const input = options.data ?? new Uint8Array(0);
    const output = new Uint8Array(options.dataCapacity ?? (input.length === 0 ? 0 : input.length + 256));
    const context = options.context ?? new Uint8Array(0);
    const contextOutput = new Uint8Array(options.contextCapacity ?? contextRoom(this.type, context));
    const call = {
      command: 'BPF_PROG_TEST_RUN',
      attribute: bpf_attr_test,
      fields: {
        prog_fd: this.fd.value,
        data_size_in: input.length,
        data_size_out: output.length,
        data_in: kernel.addressOf(input),
        data_out: kernel.addressOf(output),
        // Zero means once; types that cannot repeat refuse any other number (bpf_prog_test_run_syscall).
        repeat: options.repeat ?? 0,
        ctx_size_in: context.length,
        ctx_in: kernel.addressOf(context),
        ctx_size_out: contextOutput.length,
        ctx_out: kernel.addressOf(contextOutput),
        flags: options.flags ?? 0,
        cpu: options.cpu ?? 0,
      },
      keep: [input, output, context, contextOutput],
      doing: `run program ${this.name}`,
    } as const;
    const exchange = () => exchangeBpf(kernel, call);
    // Between two repeats any signal ends them (bpf_test_timer_continue() in net/bpf/test_run.c), and running them again would
    // do again what the first ones did.
    const { result, answer } = (options.repeat ?? 0) > 1 ? withoutProfilerSignal(exchange) : exchange();
    if (result === -errno.ENOTSUPP) throw withoutTestRun(this.type, call.doing);
    if (result < 0) throw bpfError(call, result);
    return {
      returnValue: answer.retval,
      duration: answer.duration,
      data: output.slice(0, Math.min(output.length, answer.data_size_out)),
      context: contextOutput.slice(0, Math.min(contextOutput.length, answer.ctx_size_out)),
    };
  }

  /** Another handle on the same program, which stays usable when this one is closed. */
  duplicate(): BpfProgram {
    const { kernel, name, type, attachType } = this;
    const number = kernel.duplicate(this.fd.value, 3);
    if (number < 0)
      throw syscallError({ call: 'fcntl', errno: number, doing: `duplicate ${this.fd.description}` });
    return new BpfProgram(new Fd(kernel, number, this.fd.description), { kernel, name, type, attachType });
  }

  /** Puts the program into a bpf file system, where it outlives this process. @throws PinExistsError */
  pin(path: string): void {
    pinDescriptor(this.kernel, { fd: this.fd, path });
  }

  /**
   * Removes a pin of this program; the program stays while anything else holds it.
   *
   * @throws NotFoundError (PIN_NOT_FOUND) where nothing, or something else, is pinned there; it stays then
   */
  unpin(path: string): void {
    unpinDescriptor(this.kernel, { fd: this.fd, path, what: 'program' });
  }

  get closed(): boolean {
    return this.fd.closed;
  }

  /** Gives the descriptor back; links keep an attached program alive. Idempotent. */
  close(): void {
    this.fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Types that know no context struct to give back refuse room for it (bpf_prog_test_run_syscall() of net/bpf/test_run.c). */
function contextRoom(type: number, context: Uint8Array): number {
  return type === BPF_PROG_TYPE_XDP || type === BPF_PROG_TYPE_SCHED_CLS ? context.length : 0;
}

/** Asks the kernel about a program. Linux 4.13. */
export function readProgramInfo(kernel: Kernel, fd: Fd): ProgramInfo {
  const info = readInfo(kernel, { fd, descriptor: bpf_prog_info });
  return {
    id: info.id,
    type: info.type,
    name: info.name,
    tag: Buffer.from(info.tag).toString('hex'),
    runTime: info.run_time_ns,
    runCount: info.run_cnt,
    verifiedInstructions: info.verified_insns,
    btfId: info.btf_id,
    jitedSize: info.jited_prog_len,
    translatedSize: info.xlated_prog_len,
    loadTime: info.load_time,
  };
}
