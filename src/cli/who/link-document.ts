import type { LinkPlace } from '../../inspect/index.ts';
import type { LinkInfo } from '../../link/index.ts';
import type { Json } from '../output/error-report.ts';
import { inNamespace, namespaceText } from './place-text.ts';

/** What a kind of link tells, spelled as C and bpftool spell; 64-bit cookies as decimal strings. */
export function linkDocument({ id: _, programId, kind, ...facts }: LinkInfo): Record<string, Json> {
  const own = Object.entries(facts).map(([name, value]): [string, Json] => [
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    toJson(value),
  ]);
  return { type: kind, prog_id: programId, ...Object.fromEntries(own) };
}

function toJson(value: unknown): Json {
  if (Array.isArray(value)) return value.map(toJson);
  return typeof value === 'bigint' ? value.toString() : (value as Json);
}

/** Where a link is, for people: `xdp on eth0`, or `xdp on interface 3` where nobody has found that. */
export function linkText(info: LinkInfo, place?: LinkPlace): string {
  switch (info.kind) {
    case 'raw_tracepoint':
      return `raw_tracepoint ${info.tracepoint}`;
    case 'tracing':
      return `tracing, ${info.attachType}`;
    case 'cgroup':
      return `${info.attachType} of cgroup ${info.cgroupId.toString()}`;
    case 'iter':
      return `iterator over ${info.target}`;
    case 'netns':
      return `${info.attachType} of ${place ? namespaceText(place.netns) : `network namespace ${info.inode}`}`;
    case 'xdp':
      return `xdp${onInterface(info.ifindex, place)}`;
    case 'tcx':
    case 'netkit':
      return `${info.attachType}${onInterface(info.ifindex, place)}`;
    case 'struct_ops':
      return `struct_ops of map ${info.mapId}`;
    case 'sockmap':
      return `${info.attachType} of map ${info.mapId}`;
    case 'perf_event':
      return `perf event${perfTarget(info)}`;
    case 'uprobe_multi':
      return `uprobe_multi on ${info.path}`;
    case 'kprobe_multi':
      return `kprobe_multi on ${info.count} functions`;
    case 'netfilter':
      return `netfilter hook ${info.hook}`;
    case 'unknown':
      return `type ${info.type}`;
  }
}

function onInterface(ifindex: number, place: LinkPlace | undefined): string {
  if (ifindex === 0) return ', its interface is gone';
  if (place?.interface === undefined) return ` on interface ${ifindex}`;
  return ` on ${inNamespace(place.interface, place.netns)}`;
}

function perfTarget(info: Extract<LinkInfo, { kind: 'perf_event' }>): string {
  switch (info.event) {
    case 'tracepoint':
      return `, tracepoint ${info.tracepoint}`;
    case 'kprobe':
    case 'kretprobe':
      return `, ${info.event} ${info.function}`;
    case 'uprobe':
    case 'uretprobe':
      return `, ${info.event} ${info.path}`;
    case 'event':
    case 'unknown':
      return '';
  }
}
