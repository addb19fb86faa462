import { queryHook } from '../../link/index.ts';
import { BpfMap, MapType, mapTypeName } from '../../maps/index.ts';
import { AttachType, type AttachTypeName } from '../../programs/index.ts';
import { BPF_PROG_TYPE_XDP } from '../../uapi/index.ts';
import { NotFoundError } from '../../errors.ts';
import { objectIds } from '../objects/index.ts';
import type { MapHolder } from './holder.ts';
import type { Search } from './search.ts';
import { structOpsHolds } from './struct-ops.ts';

/** Where the value of a map that holds programs or maps has the id (`struct bpf_devmap_val`, `struct bpf_cpumap_val`). */
const idOffsets: Readonly<Partial<Record<number, number>>> = {
  [MapType.ProgramArray]: 0,
  [MapType.ArrayOfMaps]: 0,
  [MapType.HashOfMaps]: 0,
  [MapType.DevMap]: 4,
  [MapType.DevMapHash]: 4,
  [MapType.CpuMap]: 4,
};
const ofMaps: readonly number[] = [MapType.ArrayOfMaps, MapType.HashOfMaps];
const redirecting: readonly number[] = [MapType.DevMap, MapType.DevMapHash, MapType.CpuMap];
const ofSockets: readonly number[] = [MapType.SockMap, MapType.SockHash];
const socketTypes = [
  'sk_msg_verdict',
  'sk_skb_stream_parser',
  'sk_skb_stream_verdict',
  'sk_skb_verdict',
] as const satisfies readonly AttachTypeName[];

/** Maps whose entries, struct or sockets hold it. @throws PermissionError, SyscallError */
export function mapHolders(search: Search): MapHolder[] {
  const { kernel, held } = search;
  if (held.kind === 'link') return [];
  return [...objectIds(kernel, 'map')].flatMap((id) => {
    if (held.kind === 'map' && id === held.id) return [];
    const map = openUnlessGone(search, id);
    if (map === undefined) return [];
    try {
      const facts = { kind: 'map', mapId: id, name: map.name, type: mapTypeName(map.type) } as const;
      return [
        ...keysHolding(search, map).map((key): MapHolder => ({ ...facts, key })),
        ...socketTypesOf(search, map).map((attachType): MapHolder => ({
          ...facts,
          key: undefined,
          attachType,
        })),
      ];
    } finally {
      map.close();
    }
  });
}

function openUnlessGone({ kernel }: Search, id: number): BpfMap | undefined {
  try {
    return BpfMap.fromId(id, { kernel });
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

function keysHolding({ held, type, kernel }: Search, map: BpfMap): Uint8Array[] {
  if (held.kind === 'program' && map.type === MapType.StructOps)
    return structOpsHolds(kernel, { map, programId: held.id, programType: type }) ? [new Uint8Array(4)] : [];
  const offset = idOffsets[map.type];
  if (offset === undefined || (held.kind === 'map') !== ofMaps.includes(map.type)) return [];
  if (redirecting.includes(map.type) && (type !== BPF_PROG_TYPE_XDP || map.valueSize < 8)) return [];
  const found: Uint8Array[] = [];
  for (const key of map.keyBytes()) {
    const value = map.getBytes(key);
    if (value === undefined) continue;
    const id = new DataView(value.buffer, value.byteOffset).getUint32(offset, true);
    if (id === held.id) found.push(key);
  }
  return found;
}

/** Programs of a sockmap, which Linux 5.17 tells. */
function socketTypesOf({ held, kernel, links }: Search, map: BpfMap): AttachTypeName[] {
  if (held.kind !== 'program' || !ofSockets.includes(map.type)) return [];
  const byLink = links.some(({ kind, programId }) => kind === 'sockmap' && programId === held.id);
  if (byLink) return [];
  return socketTypes.filter((name) => {
    const doing = `list the programs of map ${map.name}`;
    const answer = queryHook(kernel, {
      place: { fd: map.fd.value },
      attachType: AttachType[name],
      doing,
    });
    return answer?.programs.some(({ programId }) => programId === held.id);
  });
}
