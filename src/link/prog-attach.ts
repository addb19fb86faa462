import { ArgumentError } from '../errors.ts';
import type { BpfProgram } from '../programs/index.ts';
import { bpfError, errno, tryBpf, type Fd } from '../sys/index.ts';
import { bpf_attr_prog_attach } from '../uapi/index.ts';
import { Attachment } from './attachment.ts';
import { attachRefused, doing, type AttachRequest } from './create-link.ts';
import { tryQueryHook } from './query-hook.ts';

/**
 * A cgroup that was removed, a device that was unplugged. Other refusals say nothing: before 5.18 the kernel does not list
 * the programs of sockmaps.
 */
const GONE: readonly number[] = [errno.ENOENT, errno.ENODEV];

export interface ProgAttachRequest extends AttachRequest {
  /** What it is attached to: a cgroup, a map, a device. Taken over, also where attaching throws. */
  readonly place: Fd;
  readonly attachType: number;
  /** BPF_F_ALLOW_MULTI, … */
  readonly flags?: number;
  /** The program that this one takes the place of. Linux 5.6. */
  readonly replaced?: BpfProgram | undefined;
}

/**
 * A program attached by `BPF_PROG_ATTACH`, which knows no owner: it stays when this process ends, until it is
 * detached or what it is attached to is gone.
 */
export class ProgAttachment extends Attachment {
  override readonly kind: string;
  override readonly via = 'prog_attach';
  override readonly id = undefined;
  readonly #program: BpfProgram;
  readonly #request: ProgAttachRequest;

  /** @throws what attachRefused() makes of a refusal */
  static attach(program: BpfProgram, request: ProgAttachRequest): ProgAttachment {
    const { place, attachType, flags = 0, replaced } = request;
    try {
      const result = tryBpf(program.kernel, {
        command: 'BPF_PROG_ATTACH',
        attribute: bpf_attr_prog_attach,
        fields: {
          target_fd: place.value,
          attach_bpf_fd: program.fd.value,
          attach_type: attachType,
          attach_flags: flags,
          ...(replaced && { replace_bpf_fd: replaced.fd.value }),
        },
        doing: doing(program, request),
      });
      if (result < 0) throw attachRefused(program, { request, call: 'BPF_PROG_ATTACH', result });
      return new ProgAttachment(program, request);
    } catch (error) {
      place.close();
      throw error;
    }
  }

  private constructor(program: BpfProgram, request: ProgAttachRequest) {
    const own = program.duplicate();
    super(request.target);
    this.kind = request.kind;
    this.#program = own;
    this.#request = request;
  }

  override get attached(): boolean {
    this.checkOpen();
    const { place, attachType, target } = this.#request;
    const { kernel, id } = this.#program;
    const doing = `read what is attached to ${target}`;
    const answer = tryQueryHook(kernel, { place: { fd: place.value }, attachType, doing });
    if (typeof answer === 'number') return !GONE.includes(-answer);
    return answer.programs.some(({ programId }) => programId === id);
  }

  override pin(path: string): void {
    throw new ArgumentError(
      'via',
      `Cannot pin the attachment to ${this.target} to ${path}: it was made without a bpf_link`,
      { hint: 'it stays without a pin, until it is detached; only a bpf_link can be pinned' },
    );
  }

  protected override detach(): void {
    const { place, attachType, target } = this.#request;
    const call = {
      command: 'BPF_PROG_DETACH',
      attribute: bpf_attr_prog_attach,
      fields: {
        target_fd: place.value,
        attach_bpf_fd: this.#program.fd.value,
        attach_type: attachType,
      },
      doing: `detach ${this.#program.name} from ${target}`,
    } as const;
    const result = tryBpf(this.#program.kernel, call);
    this.letBe();
    // Somebody else has detached or replaced it, or the place is gone: either way it is no longer attached.
    if (result < 0 && result !== -errno.ENOENT && result !== -errno.EINVAL) throw bpfError(call, result);
  }

  protected override letBe(): void {
    this.#program.close();
    this.#request.place.close();
  }
}
