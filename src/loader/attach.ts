import { ArgumentError, ObjectError } from '../errors.ts';
import { interpretSectionName, type ProgramSpec } from '../elf/index.ts';
import * as link from '../link/index.ts';
import type { Link } from '../link/index.ts';
import { MapType, type BpfMap } from '../maps/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import type { NetworkNamespace } from '../sys/index.ts';
import * as uapi from '../uapi/index.ts';

/** What a section name leaves open, for all programs of an object alike. */
export interface AttachOptions {
  /** Network interfaces, by name or index, for XDP, tc, tcx and netkit programs. */
  readonly interfaces?: readonly (string | number)[];
  /** For cgroup programs: the path of its directory, or its path below the root of cgroup v2. */
  readonly cgroup?: string;
  /** For uprobes and USDT, and iterators over tasks: one process. @default every process */
  readonly pid?: number;
  /** For programs on functions: `/bin/bash:readline` for uprobes, `do_unlinkat` for kprobes, `sched/sched_switch`, … */
  readonly target?: string;
  /** The namespace of the interfaces, and of programs for network namespaces. @default the current one */
  readonly netns?: NetworkNamespace;
}

/** A program, and the maps that its attachment needs. */
export interface AttachSubject {
  readonly program: BpfProgram;
  readonly spec: ProgramSpec;
  readonly maps: ReadonlyMap<string, BpfMap>;
}

/**
 * How a program is to be attached by what its section says, or why it cannot be:
 * undefined for what is attached in another way (struct_ops, programs for tail calls and test runs, XDP in maps).
 */
export function attachBySection(subject: AttachSubject, options: AttachOptions): Link[] | undefined {
  const meaning = interpretSectionName(subject.spec.section.replace(/^\?/, ''));
  if (!meaning) return undefined;
  if (unattached.has(meaning.name)) return undefined;
  const attacher = attachers[meaning.name] ?? byType[meaning.type];
  // What the section says comes first: the option is for those that leave it open.
  const target = subject.spec.attachTarget ?? options.target;
  return attacher?.({ ...subject, options, section: meaning.name, target });
}

/** Whether the section of a program says how it is attached, given what the options add. */
export function isAttachable(spec: ProgramSpec): boolean {
  const meaning = interpretSectionName(spec.section.replace(/^\?/, ''));
  if (!meaning || unattached.has(meaning.name)) return false;
  return attachers[meaning.name] !== undefined || byType[meaning.type] !== undefined;
}

/** XDP programs of device and CPU maps run where a map sends packets; the other says no direction. */
const unattached: ReadonlySet<string> = new Set([
  'cgroup/skb',
  'xdp/devmap',
  'xdp.frags/devmap',
  'xdp/cpumap',
  'xdp.frags/cpumap',
]);

interface Request extends AttachSubject {
  readonly options: AttachOptions;
  readonly section: string;
  readonly target: string | undefined;
}

type Attacher = (request: Request) => Link[];

const byType: Readonly<Record<number, Attacher>> = {
  [uapi.BPF_PROG_TYPE_XDP]: (request) =>
    onInterfaces(request, (place) => link.attachXdp(request.program, place)),
  [uapi.BPF_PROG_TYPE_TRACEPOINT]: (request) => [
    link.attachTracepoint(request.program, { tracepoint: targetOf(request, 'tp/GROUP/NAME') }),
  ],
  [uapi.BPF_PROG_TYPE_RAW_TRACEPOINT]: rawTracepoint,
  [uapi.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE]: rawTracepoint,
  [uapi.BPF_PROG_TYPE_LSM]: ({ program, section, options, target }) =>
    section === 'lsm_cgroup' ? cgroup({ program, options }) : [tracing({ program, target })],
  [uapi.BPF_PROG_TYPE_TRACING]: ({ program, section, options, target }) => {
    if (!section.startsWith('iter')) return [tracing({ program, target })];
    return [link.attachIterator(program, options.pid === undefined ? {} : { task: { pid: options.pid } })];
  },
  [uapi.BPF_PROG_TYPE_EXT]: ({ program }) => [link.attachFreplace(program)],
  [uapi.BPF_PROG_TYPE_SK_LOOKUP]: ({ program, options }) => [link.attachSkLookup(program, netnsOf(options))],
  [uapi.BPF_PROG_TYPE_FLOW_DISSECTOR]: ({ program, options }) => [
    link.attachFlowDissector(program, netnsOf(options)),
  ],
  [uapi.BPF_PROG_TYPE_CGROUP_SKB]: cgroup,
  [uapi.BPF_PROG_TYPE_CGROUP_SOCK]: cgroup,
  [uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR]: cgroup,
  [uapi.BPF_PROG_TYPE_CGROUP_SOCKOPT]: cgroup,
  [uapi.BPF_PROG_TYPE_CGROUP_SYSCTL]: cgroup,
  [uapi.BPF_PROG_TYPE_CGROUP_DEVICE]: cgroup,
  [uapi.BPF_PROG_TYPE_SOCK_OPS]: cgroup,
};

/** By the name of the section, where the type of program does not say enough. */
const attachers: Readonly<Record<string, Attacher>> = {
  'tc/ingress': traffic,
  'tc/egress': traffic,
  'tcx/ingress': traffic,
  'tcx/egress': traffic,
  'netkit/primary': netkit,
  'netkit/peer': netkit,
  kprobe: kprobe({ onReturn: false }),
  kretprobe: kprobe({ onReturn: true }),
  ksyscall: ksyscall({ onReturn: false }),
  kretsyscall: ksyscall({ onReturn: true }),
  'kprobe.multi': kprobeMulti({ onReturn: false }),
  'kretprobe.multi': kprobeMulti({ onReturn: true }),
  'kprobe.session': kprobeMulti({ onReturn: false }),
  uprobe: uprobe({ onReturn: false }),
  'uprobe.s': uprobe({ onReturn: false }),
  uretprobe: uprobe({ onReturn: true }),
  'uretprobe.s': uprobe({ onReturn: true }),
  'uprobe.multi': uprobeMulti({ onReturn: false }),
  'uprobe.multi.s': uprobeMulti({ onReturn: false }),
  'uretprobe.multi': uprobeMulti({ onReturn: true }),
  'uretprobe.multi.s': uprobeMulti({ onReturn: true }),
  'uprobe.session': uprobeMulti({ onReturn: false }),
  'uprobe.session.s': uprobeMulti({ onReturn: false }),
  usdt,
  'usdt.s': usdt,
};

function tracing({ program, target }: Pick<Request, 'program' | 'target'>): Link {
  return link.attachTracing(program, target === undefined ? {} : { target });
}

function rawTracepoint(request: Request): Link[] {
  return [link.attachRawTracepoint(request.program, { tracepoint: targetOf(request, 'raw_tp/NAME') })];
}

function cgroup({ program, options }: Pick<Request, 'program' | 'options'>): Link[] {
  if (options.cgroup === undefined) {
    throw missing(program, {
      argument: 'cgroup',
      what: 'a cgroup',
      hint: 'name it with "cgroup" (--cgroup PATH)',
    });
  }
  return [link.attachCgroup(program, { cgroup: options.cgroup })];
}

function traffic(request: Request): Link[] {
  return onInterfaces(request, (place) => link.attachTcx(request.program, place));
}

function netkit(request: Request): Link[] {
  return onInterfaces(request, (place) => link.attachNetkit(request.program, place));
}

/** On every interface, or on none. */
function onInterfaces(
  { program, options }: Request,
  attach: (place: { interface: string | number; netns?: NetworkNamespace }) => Link,
): Link[] {
  const { interfaces = [] } = options;
  if (interfaces.length === 0) {
    throw missing(program, {
      argument: 'interfaces',
      what: 'a network interface',
      hint: 'name it with "interfaces" (--iface NAME)',
    });
  }
  const links: Link[] = [];
  try {
    for (const one of interfaces) links.push(attach({ interface: one, ...netnsOf(options) }));
    return links;
  } catch (error) {
    for (const done of links) done.close();
    throw error;
  }
}

function netnsOf({ netns }: AttachOptions): { netns?: NetworkNamespace } {
  return netns ? { netns } : {};
}

function kprobe({ onReturn }: { onReturn: boolean }): Attacher {
  return (request) => {
    const [, name = '', offset] =
      /^(.*?)(?:\+(0x[0-9a-fA-F]+|\d+))?$/.exec(targetOf(request, `${request.section}/FUNCTION`)) ?? [];
    return [link.attachKprobe(request.program, { function: name, offset: Number(offset ?? 0), onReturn })];
  };
}

function ksyscall({ onReturn }: { onReturn: boolean }): Attacher {
  return (request) => [
    link.attachKsyscall(request.program, { syscall: targetOf(request, `${request.section}/NAME`), onReturn }),
  ];
}

function kprobeMulti({ onReturn }: { onReturn: boolean }): Attacher {
  return (request) => [
    link.attachKprobeMulti(request.program, {
      functions: targetOf(request, `${request.section}/PATTERN`),
      onReturn,
    }),
  ];
}

function uprobe({ onReturn }: { onReturn: boolean }): Attacher {
  return (request) => {
    const { path, rest } = fileTarget(request, 'PATH:FUNCTION');
    // A number alone is an offset in the file, as libbpf takes it.
    const place = /^(0x[0-9a-fA-F]+|\d+)$/.test(rest) ? { offset: BigInt(rest) } : { function: rest };
    return [link.attachUprobe(request.program, { path, ...place, onReturn, ...pidOf(request) })];
  };
}

function uprobeMulti({ onReturn }: { onReturn: boolean }): Attacher {
  return (request) => {
    const { path, rest } = fileTarget(request, 'PATH:PATTERN');
    return [link.attachUprobeMulti(request.program, { path, functions: rest, onReturn, ...pidOf(request) })];
  };
}

function usdt(request: Request): Link[] {
  const { program, maps } = request;
  const { path, rest } = fileTarget(request, 'PATH:PROVIDER:NAME');
  const [provider = '', name = ''] = rest.split(':');
  const specs = maps.get('__bpf_usdt_specs');
  if (!specs) {
    throw new ObjectError(
      'OBJECT_INVALID',
      `Cannot attach ${program.name} to ${provider}:${name}: its object has no map __bpf_usdt_specs`,
      { program: program.name, hint: 'include <bpf/usdt.bpf.h>, and read an argument of the probe' },
    );
  }
  const instructions = maps.get('__bpf_usdt_ip_to_spec_id');
  return [
    link.attachUsdt(program, { path, provider, name, maps: { specs, instructions }, ...pidOf(request) }),
  ];
}

function pidOf({ options }: Request): { pid?: number } {
  return options.pid === undefined ? {} : { pid: options.pid };
}

/** `/bin/bash:readline`: a path has no colon in section names. */
function fileTarget(request: Request, form: string): { path: string; rest: string } {
  const target = targetOf(request, `${request.section}/${form}`);
  const colon = target.indexOf(':');
  if (colon > 0) return { path: target.slice(0, colon), rest: target.slice(colon + 1) };
  throw missing(request.program, {
    argument: 'target',
    what: `a target of the form ${form}`,
    hint: `name it with "target" (--target ${form})`,
  });
}

function targetOf(request: Request, form: string): string {
  if (request.target !== undefined && request.target !== '') return request.target;
  throw missing(request.program, {
    argument: 'target',
    what: `a target, since its section ${request.section} names none`,
    hint: `name it with "target" (--target), or in the section: SEC("${form}")`,
  });
}

function missing(
  program: BpfProgram,
  { argument, what, hint }: { argument: string; what: string; hint: string },
): ArgumentError {
  return new ArgumentError(argument, `Cannot attach ${program.name}: it needs ${what}`, { hint });
}

/** Puts every struct_ops map of a collection to work; all of them or none. */
export function attachStructOpsMaps(
  maps: ReadonlyMap<string, BpfMap>,
  valueOf: (map: string) => Uint8Array,
): Link[] {
  const links: Link[] = [];
  try {
    for (const [name, map] of maps) {
      if (map.type === MapType.StructOps) links.push(link.attachStructOps(map, { value: valueOf(name) }));
    }
    return links;
  } catch (error) {
    for (const done of links) done.close();
    throw error;
  }
}
