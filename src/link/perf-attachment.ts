import { ArgumentError } from '../errors.ts';
import { Feature, isSupported, unsupportedFeature } from '../features/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import { errno, ioctl, syscallError, type Fd } from '../sys/index.ts';
import {
  BPF_PERF_EVENT,
  PERF_EVENT_IOC_DISABLE,
  PERF_EVENT_IOC_ENABLE,
  PERF_EVENT_IOC_SET_BPF,
} from '../uapi/index.ts';
import { Attachment } from './attachment.ts';
import { BpfLink } from './bpf-link-attachment.ts';
import { attachRefused, doing, tryCreateLink, type AttachRequest } from './create-link.ts';

/** A perf event and what is to be done when nothing is attached to it any more. */
export interface PerfEventPlace {
  /** Taken over, also where attaching throws. */
  readonly event: Fd;
  readonly cookie: bigint;
  /** Undoes what was made for the event: a probe in tracefs. */
  readonly cleanUp?: (() => void) | undefined;
}

/** A program on a perf event: by bpf_link, or on kernels before 5.15 by the event itself. */
export type PerfEventLink = BpfLink | PerfEventAttachment;

/**
 * Attaches a program to a perf event, and switches the event on.
 *
 * By bpf_link since Linux 5.15; before, the attachment goes with the event's descriptor, and has no cookie.
 */
export function attachToPerfEvent(
  program: BpfProgram,
  { request, place }: { request: AttachRequest; place: PerfEventPlace },
): PerfEventLink {
  const { event, cookie, cleanUp } = place;
  try {
    // What a link alone holds cannot be undone when it goes: then the event stays with this process.
    const link = cleanUp ? -errno.EINVAL : linkTo(program, { request, place });
    if (link instanceof BpfLink) {
      enable(event, doing(program, request));
      event.close();
      return link;
    }
    if (cleanUp === undefined && isSupported(Feature.PerfEventLink, { kernel: program.kernel })) {
      throw attachRefused(program, { request, call: 'BPF_LINK_CREATE', result: link });
    }
    if (cookie !== 0n)
      throw unsupportedFeature(Feature.PerfEventLink, { doing: `${doing(program, request)} with a cookie` });
    return attachByIoctl(program, { request, place });
  } catch (error) {
    event.close();
    cleanUp?.();
    throw error;
  }
}

function linkTo(
  program: BpfProgram,
  { request, place }: { request: AttachRequest; place: PerfEventPlace },
): BpfLink | number {
  return tryCreateLink(program, {
    ...request,
    fields: {
      target_fd: place.event.value,
      attach_type: BPF_PERF_EVENT,
      ...(place.cookie !== 0n && { perf_event: { bpf_cookie: place.cookie } }),
    },
  });
}

function attachByIoctl(
  program: BpfProgram,
  { request, place }: { request: AttachRequest; place: PerfEventPlace },
): PerfEventAttachment {
  const { event } = place;
  const result = ioctl(event.value, PERF_EVENT_IOC_SET_BPF, program.fd.value);
  if (result < 0) throw attachRefused(program, { request, call: 'PERF_EVENT_IOC_SET_BPF', result });
  enable(event, doing(program, request));
  return new PerfEventAttachment(request, place);
}

function enable(event: Fd, doingThis: string): void {
  const result = ioctl(event.value, PERF_EVENT_IOC_ENABLE, 0);
  if (result < 0)
    throw syscallError({ call: 'ioctl(PERF_EVENT_IOC_ENABLE)', errno: result, doing: doingThis });
}

/** A program on a perf event that this process has open: it goes with the descriptor. */
export class PerfEventAttachment extends Attachment {
  override readonly kind: string;
  override readonly via = 'perf_event';
  override readonly id = undefined;
  readonly #place: PerfEventPlace;

  constructor(request: AttachRequest, place: PerfEventPlace) {
    super(request.target);
    this.kind = request.kind;
    this.#place = place;
  }

  /** Nobody else can take a program off an event. */
  override get attached(): boolean {
    this.checkOpen();
    return true;
  }

  override pin(path: string): void {
    throw new ArgumentError(
      'via',
      `Cannot pin the attachment to ${this.target} to ${path}: it is no bpf_link, and goes with this process`,
    );
  }

  protected override detach(): void {
    const { event, cleanUp } = this.#place;
    ioctl(event.value, PERF_EVENT_IOC_DISABLE, 0);
    event.close();
    cleanUp?.();
  }

  protected override letBe(): void {
    this.detach();
  }
}
