import type { Holder, Holders, NamespaceReference } from '../../inspect/index.ts';
import { keyDocument } from './document.ts';
import { linkText } from './link-document.ts';
import { inNamespace, namespaceText, parentText } from './place-text.ts';
import type { Subject } from './subjects.ts';

/** What `who` prints of one program, map or link: a line each for what holds it, and why it stays. */
export function whoText({ kind, id, name }: Subject, { holders, unseen }: Holders): string {
  const what = `${kind} ${id}${name === undefined || name === '' ? '' : ` ${name}`}`;
  const found =
    holders.length === 0
      ? [`${what}: nothing was found that holds it`]
      : [`${what} is held by`, ...holders.flatMap((holder) => holderLines(holder, '  '))];
  return [...found, ...unseen.map((sentence) => `  not told: ${sentence}`)].join('\n');
}

export function holderLines(holder: Holder, indent: string): string[] {
  const below = holder.kind === 'link' ? holder.holders : [];
  return [
    `${indent}${holderName(holder)}: ${reason(holder)}`,
    ...below.flatMap((inner) => holderLines(inner, `${indent}  `)),
  ];
}

export function holderName(holder: Holder): string {
  switch (holder.kind) {
    case 'process':
      return `process ${holder.pid} (${holder.command})`;
    case 'pin':
      return `pin ${holder.path}`;
    case 'link':
      return `link ${holder.linkId} (${linkText(holder.info, holder.place)})`;
    case 'xdp':
      return `xdp on ${place(holder)} (${holder.mode} mode)`;
    case 'tc':
      return `tc filter on ${place(holder)} (${holder.qdisc} ${parentText(holder.parent)}, ${holder.direction}, priority ${holder.priority}, handle ${holder.handle})`;
    case 'tcx':
    case 'netkit':
      return `${holder.attachType} on ${place(holder)}`;
    case 'netns':
      return `${holder.attachType} of ${namespaceText(holder.netns)}`;
    case 'cgroup':
      return `cgroup ${holder.path} (${holder.attachType})`;
    case 'map': {
      const where = holder.key === undefined ? holder.attachType : `key ${keyDocument(holder.key)}`;
      return `map ${holder.mapId} ${holder.name} (${holder.type}, ${where ?? ''})`;
    }
    case 'program':
      return `program ${holder.programId} ${holder.name} (${holder.type})`;
    case 'perf_event':
      return `perf event of process ${holder.pid} (${holder.command}; ${`${holder.type} ${holder.target}`.trim()})`;
  }
}

/** Why it stays, and so what it takes to let go. */
function reason(holder: Holder): string {
  switch (holder.kind) {
    case 'process':
    case 'perf_event':
      return `stays until the process ends or closes descriptor ${holder.fd}`;
    case 'pin':
      return `stays until the pin ${holder.path} is removed`;
    case 'link':
      return holder.holders.length === 0
        ? 'stays until the link is gone'
        : 'stays until the link is detached, or is gone because nothing of this holds it:';
    case 'xdp':
    case 'cgroup':
      return holder.linkId === undefined
        ? `stays until it is detached, or the ${holder.kind === 'xdp' ? 'interface' : 'cgroup'} is gone`
        : `stays until link ${holder.linkId} is gone or detached`;
    case 'tc':
      return 'stays until the filter is deleted, or its qdisc or interface is gone';
    case 'tcx':
    case 'netkit':
      return 'stays until it is detached, or the interface is gone';
    case 'netns':
      return 'stays until it is detached, or the network namespace is gone';
    case 'map':
      return holder.key === undefined
        ? 'stays until it is detached, or the map is gone'
        : 'stays until the entry is deleted, or the map is gone';
    case 'program':
      return 'stays until the program is gone';
  }
}

function place(holder: { interface: string; netns: NamespaceReference }): string {
  return inNamespace(holder.interface, holder.netns);
}
