/** What needs no kernel: naming what stands in the way of XDP, and arguments that are refused before anything is asked. */
import { closeSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { attachLirc, attachXdp } from '../../src/link/index.ts';
import { classifyRefusal, OBSTACLE_HINTS } from '../../src/link/xdp-refusal.ts';
import { BpfProgram } from '../../src/programs/index.ts';
import { errno, Fd } from '../../src/sys/index.ts';
import {
  BPF_LIRC_MODE2,
  BPF_PROG_DETACH,
  BPF_PROG_TYPE_LIRC_MODE2,
  BPF_PROG_TYPE_SCHED_CLS,
  BPF_PROG_TYPE_XDP,
  bpf_attr_prog_attach,
} from '../../src/uapi/index.ts';
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

t.test('an infrared receiver is opened for writing, as the kernel wants it, and refusals say why', (t) => {
  const folder = t.testdir({ lirc0: '' });
  const device = join(folder, 'lirc0');
  let answer = 0;
  // The device is really opened: closing it is left to the test.
  const kernel: RecordingKernel = new RecordingKernel(({ attribute }) => {
    kernel.openDescriptors.add(bpf_attr_prog_attach.decode(attribute).target_fd);
    return answer;
  });
  const fd = new Fd(kernel, kernel.newDescriptor(), 'program decode');
  const program = new BpfProgram(fd, { name: 'decode', type: BPF_PROG_TYPE_LIRC_MODE2, kernel });
  const place = (): { target_fd: number; attach_type: number } =>
    bpf_attr_prog_attach.decode(kernel.calls.at(-1)?.attribute ?? new Uint8Array());

  const attachment = attachLirc(program, { device });
  const { target_fd, attach_type } = place();
  t.equal(attach_type, BPF_LIRC_MODE2);
  const [, flags = ''] =
    /^flags:\s+0(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${target_fd}`, 'utf8')) ?? [];
  t.equal(Number.parseInt(flags, 8) & (constants.O_WRONLY | constants.O_RDWR), constants.O_RDWR);
  closeSync(target_fd);
  attachment.close();
  t.equal(kernel.calls.at(-1)?.command, BPF_PROG_DETACH);

  const refusals: [errno: number, code: string, why: string][] = [
    [errno.EINVAL, 'ATTACH_REFUSED', 'it is no infrared receiver that gives raw pulses'],
    [errno.EEXIST, 'ALREADY_ATTACHED', 'this program is attached there already'],
    [errno.E2BIG, 'ATTACH_REFUSED', 'as many programs as the kernel allows are attached there'],
    [errno.ENODEV, 'ATTACH_REFUSED', 'the device is gone'],
  ];
  for (const [number, code, why] of refusals) {
    answer = -number;
    const error = thrown(() => attachLirc(program, { device }));
    t.match(error, { code, message: `Cannot attach decode to ${device}: ${why}` });
    closeSync(place().target_fd);
  }
  t.match(
    thrown(() => attachLirc(program, { device: join(folder, 'none') })),
    { code: 'FILE_NOT_FOUND', message: `Cannot attach decode to ${join(folder, 'none')}: ENOENT` },
  );
  t.end();
});
