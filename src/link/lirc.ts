import { openSync } from 'node:fs';
import { FileError } from '../errors.ts';
import type { BpfProgram } from '../programs/index.ts';
import { Fd } from '../sys/index.ts';
import { BPF_LIRC_MODE2, BPF_PROG_TYPE_LIRC_MODE2 } from '../uapi/index.ts';
import { checkProgram } from './create-link.ts';
import { ProgAttachment } from './prog-attach.ts';

/** Options of {@link attachLirc}. */
export interface LircOptions {
  /** `/dev/lirc0` */
  readonly device: string;
}

/**
 * Attaches a program that decodes what an infrared receiver hears.
 *
 * Linux 4.18, with CONFIG_BPF_LIRC_MODE2, without which such programs cannot be loaded either. Needs CAP_NET_ADMIN, and
 * the right to write to the device. It stays until it is detached.
 *
 * @throws FileError where there is no such device, or it cannot be opened for writing; AttachError: ALREADY_ATTACHED,
 * ATTACH_REFUSED for what is no infrared receiver; PermissionError
 */
export function attachLirc(program: BpfProgram, { device }: LircOptions): ProgAttachment {
  checkProgram(program, { types: [BPF_PROG_TYPE_LIRC_MODE2], target: device });
  let number: number;
  try {
    // Without the right to write the kernel refuses it since Linux 6.9 (rc_dev_get_from_fd() of drivers/media/rc/lirc_dev.c).
    number = openSync(device, 'r+');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const missing = code === 'ENOENT' ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE';
    throw new FileError(
      missing,
      device,
      `Cannot attach ${program.name} to ${device}: ${code ?? 'it cannot be opened'}`,
      {
        cause,
      },
    );
  }
  return ProgAttachment.attach(program, {
    kind: 'lirc',
    target: device,
    needed: ['CAP_NET_ADMIN'],
    reasons: {
      EEXIST: 'this program is attached there already',
      EINVAL: 'it is no infrared receiver that gives raw pulses',
      ENODEV: 'the device is gone',
      E2BIG: 'as many programs as the kernel allows are attached there',
    },
    place: new Fd(program.kernel, number, device),
    attachType: BPF_LIRC_MODE2,
  });
}
