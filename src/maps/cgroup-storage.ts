import type { BtfValue } from '../btf/index.ts';
import { requireType } from './family.ts';
import { KeyedMap, type EntryCodecs } from './keyed-map.ts';
import type { BpfMap } from './map.ts';
import { MapType } from './map-type.ts';

/**
 * Values of programs that are attached to cgroups (Linux 4.19; the kernel calls them deprecated since 6.2, in favour of
 * {@link LocalStorage}). The key is `struct bpf_cgroup_storage_key`, or a `__u64`, the cgroup's id, for one value whatever the
 * attach type (5.9). An entry comes with an attachment and goes with it: setting needs one that is there, and deleting is
 * refused (EINVAL). The per-CPU kind is a {@link PerCpuMap}.
 *
 * It does not own the map: closing that ends it.
 */
export class CgroupStorage<Key = BtfValue, Value = BtfValue> extends KeyedMap<Key, Value, unknown, unknown> {
  readonly map: BpfMap;

  /** @throws ArgumentError for a map of another type */
  constructor(map: BpfMap, codecs: Partial<EntryCodecs<Key, Value>> = {}) {
    requireType(map, { types: [MapType.CgroupStorage], as: 'storage of attached programs' });
    super(map.calls, { ...(map.codecs as EntryCodecs<Key, Value>), ...codecs });
    this.map = map;
  }
}
