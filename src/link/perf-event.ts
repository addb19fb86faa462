import type { BpfProgram } from '../programs/index.ts';
import { checkInteger, openPerfEvent } from '../sys/index.ts';
import * as uapi from '../uapi/index.ts';
import { checkProgram, doing, type AttachRequest } from './create-link.ts';
import { attachToPerfEvent, type PerfEventLink } from './perf-attachment.ts';
import type { CookieOptions } from './tracing.ts';

/** Events that perf_event_open(2) names by number, and the type and number of each. */
const EVENTS = {
  'cpu-clock': [uapi.PERF_TYPE_SOFTWARE, uapi.PERF_COUNT_SW_CPU_CLOCK],
  'task-clock': [uapi.PERF_TYPE_SOFTWARE, uapi.PERF_COUNT_SW_TASK_CLOCK],
  'page-faults': [uapi.PERF_TYPE_SOFTWARE, uapi.PERF_COUNT_SW_PAGE_FAULTS],
  'context-switches': [uapi.PERF_TYPE_SOFTWARE, uapi.PERF_COUNT_SW_CONTEXT_SWITCHES],
  'cpu-migrations': [uapi.PERF_TYPE_SOFTWARE, uapi.PERF_COUNT_SW_CPU_MIGRATIONS],
  'minor-faults': [uapi.PERF_TYPE_SOFTWARE, uapi.PERF_COUNT_SW_PAGE_FAULTS_MIN],
  'major-faults': [uapi.PERF_TYPE_SOFTWARE, uapi.PERF_COUNT_SW_PAGE_FAULTS_MAJ],
  'cpu-cycles': [uapi.PERF_TYPE_HARDWARE, uapi.PERF_COUNT_HW_CPU_CYCLES],
  instructions: [uapi.PERF_TYPE_HARDWARE, uapi.PERF_COUNT_HW_INSTRUCTIONS],
  'cache-references': [uapi.PERF_TYPE_HARDWARE, uapi.PERF_COUNT_HW_CACHE_REFERENCES],
  'cache-misses': [uapi.PERF_TYPE_HARDWARE, uapi.PERF_COUNT_HW_CACHE_MISSES],
  'branch-instructions': [uapi.PERF_TYPE_HARDWARE, uapi.PERF_COUNT_HW_BRANCH_INSTRUCTIONS],
  'branch-misses': [uapi.PERF_TYPE_HARDWARE, uapi.PERF_COUNT_HW_BRANCH_MISSES],
} as const;

/** Counters by the names that perf(1) gives them. */
export type PerfEventName = keyof typeof EVENTS;

export function isPerfEventName(name: string): name is PerfEventName {
  return Object.hasOwn(EVENTS, name);
}

/** perf_event_attr.flags: `freq` says that sample_period is a frequency (bit 10 of <linux/perf_event.h>). */
const FREQUENCY = 1n << 10n;

/** Options of {@link attachPerfEvent}: what is counted, where, and how often the program runs. */
export interface PerfEventOptions extends CookieOptions {
  /** The name that perf(1) gives it, or its `type` and `config` of struct perf_event_attr. */
  readonly event: PerfEventName | { readonly type: number; readonly config: bigint };
  /** Every so many events, or so many times a second in hertz. */
  readonly sample: { readonly period: number } | { readonly frequency: number };
  /** A process or thread. @default all */
  readonly pid?: number;
  /** One CPU; needed where no process is given: attach once for each CPU to have all. @default any */
  readonly cpu?: number;
}

/**
 * Attaches a program to a perf event: it runs at each sample.
 *
 * Linux 4.9; by bpf_link and with a cookie 5.15. Needs CAP_PERFMON. Virtual machines often have no hardware events.
 *
 * @throws SyscallError (ENOENT, EOPNOTSUPP) where the machine lacks the event; PermissionError
 */
export function attachPerfEvent(program: BpfProgram, options: PerfEventOptions): PerfEventLink {
  const { event, sample, pid = -1, cpu = -1, cookie = 0n } = options;
  const name =
    typeof event === 'string' ? event : `perf event ${String(event.type)}:${event.config.toString()}`;
  const [type, config] = typeof event === 'string' ? EVENTS[event] : [event.type, event.config];
  const where = `${pid < 0 ? '' : ` of process ${String(pid)}`}${cpu < 0 ? '' : ` on CPU ${String(cpu)}`}`;
  const request: AttachRequest = { kind: 'perf_event', target: `${name}${where}`, needed: ['CAP_PERFMON'] };
  checkProgram(program, { types: [uapi.BPF_PROG_TYPE_PERF_EVENT], target: request.target });
  const frequency = 'frequency' in sample;
  const every = frequency ? sample.frequency : sample.period;
  checkInteger(frequency ? 'frequency' : 'period', every, { minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
  const perfEvent = openPerfEvent({
    attribute: {
      type,
      config: BigInt(config),
      sample_period: BigInt(every),
      flags: frequency ? FREQUENCY : 0n,
    },
    pid,
    cpu,
    doing: doing(program, request),
    description: request.target,
  });
  return attachToPerfEvent(program, { request, place: { event: perfEvent, cookie } });
}
