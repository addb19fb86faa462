import { interpretSectionName, type ProgramSpec } from '../elf/index.ts';
import * as uapi from '../uapi/index.ts';
import type { AttachOptions } from './attach.ts';

const cgroupTypes: readonly number[] = [
  uapi.BPF_PROG_TYPE_CGROUP_SKB,
  uapi.BPF_PROG_TYPE_CGROUP_SOCK,
  uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
  uapi.BPF_PROG_TYPE_CGROUP_SOCKOPT,
  uapi.BPF_PROG_TYPE_CGROUP_SYSCTL,
  uapi.BPF_PROG_TYPE_CGROUP_DEVICE,
  uapi.BPF_PROG_TYPE_SOCK_OPS,
];
const interfaceTypes: readonly number[] = [uapi.BPF_PROG_TYPE_XDP, uapi.BPF_PROG_TYPE_SCHED_CLS];
const namespaceTypes: readonly number[] = [uapi.BPF_PROG_TYPE_SK_LOOKUP, uapi.BPF_PROG_TYPE_FLOW_DISSECTOR];
const targetTypes: readonly number[] = [
  uapi.BPF_PROG_TYPE_KPROBE,
  uapi.BPF_PROG_TYPE_TRACEPOINT,
  uapi.BPF_PROG_TYPE_RAW_TRACEPOINT,
  uapi.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE,
  uapi.BPF_PROG_TYPE_TRACING,
  uapi.BPF_PROG_TYPE_LSM,
];

/** Which options attaching a program by its section heeds; the others are for programs of other kinds. */
export function heededOptions(spec: ProgramSpec): ReadonlySet<keyof AttachOptions> {
  const meaning = interpretSectionName(spec.section.replace(/^\?/, ''));
  if (!meaning) return new Set();
  const { name, type } = meaning;
  if (cgroupTypes.includes(type) || name === 'lsm_cgroup') return new Set(['cgroup']);
  if (interfaceTypes.includes(type)) return new Set(['interfaces', 'netns']);
  if (namespaceTypes.includes(type)) return new Set(['netns']);
  const heeded = new Set<keyof AttachOptions>();
  if (/^(u(ret)?probe|usdt|iter)/.test(name)) heeded.add('pid');
  // What the section says comes first.
  if (targetTypes.includes(type) && !name.startsWith('iter') && spec.attachTarget === undefined)
    heeded.add('target');
  return heeded;
}
