import { ArgumentError } from '../../errors.ts';
import type { ProgramSpec } from '../../elf/index.ts';
import type { Link, XdpVia } from '../../link/index.ts';
import type { BpfMap } from '../../maps/index.ts';
import type { BpfProgram } from '../../programs/index.ts';
import type { NetworkNamespace } from '../../sys/index.ts';

/** What a section name leaves open, for all programs of an object alike. */
export interface AttachOptions {
  /** Network interfaces, by name or index, for XDP, tc, tcx and netkit programs. */
  readonly interfaces?: readonly (string | number)[];
  /** For cgroup programs, and where `iter/cgroup` starts: the path of its directory, or its path below the root of cgroup v2. */
  readonly cgroup?: string;
  /** For uprobes, USDT and perf events, and iterators over tasks: one process. @default every process */
  readonly pid?: number;
  /**
   * For programs whose section leaves it open: `/bin/bash:readline` for uprobes, `do_unlinkat` for kprobes, `ingress` for
   * tc, `ipv4:input:0` for netfilter, `cpu-clock/freq=99/` for perf events, a map's name for sockmap programs, … (docs/attach.md)
   */
  readonly target?: string;
  /**
   * How interfaces hold XDP and tc programs; for tc `link` is tcx and `netlink` a clsact qdisc.
   * @default `link`; for tc before Linux 6.6 `netlink`
   */
  readonly via?: XdpVia;
  /** The namespace of the interfaces, and of programs for network namespaces. @default the current one */
  readonly netns?: NetworkNamespace;
}

/** A program, and the maps that its attachment needs. */
export interface AttachSubject {
  readonly program: BpfProgram;
  readonly spec: ProgramSpec;
  readonly maps: ReadonlyMap<string, BpfMap>;
}

/** A program that is being attached. */
export interface AttachCall extends AttachSubject {
  readonly options: AttachOptions;
  /** The name of the section without what it names: `kprobe`. */
  readonly section: string;
  /** What the section names, otherwise the option; checked to be of the kind's form where it comes from the option. */
  readonly target: string;
}

export type Attacher = (call: AttachCall) => Link[];

/** What the option `target` looks like where a section leaves it open. */
export interface TargetForm {
  /** What is open, for messages: `a direction`. */
  readonly what: string;
  /** What to write: `ingress|egress`. The maps are those of the object. */
  readonly form: (maps: ReadonlyMap<string, { readonly type: number }>) => string;
  readonly fits: (target: string, maps: ReadonlyMap<string, { readonly type: number }>) => boolean;
  /** Also a section with a target takes the option, beside that: iterators over the elements of a map. */
  readonly always?: true;
}

/** How programs of one section are attached. */
export interface AttachKind {
  /** What they are attached to beside the target. */
  readonly place?: 'interface' | 'cgroup';
  readonly target?: TargetForm;
  /** Options that it takes beside those. */
  readonly heeds?: readonly ('pid' | 'via' | 'netns' | 'cgroup')[];
  readonly attach: Attacher;
}

/** @throws ArgumentError for the option that a program needs */
export function missing(
  { name }: BpfProgram,
  { argument, what, hint }: { argument: string; what: string; hint: string },
): ArgumentError {
  return new ArgumentError(argument, `Cannot attach ${name}: it needs ${what}`, { hint });
}

/** One link for each place, or none at all. */
export function attachToEach<Place>(places: Iterable<Place>, attach: (place: Place) => Link): Link[] {
  const links: Link[] = [];
  try {
    for (const place of places) links.push(attach(place));
    return links;
  } catch (error) {
    for (const done of links) done.close();
    throw error;
  }
}

export function netnsOf({ netns }: AttachOptions): { netns?: NetworkNamespace } {
  return netns ? { netns } : {};
}

export function pidOf({ options }: AttachCall): { pid?: number } {
  return options.pid === undefined ? {} : { pid: options.pid };
}
