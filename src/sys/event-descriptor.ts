import { writeSync } from 'node:fs';
import { syscallError } from './errno.ts';
import { Fd } from './fd.ts';
import { lastErrno, libc } from './libc.ts';
import { systemKernel } from './system-kernel.ts';

const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;

/** A descriptor that becomes readable when {@link raiseEvent} is called, in any thread, and stays so. @throws SyscallError */
export function openEvent(description: string): Fd {
  const number = libc().eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (number < 0) throw syscallError({ call: 'eventfd', errno: lastErrno(), doing: `open ${description}` });
  return new Fd(systemKernel(), number, description);
}

/** @throws ClosedError */
export function raiseEvent(event: Fd): void {
  writeSync(event.value, new Uint8Array(BigUint64Array.of(1n).buffer));
}
