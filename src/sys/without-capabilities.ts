import { lastErrno, libc } from './libc.ts';
import { syscallError } from './errno.ts';

/** `_LINUX_CAPABILITY_VERSION_3` of <linux/capability.h>: 64 capabilities in two parts. */
const VERSION = 0x2008_0522;
/** `struct __user_cap_data_struct`: effective, permitted, inheritable, 32 bits each. */
const PART_SIZE = 12;

/**
 * Does something as a process without any capability would, and gives them back. Only what happens on this thread before
 * `action` returns is without them: no promise, no callback. Root stays the owner of root's files.
 *
 * Throws {@link SyscallError} where the kernel does not let go of them.
 */
export function withoutCapabilities<Result>(action: () => Result): Result {
  const held = new Uint8Array(2 * PART_SIZE);
  change('capget', held);
  const none = held.slice();
  for (let part = 0; part < none.length; part += PART_SIZE) none.fill(0, part, part + 4);
  change('capset', none);
  try {
    return action();
  } finally {
    change('capset', held);
  }
}

function change(call: 'capget' | 'capset', data: Uint8Array): void {
  // Process 0 is this thread.
  const header = new Uint8Array(8);
  new DataView(header.buffer).setUint32(0, VERSION, true);
  if (libc()[call](header, data) === 0) return;
  throw syscallError({ call, errno: lastErrno(), doing: 'go without capabilities' });
}
