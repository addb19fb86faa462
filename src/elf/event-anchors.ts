import { resolveType, type Btf } from '../btf/index.ts';

/** The section that bpf/include/ts_xdp/event.h puts its anchors into. No map is made of it. */
const ANCHOR_SECTION = '.ts_xdp';
const EVENT_PREFIX = 'ts_xdp_event_';
const COUNTERS_PREFIX = 'ts_xdp_counters_';

export interface EventAnchors {
  /** Ring buffer map to the BTF id of its events' struct. */
  readonly events: ReadonlyMap<string, number>;
  /** The map that counts what became of events, and the BTF id of its value's struct. */
  readonly counters: { readonly map: string; readonly typeId: number } | undefined;
}

/** What an object says about its events with the macros `TS_XDP_EVENT` and `TS_XDP_COUNTERS`. */
export function readEventAnchors(btf: Btf | undefined): EventAnchors {
  const events = new Map<string, number>();
  let counters: EventAnchors['counters'];
  const id = btf?.find(ANCHOR_SECTION, 'datasec');
  const datasec = id === undefined ? undefined : btf?.type(id);
  if (btf === undefined || datasec?.kind !== 'datasec') return { events, counters };
  for (const { typeId } of datasec.variables) {
    const variable = btf.type(typeId);
    if (variable.kind !== 'variable') continue;
    const pointer = btf.type(resolveType(btf, variable.typeId));
    if (pointer.kind !== 'pointer') continue;
    const target = resolveType(btf, pointer.typeId);
    const { name } = variable;
    if (name.startsWith(EVENT_PREFIX)) events.set(name.slice(EVENT_PREFIX.length), target);
    else if (name.startsWith(COUNTERS_PREFIX)) {
      counters = { map: name.slice(COUNTERS_PREFIX.length), typeId: target };
    }
  }
  return { events, counters };
}
