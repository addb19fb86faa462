import { tryReadInfo, type Fd, type Kernel } from '../sys/index.ts';
import * as uapi from '../uapi/index.ts';
import { bpf_link_info } from '../uapi/index.ts';

/** A link of several functions of a program file. Linux 6.8 tells of them. */
export interface UprobeMultiInfo {
  readonly kind: 'uprobe_multi';
  readonly path: string;
  readonly offsets: readonly bigint[];
  /** Where the counters of USDT probes are in the file; 0n for none. */
  readonly referenceCounterOffsets: readonly bigint[];
  readonly cookies: readonly bigint[];
  readonly flags: number;
  /** 0 for every process. */
  readonly pid: number;
}

/** A link of a perf event. Linux 6.6 tells of them; before, `event` is `unknown`. */
export type PerfEventInfo = { readonly kind: 'perf_event' } & (
  | { readonly event: 'tracepoint'; readonly tracepoint: string; readonly cookie: bigint }
  | {
      readonly event: 'kprobe' | 'kretprobe';
      readonly function: string;
      readonly offset: number;
      readonly address: bigint;
      readonly missed: bigint;
      readonly cookie: bigint;
    }
  | {
      readonly event: 'uprobe' | 'uretprobe';
      readonly path: string;
      readonly offset: number;
      readonly cookie: bigint;
      /** Where the counter of a USDT probe is in the file; 0n for none, and before Linux 6.16. */
      readonly referenceCounterOffset: bigint;
    }
  | { readonly event: 'event'; readonly type: number; readonly config: bigint; readonly cookie: bigint }
  | { readonly event: 'unknown' }
);

const PATH_MAX = 4096;

/** What the kernel tells of a link on probes or perf events, whose names need a buffer. */
export function probeInfo(
  kernel: Kernel,
  { fd, info }: { fd: Fd; info: bpf_link_info },
): UprobeMultiInfo | PerfEventInfo {
  return info.type === uapi.BPF_LINK_TYPE_UPROBE_MULTI
    ? uprobeMulti(kernel, { fd, count: info.uprobe_multi.count })
    : perfEvent(kernel, fd);
}

function uprobeMulti(kernel: Kernel, { fd, count }: { fd: Fd; count: number }): UprobeMultiInfo {
  const path = new Uint8Array(PATH_MAX);
  const offsets = new BigUint64Array(count);
  const counters = new BigUint64Array(count);
  const cookies = new BigUint64Array(count);
  const bytes = new Uint8Array(offsets.buffer);
  const counterBytes = new Uint8Array(counters.buffer);
  const cookieBytes = new Uint8Array(cookies.buffer);
  const info = tryReadInfo(kernel, {
    fd,
    descriptor: bpf_link_info,
    fields: {
      uprobe_multi: {
        path: kernel.addressOf(path),
        path_size: path.length,
        offsets: kernel.addressOf(bytes),
        count,
        ref_ctr_offsets: kernel.addressOf(counterBytes),
        cookies: kernel.addressOf(cookieBytes),
        flags: 0,
        pid: 0,
      },
    },
    keep: [path, bytes, counterBytes, cookieBytes],
  });
  // Linux 6.6 has such links, and tells of them since 6.8.
  const { flags, pid } = info?.uprobe_multi ?? { flags: 0, pid: 0 };
  return {
    kind: 'uprobe_multi',
    path: textOf(path),
    offsets: [...offsets],
    referenceCounterOffsets: [...counters],
    cookies: [...cookies],
    flags,
    pid,
  };
}

function perfEvent(kernel: Kernel, fd: Fd): PerfEventInfo {
  const name = new Uint8Array(PATH_MAX);
  // The name of every type of event has its address and length at the same place.
  const info = tryReadInfo(kernel, {
    fd,
    descriptor: bpf_link_info,
    fields: {
      perf_event: {
        type: 0,
        tracepoint: { tp_name: kernel.addressOf(name), name_len: name.length, cookie: 0n },
      } as bpf_link_info['perf_event'],
    },
    keep: [name],
  });
  const kind = 'perf_event';
  // Linux 5.15 has such links, and tells of them since 6.6: before, their fields are refused or left alone.
  const event = info?.perf_event;
  switch (event?.type) {
    case uapi.BPF_PERF_EVENT_TRACEPOINT:
      return { kind, event: 'tracepoint', tracepoint: textOf(name), cookie: event.tracepoint.cookie };
    case uapi.BPF_PERF_EVENT_KPROBE:
    case uapi.BPF_PERF_EVENT_KRETPROBE: {
      const { offset, addr, missed, cookie } = event.kprobe;
      const which = event.type === uapi.BPF_PERF_EVENT_KPROBE ? 'kprobe' : 'kretprobe';
      return { kind, event: which, function: textOf(name), offset, address: addr, missed, cookie };
    }
    case uapi.BPF_PERF_EVENT_UPROBE:
    case uapi.BPF_PERF_EVENT_URETPROBE: {
      const { offset, cookie, ref_ctr_offset: referenceCounterOffset } = event.uprobe;
      const which = event.type === uapi.BPF_PERF_EVENT_UPROBE ? 'uprobe' : 'uretprobe';
      return { kind, event: which, path: textOf(name), offset, cookie, referenceCounterOffset };
    }
    case uapi.BPF_PERF_EVENT_EVENT:
      return {
        kind,
        event: 'event',
        type: event.event.type,
        config: event.event.config,
        cookie: event.event.cookie,
      };
    default:
      return { kind, event: 'unknown' };
  }
}

export function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
