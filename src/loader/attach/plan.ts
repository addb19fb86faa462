import { interpretSectionName, type ProgramSpec } from '../../elf/index.ts';
import * as uapi from '../../uapi/index.ts';
import { attachKindOf, openTarget } from './kinds.ts';
import type { AttachOptions, TargetForm } from './request.ts';

/** What attaching a program takes beside the object. */
export interface AttachPlan {
  /** Where it goes, if not to its target alone. */
  readonly place: 'interface' | 'cgroup' | undefined;
  /** What its section leaves open; undefined where it says all. */
  readonly open: TargetForm | undefined;
  /** The options that make a difference to it. */
  readonly heeded: ReadonlySet<keyof AttachOptions>;
}

/** Undefined for programs that no options attach; {@link whyUnattached} then says why. */
export function planAttachment(spec: ProgramSpec): AttachPlan | undefined {
  const known = attachKindOf(spec);
  if (!known) return undefined;
  const { place, heeds = [] } = known.kind;
  const open = known.meaning.type === uapi.BPF_PROG_TYPE_EXT ? extended(spec) : openTarget(spec, known.kind);
  const heeded = new Set<keyof AttachOptions>(heeds);
  if (open) heeded.add('target');
  if (place === 'interface') heeded.add('interfaces').add('netns');
  if (place === 'cgroup') heeded.add('cgroup');
  return { place, open, heeded };
}

/** No section can say which loaded program has the function. */
function extended({ attachTarget }: ProgramSpec): TargetForm {
  const saysFunction = attachTarget !== undefined && attachTarget !== '';
  return {
    what: 'the loaded program whose function it replaces',
    form: () => (saysFunction ? 'PROGRAM' : 'PROGRAM:FUNCTION'),
    fits: (target) => (saysFunction ? /./ : /.:[^:]+$/).test(target),
  };
}

/** Why there is no way to attach a program by its section, to follow "it is not attached:". */
export function whyUnattached(spec: ProgramSpec): string {
  const meaning = interpretSectionName(spec.section.replace(/^\?/, ''));
  if (!meaning) return `its section ${spec.section} says no kind of program`;
  return elsewhere[meaning.type] ?? `its section ${spec.section} says no place`;
}

const ofRoute = 'it belongs to a route: ip route add … encap bpf';

const elsewhere: Readonly<Record<number, string>> = {
  [uapi.BPF_PROG_TYPE_SOCKET_FILTER]:
    'it filters what a socket receives, and only the process that has the socket can attach it (attachSocketFilter() of the library)',
  [uapi.BPF_PROG_TYPE_SK_REUSEPORT]:
    'it chooses among the sockets of a port, and only a process that has one can attach it (attachReuseport() of the library)',
  [uapi.BPF_PROG_TYPE_XDP]: 'it runs for packets that a map sends on, as part of an entry of that map',
  [uapi.BPF_PROG_TYPE_STRUCT_OPS]: 'it is a function of a struct_ops map, which is attached as a whole',
  [uapi.BPF_PROG_TYPE_SYSCALL]: 'it runs when it is called: ts-xdp prog run',
  [uapi.BPF_PROG_TYPE_LWT_IN]: ofRoute,
  [uapi.BPF_PROG_TYPE_LWT_OUT]: ofRoute,
  [uapi.BPF_PROG_TYPE_LWT_XMIT]: ofRoute,
  [uapi.BPF_PROG_TYPE_LWT_SEG6LOCAL]: 'it belongs to a route: ip route add … encap seg6local action End.BPF',
};
