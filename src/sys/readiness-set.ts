import { errno, syscallError } from './errno.ts';
import { Fd } from './fd.ts';
import { lastErrno, libc } from './libc.ts';
import { systemKernel } from './system-kernel.ts';

const EPOLL_CTL_ADD = 1;
const EPOLL_CLOEXEC = 0o2000000;
const EPOLLIN = 1;
const EPOLLOUT = 4;
const EPOLLET = 0x8000_0000;
/** `struct epoll_event` is packed to 12 bytes on x86-64 and has 16 elsewhere; the events come first. */
const eventSize = 16;

/**
 * What of its members a set waits for: that there is something to read, or, each time anew (EPOLLET), that there may be more
 * room to write than before.
 */
export type Interest = 'readable' | 'more-room';

/**
 * A descriptor that is readable as soon as any of several is, so that one watch serves all of them. It holds none of
 * them: closing one takes it out.
 *
 * @throws SyscallError
 */
export function openReadinessSet(
  members: readonly Fd[],
  description: string,
  { interest = 'readable' }: { /** @default 'readable' */ readonly interest?: Interest } = {},
): Fd {
  const number = libc().epoll_create1(EPOLL_CLOEXEC);
  const doing = `wait for ${description}`;
  if (number < 0) throw syscallError({ call: 'epoll_create1', errno: lastErrno(), doing });
  const set = new Fd(systemKernel(), number, description);
  const event = new Uint8Array(eventSize);
  new DataView(event.buffer).setUint32(0, interest === 'readable' ? EPOLLIN : EPOLLOUT + EPOLLET, true);
  for (const member of members) {
    if (libc().epoll_ctl(number, EPOLL_CTL_ADD, member.value, event) >= 0) continue;
    const failure = lastErrno();
    set.close();
    throw syscallError({ call: 'epoll_ctl', errno: failure === 0 ? errno.EINVAL : failure, doing });
  }
  return set;
}
