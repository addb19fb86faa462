/** What needs no kernel: naming what stands in the way of XDP, and arguments that are refused before anything is asked. */
import t from 'tap';
import { attachXdp } from '../../src/link/index.ts';
import { classifyRefusal, OBSTACLE_HINTS } from '../../src/link/xdp-refusal.ts';
import { BpfProgram } from '../../src/programs/index.ts';
import { Fd } from '../../src/sys/index.ts';
import { BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_XDP } from '../../src/uapi/index.ts';
import { RecordingKernel } from '../helpers/recording-kernel.ts';
import { thrown } from '../helpers/thrown.ts';

t.test('the obstacle is told from the kernel’s text, or else from the errno', (t) => {
  // Texts of the drivers named, and of net/core/dev.c.
  const cases: [text: string | undefined, errnoName: string, obstacle: string | undefined][] = [
    ['Peer MTU is too large to set XDP', 'ERANGE', 'mtu'],
    ['MTU too large to enable XDP', 'EINVAL', 'mtu'],
    ['XDP is not supported with large MTU', 'EINVAL', 'mtu'],
    ["Can't set XDP while host is implementing GRO_HW/CSUM, disable GRO_HW/CSUM first", 'EOPNOTSUPP', 'lro'],
    ['Underlying driver does not support XDP in native mode', 'EOPNOTSUPP', 'driver'],
    [undefined, 'ERANGE', 'mtu'],
    [undefined, 'EOPNOTSUPP', 'driver'],
    [undefined, 'ENOMEM', undefined],
    ['something new', 'EINVAL', undefined],
  ];
  for (const [text, errnoName, obstacle] of cases) {
    t.equal(classifyRefusal({ errnoName, text }), obstacle, text ?? errnoName);
    if (obstacle) t.ok(OBSTACLE_HINTS[obstacle as keyof typeof OBSTACLE_HINTS].length > 20);
  }
  t.end();
});

t.test('what cannot be attached is refused at once', (t) => {
  const kernel = new RecordingKernel();
  const program = (type: number): BpfProgram =>
    new BpfProgram(new Fd(kernel, kernel.newDescriptor(), 'program pass'), { name: 'pass', type, kernel });
  const xdp = program(BPF_PROG_TYPE_XDP);
  const cases: [what: string, attach: () => unknown, code: string, message: string][] = [
    [
      'a program of another type',
      () => attachXdp(program(BPF_PROG_TYPE_SCHED_CLS), { interface: 'lo' }),
      'ARGUMENT_INVALID',
      'Cannot attach pass to an interface: it is not an XDP program',
    ],
    [
      'no mode at all',
      () => attachXdp(xdp, { interface: 'lo', modes: [] }),
      'ARGUMENT_INVALID',
      'Cannot attach: the list of modes is empty',
    ],
    [
      'a mode that there is not',
      () => attachXdp(xdp, { interface: 'lo', modes: ['generic', 'fast' as never] }),
      'ARGUMENT_INVALID',
      'Cannot attach: there is no mode fast',
    ],
    [
      'a closed program',
      () => {
        const closed = program(BPF_PROG_TYPE_XDP);
        closed.close();
        return attachXdp(closed, { interface: 'lo' });
      },
      'CLOSED',
      'Cannot use program pass: it is closed',
    ],
  ];
  for (const [what, attach, code, message] of cases) t.match(thrown(attach), { code, message }, what);
  t.equal(kernel.calls.length, 0);
  t.end();
});
