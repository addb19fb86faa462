import type { Holder, Holders, LinkPlace, NamespaceReference } from '../../inspect/index.ts';
import type { Json } from '../output/error-report.ts';
import { linkDocument } from './link-document.ts';
import { parentText } from './place-text.ts';
import type { Subject } from './subjects.ts';

const words = { program: 'prog', map: 'map', link: 'link' } as const;

/** What `who --json` prints of one program, map or link. */
export function whoDocument({ kind, id, name }: Subject, { holders, unseen }: Holders): Json {
  return {
    id,
    kind: words[kind],
    name: name ?? null,
    holders: holders.map(holderDocument),
    unseen: [...unseen],
  };
}

export function holderDocument(holder: Holder): Record<string, Json> {
  const { kind } = holder;
  switch (kind) {
    case 'process':
      return { kind, pid: holder.pid, command: holder.command, fd: holder.fd };
    case 'pin':
      return { kind, path: holder.path };
    case 'link':
      return {
        kind,
        link_id: holder.linkId,
        ...linkDocument(holder.info),
        ...(holder.place && linkPlaceDocument(holder.place)),
        role: holder.role,
        holders: holder.holders.map(holderDocument),
      };
    case 'xdp':
      return { kind, ...place(holder), mode: holder.mode, link_id: holder.linkId ?? null };
    case 'tc': {
      const { qdisc, direction, priority, handle, chain } = holder;
      const parent = parentText(holder.parent);
      return { kind, ...place(holder), qdisc, parent, direction, priority, handle, chain };
    }
    case 'tcx':
    case 'netkit':
      return { kind, ...place(holder), attach_type: holder.attachType };
    case 'netns':
      return { kind, ...namespace(holder.netns), attach_type: holder.attachType };
    case 'cgroup':
      return {
        kind,
        path: holder.path,
        attach_type: holder.attachType,
        link_id: holder.linkId ?? null,
      };
    case 'map':
      return {
        kind,
        map_id: holder.mapId,
        name: holder.name,
        type: holder.type,
        key: holder.key === undefined ? null : keyDocument(holder.key),
        ...(holder.attachType !== undefined && { attach_type: holder.attachType }),
      };
    case 'program':
      return { kind, program_id: holder.programId, name: holder.name, type: holder.type };
    case 'perf_event': {
      const { pid, command, fd, type, target } = holder;
      return { kind, pid, command, fd, type, target };
    }
  }
}

/** An index where it is one, otherwise its bytes as hex. */
export function keyDocument(key: Uint8Array): number | string {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  return key.length === 4 ? view.getUint32(0, true) : Buffer.from(key).toString('hex');
}

function place(holder: {
  interface: string;
  ifindex: number;
  netns: NamespaceReference;
}): Record<string, Json> {
  return { interface: holder.interface, ifindex: holder.ifindex, ...namespace(holder.netns) };
}

function linkPlaceDocument({ interface: name, netns }: LinkPlace): Record<string, Json> {
  return { ...(name !== undefined && { interface: name }), ...namespace(netns) };
}

/** The name is null for the namespace of this process. */
function namespace({ name, inode }: NamespaceReference): Record<string, Json> {
  return { netns: name ?? null, netns_inode: inode };
}
