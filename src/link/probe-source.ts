import { closeSync, constants, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { FileError, type UnsupportedFeatureError } from '../errors.ts';
import { unsupportedFeature } from '../features/index.ts';
import { openPerfEvent, systemKernel, type Fd } from '../sys/index.ts';
import { PERF_TYPE_TRACEPOINT } from '../uapi/index.ts';
import { findTracefs, tracefsRefusal, tracepointId } from './tracefs.ts';

/** How a probe is made: by perf_event_open(2) (Linux 4.17), or by a line in a file of tracefs, which older kernels need. */
export type ProbeVia = 'perf' | 'tracefs';

/** A probe on one instruction of the kernel or of a program. */
export interface ProbeRequest {
  readonly kind: 'kprobe' | 'uprobe';
  /** Function of the kernel, or path of the program file. */
  readonly subject: string;
  /** Bytes from the start of the function, or of the file. */
  readonly offset: bigint;
  /** Whether it runs when the function returns. */
  readonly onReturn: boolean;
  /** Where in the file the counter of listeners is, for USDT; 0n for none. Linux 4.20. */
  readonly semaphoreOffset: bigint;
  /** -1 for every process. */
  readonly pid: number;
  readonly via: ProbeVia | undefined;
  readonly doing: string;
  readonly description: string;
}

export interface OpenProbe {
  readonly event: Fd;
  readonly cleanUp: (() => void) | undefined;
}

/** Opens the perf event of a probe. @throws UnsupportedFeatureError where the kernel has no such probes */
export function openProbe(request: ProbeRequest): OpenProbe {
  const type = readPmu(request.kind, 'type');
  const via = request.via ?? (type === undefined ? 'tracefs' : 'perf');
  if (via === 'tracefs') return openByTracefs(request);
  if (type === undefined) throw unsupported(request);
  return { event: openByPerf(request, Number(type)), cleanUp: undefined };
}

function openByPerf(request: ProbeRequest, type: number): Fd {
  const { subject, offset, kind, onReturn, semaphoreOffset, pid, doing, description } = request;
  const path = new TextEncoder().encode(`${subject}\0`);
  // "config:0" says which bit asks for a return probe; the counter's offset is in the upper half (ref_ctr_offset).
  const bit = Number(/config:(\d+)/.exec(readPmu(kind, 'format/retprobe') ?? 'config:0')?.[1]);
  return openPerfEvent({
    attribute: {
      type,
      config: (onReturn ? 1n << BigInt(bit) : 0n) | (semaphoreOffset << 32n),
      config1: systemKernel().addressOf(path),
      config2: offset,
    },
    keep: [path],
    pid,
    cpu: pid < 0 ? 0 : -1,
    doing,
    description,
    needed: NEEDED[kind],
  });
}

/**
 * Uprobes changed twice: CAP_PERFMON since Linux 5.8, CAP_SYS_ADMIN again since 6.16 and stable kernels of July 2025
 * (perf_uprobe_event_init() in kernel/events/core.c).
 */
const NEEDED = { kprobe: ['CAP_PERFMON'], uprobe: ['CAP_PERFMON', 'CAP_SYS_ADMIN'] } as const;

let probes = 0;

/**
 * A line in kprobe_events or uprobe_events makes a tracepoint, which the event is then opened on. Nothing takes it away
 * when this process is killed.
 */
function openByTracefs(request: ProbeRequest): OpenProbe {
  const { kind, subject, offset, onReturn, semaphoreOffset, pid, doing, description } = request;
  const file = join(findTracefs(doing), `${kind}_events`);
  const event = `ts_xdp_${String(process.pid)}_${String(probes++)}`;
  const place = kind === 'kprobe' ? `${subject}+${offset.toString()}` : `${subject}:0x${offset.toString(16)}`;
  const counter = semaphoreOffset === 0n ? '' : `(0x${semaphoreOffset.toString(16)})`;
  writeLine(request, { file, line: `${onReturn ? 'r' : 'p'}:${kind}s/${event} ${place}${counter}` });
  const cleanUp = (): void => {
    writeLine(request, { file, line: `-:${kind}s/${event}` });
  };
  try {
    const config = tracepointId(`${kind}s`, { event, doing });
    const cpu = pid < 0 ? 0 : -1;
    const attribute = { type: PERF_TYPE_TRACEPOINT, config };
    return { event: openPerfEvent({ attribute, pid, cpu, doing, description }), cleanUp };
  } catch (error) {
    cleanUp();
    throw error;
  }
}

function writeLine(request: ProbeRequest, { file, line }: { file: string; line: string }): void {
  try {
    // Without O_CREAT, for which tracefs has EACCES where the file is not there.
    const fd = openSync(file, constants.O_WRONLY | constants.O_APPEND);
    try {
      writeSync(fd, `${line}\n`);
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !existsSync(file)) {
      throw unsupported(request);
    }
    if (code === 'EACCES') {
      throw tracefsRefusal(request.doing, { call: `open(${file})`, needed: 'CAP_DAC_OVERRIDE' });
    }
    throw new FileError(
      'FILE_UNREADABLE',
      file,
      `Cannot ${request.doing}: ${file} refuses "${line}" with ${code ?? 'an error'}`,
      {
        cause,
      },
    );
  }
}

function unsupported({ kind, doing }: ProbeRequest): UnsupportedFeatureError {
  const [name, minKernel, option] =
    kind === 'kprobe'
      ? ['kprobes', '4.1', 'CONFIG_KPROBE_EVENTS']
      : ['uprobes', '4.3', 'CONFIG_UPROBE_EVENTS'];
  return unsupportedFeature({ name, minKernel }, { doing, hint: `it must be built with ${option}` });
}

/** Undefined where the kernel makes no such probes by perf_event_open(2). */
function readPmu(kind: 'kprobe' | 'uprobe', file: string): string | undefined {
  try {
    return readFileSync(join('/sys/bus/event_source/devices', kind, file), 'latin1').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
