import type { BtfValue } from '../btf/index.ts';
import { BPF_ANY, BPF_EXIST, BPF_NOEXIST } from '../uapi/index.ts';
import { descriptorCodec, type DescriptorHolder } from './descriptor.ts';
import { requireType } from './family.ts';
import type { UpdateMode } from './keyed-map.ts';
import type { BpfMap } from './map.ts';
import { fittedCodec, type DefaultInput, type ElementCodec } from './map-codec.ts';
import { MapType } from './map-type.ts';

const MODES: Readonly<Record<UpdateMode, number>> = {
  any: BPF_ANY,
  new: BPF_NOEXIST,
  existing: BPF_EXIST,
};

/**
 * Values that belong to sockets (Linux 5.2), inodes (5.10), tasks (5.11) or cgroups (6.2), and go with them. What they
 * belong to is said by a descriptor: of a socket, an open file, a pidfd, a cgroup's directory. They cannot be listed.
 *
 * It does not own the map: closing that ends it.
 */
export class LocalStorage<Value = BtfValue, ValueInput = DefaultInput<Value>> {
  readonly map: BpfMap;
  readonly #value: ElementCodec<Value, ValueInput>;

  /** @throws ArgumentError for a map of another type */
  constructor(map: BpfMap, codecs: { readonly value?: ElementCodec<Value, ValueInput> } = {}) {
    const types = [MapType.SkStorage, MapType.InodeStorage, MapType.TaskStorage, MapType.CgroupLocalStorage];
    this.map = requireType(map, { types, as: 'storage of sockets, inodes, tasks or cgroups' });
    const value = codecs.value ?? (map.valueCodec as ElementCodec<Value, ValueInput>);
    this.#value = fittedCodec(value, map.valueSize);
  }

  /** Undefined where the owner has none. @throws SyscallError: EBADF for a descriptor of another kind */
  get(owner: DescriptorHolder): Value | undefined {
    const { calls } = this.map;
    descriptorCodec.write(calls.key, 0, owner);
    return calls.lookup() ? this.#value.read(calls.value, 0) : undefined;
  }

  /** @throws ValueError where it does not fit; SyscallError: EEXIST for mode `new`, ENOENT for `existing`, EBADF */
  set(
    owner: DescriptorHolder,
    value: ValueInput,
    options: { /** @default 'any' */ readonly mode?: UpdateMode } = {},
  ): void {
    const { calls } = this.map;
    descriptorCodec.write(calls.key, 0, owner);
    this.#value.write(calls.value, 0, value);
    const result = calls.update(MODES[options.mode ?? 'any']);
    if (result < 0) throw calls.error('BPF_MAP_UPDATE_ELEM', { doing: 'write to', result });
  }

  /** False where the owner had none. */
  delete(owner: DescriptorHolder): boolean {
    const { calls } = this.map;
    descriptorCodec.write(calls.key, 0, owner);
    return calls.remove();
  }
}
