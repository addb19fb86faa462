import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { PermissionError, SyscallError } from '../errors.ts';

/** Errno values that code compares with. */
export const errno = {
  EPERM: constants.errno.EPERM,
  ENOENT: constants.errno.ENOENT,
  ESRCH: constants.errno.ESRCH,
  EINTR: constants.errno.EINTR,
  EBADF: constants.errno.EBADF,
  ENXIO: constants.errno.ENXIO,
  ENOTDIR: constants.errno.ENOTDIR,
  EAFNOSUPPORT: constants.errno.EAFNOSUPPORT,
  ESTALE: constants.errno.ESTALE,
  ENOTSOCK: constants.errno.ENOTSOCK,
  ENOLINK: constants.errno.ENOLINK,
  EAGAIN: constants.errno.EAGAIN,
  ENOMEM: constants.errno.ENOMEM,
  EACCES: constants.errno.EACCES,
  EFAULT: constants.errno.EFAULT,
  EBUSY: constants.errno.EBUSY,
  EEXIST: constants.errno.EEXIST,
  ENODEV: constants.errno.ENODEV,
  EINVAL: constants.errno.EINVAL,
  ENOSPC: constants.errno.ENOSPC,
  ERANGE: constants.errno.ERANGE,
  ENOSYS: constants.errno.ENOSYS,
  E2BIG: constants.errno.E2BIG,
  EOPNOTSUPP: constants.errno.EOPNOTSUPP,
  ENOBUFS: constants.errno.ENOBUFS,
  ENETDOWN: constants.errno.ENETDOWN,
  EINPROGRESS: constants.errno.EINPROGRESS,
  /** Kernel-internal, leaked to user space by bpf(2) for what this kernel or machine cannot do. */
  ENOTSUPP: 524,
} as const;

/** What neither `os.constants` nor libuv knows, and names that libuv words differently or hides. */
const additional: Readonly<Record<number, readonly [name: string, text: string]>> = {
  11: ['EAGAIN', 'resource temporarily unavailable'],
  15: ['ENOTBLK', 'block device required'],
  35: ['EDEADLK', 'resource deadlock avoided'],
  52: ['EBADE', 'invalid exchange'],
  53: ['EBADR', 'invalid request descriptor'],
  62: ['ETIME', 'timer expired'],
  77: ['EBADFD', 'file descriptor in bad state'],
  95: ['EOPNOTSUPP', 'operation not supported'],
  116: ['ESTALE', 'stale handle'],
  117: ['EUCLEAN', 'structure needs cleaning'],
  126: ['ENOKEY', 'required key not available'],
  127: ['EKEYEXPIRED', 'key has expired'],
  128: ['EKEYREVOKED', 'key has been revoked'],
  129: ['EKEYREJECTED', 'key was rejected by service'],
  524: ['ENOTSUPP', 'operation not supported by this kernel'],
};

let names: ReadonlyMap<number, string> | undefined;

/** `EINVAL` for 22; `errno 4000` for what has no name. Takes the number with either sign. */
export function errnoName(number: number): string {
  const positive = Math.abs(number);
  names ??= new Map(Object.entries(constants.errno).map(([name, value]) => [value, name]));
  return (
    additional[positive]?.[0] ??
    names.get(positive) ??
    getSystemErrorMap().get(-positive)?.[0] ??
    `errno ${String(positive)}`
  );
}

/** `EINVAL (invalid argument)`. */
export function describeErrno(number: number): string {
  const positive = Math.abs(number);
  const text = additional[positive]?.[1] ?? getSystemErrorMap().get(-positive)?.[1];
  return text === undefined ? errnoName(positive) : `${errnoName(positive)} (${text})`;
}

/** A system call that failed, and what it was made for: "create map events". */
export interface FailedCall {
  readonly call: string;
  readonly errno: number;
  readonly doing: string;
  readonly hint?: string | undefined;
  /** The capabilities that were found absent, when `errno` is EPERM or EACCES. */
  readonly missing?: readonly string[];
}

/** The error for a failed call: `Cannot <doing>: <call> failed with <errno>`, or `…: CAP_NET_RAW is missing`. */
export function syscallError(failed: FailedCall): SyscallError | PermissionError {
  const { call, doing, hint } = failed;
  const number = Math.abs(failed.errno);
  const name = errnoName(number);
  const failure = `${call} failed with ${describeErrno(number)}`;
  if (number !== errno.EPERM && number !== errno.EACCES) {
    return new SyscallError(call, number, name, `Cannot ${doing}: ${failure}`, { hint });
  }
  const missing = failed.missing ?? [];
  const reason =
    missing.length === 0 ? failure : `${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} missing`;
  return new PermissionError(call, name, missing, `Cannot ${doing}: ${reason}`, { hint });
}
