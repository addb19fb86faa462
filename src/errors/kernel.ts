import { TsXdpError, type ErrorContext } from './base.ts';

/** A system call failed in a way that no more specific class describes. */
export class SyscallError extends TsXdpError {
  readonly code = 'SYSCALL_FAILED';
  /** `bpf(BPF_MAP_CREATE)`, `mmap`, … */
  readonly call: string;
  readonly errno: number;
  readonly errnoName: string;

  constructor(call: string, errno: number, errnoName: string, message: string, context?: ErrorContext) {
    super(message, context);
    this.call = call;
    this.errno = errno;
    this.errnoName = errnoName;
  }
}

/** The kernel does not permit it. `missing` names the capabilities that were found absent; empty where none is. */
export class PermissionError extends TsXdpError {
  readonly code = 'PERMISSION_DENIED';
  readonly call: string;
  readonly errnoName: string;
  readonly missing: readonly string[];

  constructor(
    call: string,
    errnoName: string,
    missing: readonly string[],
    message: string,
    context?: ErrorContext,
  ) {
    super(message, context);
    this.call = call;
    this.errnoName = errnoName;
    this.missing = missing;
  }
}

/** This kernel lacks a feature, found by probing it. */
export class UnsupportedFeatureError extends TsXdpError {
  readonly code = 'UNSUPPORTED_FEATURE';
  readonly feature: string;
  /** The first kernel version that has it, `5.8`. */
  readonly minKernel: string;

  constructor(feature: string, minKernel: string, message: string, context?: ErrorContext) {
    super(message, context);
    this.feature = feature;
    this.minKernel = minKernel;
  }
}

/** The kernel answered a netlink request with an error; `extack` is its own text, where it gave one. */
export class NetlinkError extends TsXdpError {
  readonly code = 'NETLINK_FAILED';
  readonly request: string;
  readonly errno: number;
  readonly errnoName: string;
  readonly extack: string | undefined;

  constructor(
    request: string,
    errno: number,
    errnoName: string,
    extack: string | undefined,
    message: string,
    context?: ErrorContext,
  ) {
    super(message, context);
    this.request = request;
    this.errno = errno;
    this.errnoName = errnoName;
    this.extack = extack;
  }
}
