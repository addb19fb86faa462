import { NotFoundError } from '../errors.ts';
import { readProgramBtf, type BpfProgram } from '../programs/index.ts';
import { BPF_PROG_TYPE_EXT } from '../uapi/index.ts';
import type { BpfLink } from './bpf-link-attachment.ts';
import { checkProgram, createLink, type AttachRequest } from './create-link.ts';
import { openRawTracepoint } from './tracing.ts';

/** Options of {@link attachFreplace}. */
export interface FreplaceOptions {
  /** Another program than the one that it was loaded for, whose function has the same prototype. Linux 5.10. */
  readonly target?: { readonly program: BpfProgram; readonly function: string };
}

/**
 * Puts a program in the place of a function of another program that is loaded.
 *
 * Linux 5.6. Needs CAP_SYS_ADMIN with `target`, to read that program's types, otherwise CAP_BPF and what the program it
 * extends needs.
 *
 * @throws NotFoundError (ATTACH_TARGET_NOT_FOUND); AttachError: ALREADY_ATTACHED, ATTACH_REFUSED; PermissionError
 */
export function attachFreplace(program: BpfProgram, { target }: FreplaceOptions = {}): BpfLink {
  const request: AttachRequest = {
    kind: 'freplace',
    target: target
      ? `${target.function} of program ${target.program.name}`
      : 'the function that it was loaded for',
    needed: ['CAP_NET_ADMIN'],
    reasons: {
      EBUSY: 'the program is attached already, or the function is replaced',
      EINVAL: 'the function has another prototype, or may not be replaced',
    },
  };
  checkProgram(program, { types: [BPF_PROG_TYPE_EXT], target: request.target });
  if (!target) return openRawTracepoint(program, { request });
  const btfId = readProgramBtf(target.program)?.find(target.function, 'function');
  if (btfId === undefined) {
    const why = `program ${target.program.name} has no function of that name in its BTF`;
    throw new NotFoundError(
      'ATTACH_TARGET_NOT_FOUND',
      target.function,
      `Cannot attach ${program.name} to ${request.target}: ${why}`,
    );
  }
  return createLink(program, {
    ...request,
    fields: { target_fd: target.program.fd.value, attach_type: 0, target_btf_id: btfId },
  });
}
