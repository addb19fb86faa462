import { ArgumentError } from '../errors.ts';
import type { BtfValue } from '../btf/index.ts';
import { checkInteger } from '../sys/index.ts';
import { requireType } from './family.ts';
import { KeyedMap } from './keyed-map.ts';
import type { BpfMap } from './map.ts';
import type { DefaultInput, ElementCodec } from './map-codec.ts';
import { MapType } from './map-type.ts';

/** Whose storage it is. */
export interface CgroupStorageKey {
  /** The cgroup's id: the inode number of its directory. */
  readonly cgroup: bigint;
  /**
   * As what the program is attached there, a `BPF_CGROUP_…` of `enum bpf_attach_type`. Undefined where the map's keys are ids
   * alone (Linux 5.9): all programs of a cgroup share one value then.
   */
  readonly attachType: number | undefined;
}

/** `struct bpf_cgroup_storage_key`. */
const KEY_SIZE = 16;

/**
 * Values that belong to cgroups, for the programs that are attached to them and use the map by `bpf_get_local_storage()`
 * (Linux 4.19): the kernel makes one when such a program is attached, and removes it with the cgroup or the map.
 *
 * It does not own the map: closing that ends it. `LocalStorage` is for the kind of Linux 6.2, which any program may use.
 *
 * @example
 * const counts = new CgroupStorage<bigint>(collection.map('counts'));
 * for (const [{ cgroup, attachType }, count] of counts) console.log(cgroup, attachType, count);
 */
export class CgroupStorage<Value = BtfValue, ValueInput = DefaultInput<Value>> {
  readonly map: BpfMap;
  readonly #entries: KeyedMap<CgroupStorageKey, Value, CgroupStorageKey, ValueInput>;

  /** @throws ArgumentError for a map of another type */
  constructor(map: BpfMap, codecs: { readonly value?: ElementCodec<Value, ValueInput> } = {}) {
    this.map = requireType(map, { types: [MapType.CgroupStorage], as: 'storage of cgroups' });
    const value = codecs.value ?? (map.valueCodec as ElementCodec<Value, ValueInput>);
    this.#entries = new Entries(map.calls, { key: keyCodec(map), value });
  }

  /** Undefined where no such program is attached. */
  get(key: CgroupStorageKey): Value | undefined {
    return this.#entries.get(key);
  }

  /** @throws ValueError where it does not fit; SyscallError: ENOENT where no such program is attached */
  set(key: CgroupStorageKey, value: ValueInput): void {
    this.#entries.set(key, value, { mode: 'existing' });
  }

  /** All there are, in no order that means anything. */
  entries(): Generator<[key: CgroupStorageKey, value: Value], undefined> {
    return this.#entries.entries();
  }

  [Symbol.iterator](): Generator<[key: CgroupStorageKey, value: Value], undefined> {
    return this.entries();
  }
}

class Entries<Value, ValueInput> extends KeyedMap<CgroupStorageKey, Value, CgroupStorageKey, ValueInput> {}

/** A map that tells attach types apart has keys of 16 bytes, another one of 8 (cgroup_storage_map_alloc() in kernel/bpf/local_storage.c). */
function keyCodec({ keySize, name }: BpfMap): ElementCodec<CgroupStorageKey, CgroupStorageKey> {
  const typed = keySize === KEY_SIZE;
  return {
    size: keySize,
    typeName: typed ? 'struct bpf_cgroup_storage_key' : '__u64',
    read: (view, offset) => ({
      cgroup: view.getBigUint64(offset, true),
      attachType: typed ? view.getUint32(offset + 8, true) : undefined,
    }),
    write(view, offset, { cgroup, attachType }) {
      if ((attachType !== undefined) !== typed) {
        const why = typed ? 'its keys have an attach type' : 'its keys have no attach type';
        throw new ArgumentError('attachType', `Cannot find the storage of a cgroup in map ${name}: ${why}`);
      }
      if (typeof cgroup !== 'bigint' || cgroup !== BigInt.asUintN(64, cgroup)) {
        const message = `Cannot find the storage of a cgroup in map ${name}: its id must be a bigint of 64 bits`;
        throw new ArgumentError('cgroup', message, { hint: 'statSync(PATH, { bigint: true }).ino' });
      }
      view.setBigUint64(offset, cgroup, true);
      if (attachType === undefined) return;
      checkInteger('attachType', attachType, { minimum: 0, maximum: 0xffff_ffff });
      view.setBigUint64(offset + 8, BigInt(attachType), true);
    },
  };
}
