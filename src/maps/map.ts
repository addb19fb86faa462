import { ArgumentError, NotFoundError, SyscallError } from '../errors.ts';
import type { BtfValue } from '../btf/index.ts';
import {
  bpfError,
  errno,
  openPin,
  pinDescriptor,
  systemKernel,
  tryBpf,
  unpinDescriptor,
  type Fd,
  type Kernel,
} from '../sys/index.ts';
import {
  BPF_F_MMAPABLE,
  BPF_MAP_TYPE_RINGBUF,
  BPF_MAP_TYPE_USER_RINGBUF,
  bpf_attr_map_elem,
} from '../uapi/index.ts';
import { createMap, openMapById, type MapOptions } from './create-map.ts';
import { isFrozen } from './entry-refused.ts';
import { KeyedMap } from './keyed-map.ts';
import { MapCalls } from './map-calls.ts';
import { elementCodec, perCpuCodec, type ElementCodec } from './map-codec.ts';
import type { MapFacts, MapTypes } from './map-facts.ts';
import { readMapInfo, type MapInfo } from './map-info.ts';
import { isPerCpu } from './map-type.ts';

/**
 * A map in the kernel. It owns its descriptor: the map goes when nothing else holds it.
 *
 * Keys and values are typed by BTF at run time: integers are numbers, 64-bit ones bigints, structs objects with the
 * names of C. Without BTF both are `Uint8Array`s. Values of per-CPU maps are arrays, one value per possible CPU. What
 * only one family of maps can do is in the classes that are made over a map: {@link PerCpuMap}, {@link LpmTrie},
 * {@link Queue}, {@link MappedArray} and others.
 *
 * @example
 * const ports = collection.map('excluded_ports');
 * ports.set(443, 1);
 * for (const [port, value] of ports) console.log(port, value);
 */
export class BpfMap extends KeyedMap<BtfValue, BtfValue, unknown, unknown> {
  readonly name: string;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly fd: Fd;
  readonly kernel: Kernel;
  readonly types: MapTypes | undefined;
  /** Of a value; where the map has one for each CPU, of one of them. */
  readonly valueCodec: ElementCodec;

  constructor(fd: Fd, facts: MapFacts) {
    const { types } = facts;
    const key = elementCodec(facts.keySize, types && { btf: types.btf, typeId: types.keyTypeId });
    const value = elementCodec(facts.valueSize, types && { btf: types.btf, typeId: types.valueTypeId });
    // The kernel goes by the map's sizes: a type with fewer bytes would have it write past the end of a buffer.
    checkSize(facts, { part: 'key', size: key.size, wanted: facts.keySize });
    checkSize(facts, { part: 'value', size: value.size, wanted: facts.valueSize });
    const whole = isPerCpu(facts.type) ? perCpuCodec(value, facts.kernel.possibleCpus()) : value;
    super(new MapCalls(fd, facts), { key, value: whole });
    this.fd = fd;
    this.kernel = facts.kernel;
    this.name = facts.name;
    this.type = facts.type;
    this.keySize = facts.keySize;
    this.valueSize = facts.valueSize;
    this.maxEntries = facts.maxEntries;
    this.flags = facts.flags;
    this.types = types;
    this.valueCodec = value;
  }

  /**
   * Creates a map. `name` in `facts` is the full name for messages; `options.name` the one the kernel keeps.
   *
   * @throws PermissionError, SyscallError
   */
  static create(
    options: MapOptions,
    facts: { name?: string; types?: MapTypes; kernel?: Kernel } = {},
  ): BpfMap {
    const { kernel = systemKernel(), name = options.name ?? 'map', types } = facts;
    const fd = createMap(kernel, { options, name });
    const { type, keySize, valueSize, maxEntries, flags = 0 } = options;
    return BpfMap.#own(fd, () => ({ kernel, name, type, keySize, valueSize, maxEntries, flags, types }));
  }

  /** Opens a map of this kernel. Needs CAP_SYS_ADMIN. @throws NotFoundError (MAP_NOT_FOUND), PermissionError */
  static fromId(id: number, facts: { kernel?: Kernel } = {}): BpfMap {
    const { kernel = systemKernel() } = facts;
    const fd = openMapById(kernel, id);
    return BpfMap.#own(fd, () => ({ ...readMapInfo(kernel, fd), kernel, types: undefined }));
  }

  /** Opens a pinned map. @throws NotFoundError (PIN_NOT_FOUND), PermissionError, SyscallError */
  static fromPin(path: string, facts: { kernel?: Kernel } = {}): BpfMap {
    const { kernel = systemKernel() } = facts;
    const fd = openPin(kernel, { path, what: 'map' });
    return BpfMap.#own(fd, () => ({ ...readMapInfo(kernel, fd), kernel, types: undefined }));
  }

  static #own(fd: Fd, facts: () => MapFacts): BpfMap {
    try {
      return new BpfMap(fd, facts());
    } catch (error) {
      fd.close();
      throw error;
    }
  }

  /** What the kernel says of this map now. */
  info(): MapInfo {
    return readMapInfo(this.kernel, this.fd);
  }

  /** The names of key and value types as C spells them. */
  get typeNames(): { key: string; value: string } {
    return { key: this.codecs.key.typeName, value: this.codecs.value.typeName };
  }

  /**
   * Makes the map read-only for user space, for good. Linux 5.2.
   *
   * @throws SyscallError: EBUSY while it is mapped writable, EPERM where it is frozen already, ENOTSUPP where its values have
   * locks, timers or pointers of the kernel
   */
  freeze(): void {
    const call = {
      command: 'BPF_MAP_FREEZE',
      attribute: bpf_attr_map_elem,
      fields: { map_fd: this.fd.value },
      doing: `freeze map ${this.name}`,
    } as const;
    const result = tryBpf(this.kernel, call);
    if (result >= 0) return;
    // A frozen map counts as one that was opened without the right to write (map_get_sys_perms() of kernel/bpf/syscall.c).
    if (result === -errno.EPERM && isFrozen(this.fd))
      throw new SyscallError(
        'bpf(BPF_MAP_FREEZE)',
        errno.EPERM,
        'EPERM',
        `Cannot ${call.doing}: it is frozen already`,
      );
    throw bpfError(call, result);
  }

  /** Puts the map into a bpf file system, where it outlives this process. @throws PinExistsError */
  pin(path: string): void {
    pinDescriptor(this.kernel, { fd: this.fd, path });
  }

  /**
   * Removes a pin of this map; the map stays while anything else holds it.
   *
   * @throws NotFoundError (PIN_NOT_FOUND) where nothing, or something else, is pinned there; it stays then
   */
  unpin(path: string): void {
    unpinDescriptor(this.kernel, { fd: this.fd, path, what: 'map' });
  }

  get mappable(): boolean {
    const ring = this.type === BPF_MAP_TYPE_RINGBUF || this.type === BPF_MAP_TYPE_USER_RINGBUF;
    return ring || (this.flags & BPF_F_MMAPABLE) !== 0;
  }

  get closed(): boolean {
    return this.fd.closed;
  }

  /** Gives the descriptor back; the map itself lives on while anything else holds it. Idempotent. */
  close(): void {
    this.fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function checkSize(
  { name }: MapFacts,
  { part, size, wanted }: { part: 'key' | 'value'; size: number; wanted: number },
): void {
  if (size === wanted) return;
  throw new ArgumentError(
    'types',
    `Cannot use map ${name}: its ${part} has ${wanted} bytes, and the ${part}'s type has ${size}`,
  );
}

/** The value under a key that must be there. @throws NotFoundError (KEY_NOT_FOUND) */
export function requireValue(map: BpfMap, key: unknown): BtfValue {
  const value = map.get(key);
  if (value === undefined) {
    throw new NotFoundError('KEY_NOT_FOUND', String(key), `Cannot read map ${map.name}: it has no such key`);
  }
  return value;
}
