import { ArgumentError } from '../errors.ts';
import type { BpfProgram } from '../programs/index.ts';
import { openPerfEvent } from '../sys/index.ts';
import { BPF_PROG_TYPE_TRACEPOINT, PERF_TYPE_TRACEPOINT } from '../uapi/index.ts';
import { checkProgram, doing, type AttachRequest } from './create-link.ts';
import { attachToPerfEvent, type PerfEventLink } from './perf-attachment.ts';
import { tracepointId } from './tracefs.ts';
import type { CookieOptions } from './tracing.ts';

/** Options of {@link attachTracepoint}. */
export interface TracepointOptions extends CookieOptions {
  /** `sched/sched_switch`: the group and the event, as in tracefs. */
  readonly tracepoint: string;
}

/**
 * Attaches a program to a tracepoint, whose fields it reads as tracefs lays them out.
 *
 * Linux 4.7; by bpf_link and with a cookie 5.15. Needs CAP_PERFMON and a mounted tracefs that may be read.
 *
 * @throws FileError where tracefs is not mounted; NotFoundError (TRACEPOINT_NOT_FOUND), UnsupportedFeatureError,
 * PermissionError
 */
export function attachTracepoint(program: BpfProgram, options: TracepointOptions): PerfEventLink {
  const { tracepoint, cookie = 0n } = options;
  const [group = '', event = '', ...more] = tracepoint.split('/');
  if (group === '' || event === '' || more.length > 0) {
    throw new ArgumentError('tracepoint', `Cannot attach ${program.name}: ${tracepoint} is no tracepoint`, {
      hint: 'name its group and itself, like sched/sched_switch',
    });
  }
  const request: AttachRequest = { kind: 'tracepoint', target: tracepoint, needed: ['CAP_PERFMON'] };
  checkProgram(program, { types: [BPF_PROG_TYPE_TRACEPOINT], target: tracepoint });
  const doingThis = doing(program, request);
  const config = tracepointId(group, { event, doing: doingThis });
  // A tracepoint's programs run on every CPU, whichever the event is opened for (perf_trace_event_reg()).
  const perfEvent = openPerfEvent({
    attribute: { type: PERF_TYPE_TRACEPOINT, config },
    cpu: 0,
    doing: doingThis,
    description: `tracepoint ${tracepoint}`,
  });
  return attachToPerfEvent(program, { request, place: { event: perfEvent, cookie } });
}
