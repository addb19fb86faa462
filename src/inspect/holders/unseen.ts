import * as uapi from '../../uapi/index.ts';
import type { Search } from './search.ts';

/** What may hold it and is not told by the kernel, or hidden from this process; a sentence each. */
export function unseenHolders({ held, type, processes }: Search): string[] {
  const unseen: string[] = [];
  if (processes.hidden > 0)
    unseen.push(
      `the descriptors of ${String(processes.hidden)} processes, which CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH show`,
    );
  if (held.kind === 'map') unseen.push('memory mappings of processes that closed the descriptor');
  if (held.kind !== 'program') return unseen;
  if (type === uapi.BPF_PROG_TYPE_SOCKET_FILTER)
    unseen.push('sockets that filter with it (SO_ATTACH_BPF), and packet fanouts');
  if (type === uapi.BPF_PROG_TYPE_SK_REUSEPORT) unseen.push('groups of sockets that it chooses from');
  if (type === uapi.BPF_PROG_TYPE_PERF_EVENT) unseen.push('perf events that it was set on without a link');
  if (type === uapi.BPF_PROG_TYPE_SCHED_CLS) unseen.push('rules of netfilter that match with it (xt_bpf)');
  if (type === uapi.BPF_PROG_TYPE_SCHED_ACT) unseen.push('actions of traffic control');
  if (type === uapi.BPF_PROG_TYPE_LIRC_MODE2) unseen.push('infrared receivers');
  const lightweightTunnels: readonly (number | undefined)[] = [
    uapi.BPF_PROG_TYPE_LWT_IN,
    uapi.BPF_PROG_TYPE_LWT_OUT,
    uapi.BPF_PROG_TYPE_LWT_XMIT,
    uapi.BPF_PROG_TYPE_LWT_SEG6LOCAL,
  ];
  if (lightweightTunnels.includes(type)) unseen.push('routes that encapsulate with it');
  const iterators = processes.descriptors.filter(({ kind }) => kind === 'iterator').length;
  if (type === uapi.BPF_PROG_TYPE_TRACING && iterators > 0)
    unseen.push(
      `${String(iterators)} iterators that processes have open, of which the kernel does not tell the program`,
    );
  return unseen;
}
