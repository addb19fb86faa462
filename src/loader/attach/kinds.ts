import { interpretSectionName, type ProgramSpec, type SectionMeaning } from '../../elf/index.ts';
import * as link from '../../link/index.ts';
import type { Link } from '../../link/index.ts';
import * as uapi from '../../uapi/index.ts';
import { networkKinds } from './network.ts';
import { perfEventKind } from './perf-events.ts';
import { named, probeKinds } from './probes.ts';
import { missing, type AttachCall, type AttachKind, type TargetForm } from './request.ts';

/** What a section means and how its programs are attached. */
export interface KnownSection {
  readonly meaning: SectionMeaning;
  readonly kind: AttachKind;
}

/** Undefined where a section says no kind, or one that no options attach: sockets, XDP in maps, struct_ops, calls. */
export function attachKindOf(spec: ProgramSpec): KnownSection | undefined {
  const meaning = interpretSectionName(spec.section.replace(/^\?/, ''));
  if (!meaning) return undefined;
  const kind = meaning.name.startsWith('iter')
    ? iteratorKind(spec.attachTarget)
    : (byName[meaning.name] ?? byType[meaning.type]);
  return kind && { meaning, kind };
}

/** What is left open for the option `target`; undefined where the section says all. */
export function openTarget(spec: ProgramSpec, { target }: AttachKind): TargetForm | undefined {
  if (!target) return undefined;
  const saysOne = spec.attachTarget !== undefined && spec.attachTarget !== '';
  return saysOne && target.always !== true ? undefined : target;
}

const cgroupKind: AttachKind = { place: 'cgroup', attach: (call) => cgroup(call) };
const rawTracepoint: AttachKind = {
  target: named('NAME'),
  attach: ({ program, target }) => [link.attachRawTracepoint(program, { tracepoint: target })],
};
/** Verified against what they are attached to: the target is set before loading. */
const tracing = (form: string): AttachKind => ({
  target: named(form),
  attach: ({ program, target }) => [link.attachTracing(program, { target })],
});
const lirc: AttachKind = {
  target: { what: 'a device', form: () => '/dev/lirc0', fits: (target) => target.startsWith('/') },
  attach: ({ program, target }) => [link.attachLirc(program, { device: target })],
};

const byName: Readonly<Record<string, AttachKind>> = {
  ...networkKinds,
  ...probeKinds,
  perf_event: perfEventKind,
  tp_btf: tracing('NAME'),
  lsm_cgroup: { ...cgroupKind, target: named('HOOK') },
  'cgroup/skb': {
    place: 'cgroup',
    target: {
      what: 'a direction',
      form: () => 'ingress|egress',
      fits: (target) => target === 'ingress' || target === 'egress',
    },
    attach: (call) => cgroup(call, call.target === 'ingress' ? 'cgroup_inet_ingress' : 'cgroup_inet_egress'),
  },
};

const byType: Readonly<Record<number, AttachKind>> = {
  [uapi.BPF_PROG_TYPE_TRACEPOINT]: {
    target: named('GROUP/NAME', /.\/./),
    attach: ({ program, target }) => [link.attachTracepoint(program, { tracepoint: target })],
  },
  [uapi.BPF_PROG_TYPE_RAW_TRACEPOINT]: rawTracepoint,
  [uapi.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE]: rawTracepoint,
  [uapi.BPF_PROG_TYPE_LSM]: tracing('HOOK'),
  [uapi.BPF_PROG_TYPE_TRACING]: tracing('FUNCTION'),
  [uapi.BPF_PROG_TYPE_EXT]: {
    target: named('FUNCTION'),
    attach: ({ program }) => [link.attachFreplace(program)],
  },
  [uapi.BPF_PROG_TYPE_LIRC_MODE2]: lirc,
  [uapi.BPF_PROG_TYPE_CGROUP_SKB]: cgroupKind,
  [uapi.BPF_PROG_TYPE_CGROUP_SOCK]: cgroupKind,
  [uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR]: cgroupKind,
  [uapi.BPF_PROG_TYPE_CGROUP_SOCKOPT]: cgroupKind,
  [uapi.BPF_PROG_TYPE_CGROUP_SYSCTL]: cgroupKind,
  [uapi.BPF_PROG_TYPE_CGROUP_DEVICE]: cgroupKind,
  [uapi.BPF_PROG_TYPE_SOCK_OPS]: cgroupKind,
};

function cgroup({ program, options }: AttachCall, attachType?: link.CgroupAttachType): Link[] {
  if (options.cgroup === undefined) {
    throw missing(program, {
      argument: 'cgroup',
      what: 'a cgroup',
      hint: 'name it with the option "cgroup"',
    });
  }
  return [link.attachCgroup(program, { cgroup: options.cgroup, ...(attachType && { attachType }) })];
}

/** Iterators whose objects are in one map, which nothing but an option can name. */
const OF_MAP: ReadonlySet<string> = new Set(['bpf_map_elem', 'bpf_sk_storage_map', 'sockmap']);

const mapToWalk: TargetForm = {
  what: 'the map to walk over',
  form: () => 'MAP',
  fits: (target, maps) => maps.has(target),
  always: true,
};

function iteratorKind(objects: string | undefined): AttachKind {
  if (objects !== undefined && OF_MAP.has(objects)) {
    return {
      target: mapToWalk,
      attach: ({ program, maps, options }) => {
        const map = maps.get(options.target ?? '');
        return [link.attachIterator(program, map && { map })];
      },
    };
  }
  return {
    target: named('OBJECTS'),
    heeds: objects === 'cgroup' ? ['cgroup'] : ['pid'],
    attach: ({ program, options, target }) => [link.attachIterator(program, placeOf(target, options))],
  };
}

function placeOf(objects: string, { pid, cgroup: path }: AttachCall['options']): link.IteratorOptions {
  if (objects === 'cgroup') return path === undefined ? {} : { cgroup: { path, order: 'descendants_pre' } };
  return pid === undefined ? {} : { task: { pid } };
}
