import { ArgumentError, NotFoundError, SyscallError } from '../errors.ts';
import type { Btf, BtfValue } from '../btf/index.ts';
import {
  bpfError,
  callBpf,
  checkInteger,
  errnoName,
  openBpf,
  openPin,
  pinDescriptor,
  systemKernel,
  tryBpf,
  type BpfToken,
  type Fd,
  type Kernel,
} from '../sys/index.ts';
import {
  BPF_ANY,
  BPF_EXIST,
  BPF_F_MMAPABLE,
  BPF_F_TOKEN_FD,
  BPF_F_VTYPE_BTF_OBJ_FD,
  BPF_MAP_TYPE_RINGBUF,
  BPF_MAP_TYPE_USER_RINGBUF,
  BPF_NOEXIST,
  bpf_attr_get_id,
  bpf_attr_map_create,
  bpf_attr_map_elem,
} from '../uapi/index.ts';
import { elementCodec, perCpuCodec, type ElementCodec } from './map-codec.ts';
import { readMapInfo, type MapInfo } from './map-info.ts';
import { isPerCpu } from './map-type.ts';

/** What a map is created with. Sizes in bytes. */
export interface MapOptions {
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** At most 15 characters of `[A-Za-z0-9_.]`; left out on kernels before 4.15. */
  readonly name?: string;
  readonly flags?: number;
  readonly numaNode?: number;
  readonly extra?: bigint;
  /** A map like the ones that a map of maps will hold. */
  readonly innerMap?: BpfMap;
  /** The network device that a map is offloaded to. */
  readonly ifindex?: number;
  /** BTF in the kernel, and the ids of key and value in it. */
  readonly btf?: { readonly fd: Fd; readonly keyTypeId: number; readonly valueTypeId: number };
  /**
   * Of a struct_ops map: the id of its value's type in the BTF of the kernel, or of the module whose BTF the descriptor
   * is of (Linux 6.9).
   */
  readonly kernelValueType?: { readonly id: number; readonly module: number | undefined };
  /** What permits it in a user namespace. Linux 6.9. */
  readonly token?: BpfToken;
}

/** Which entries `set` may write: any, only new ones, only existing ones. */
export type UpdateMode = 'any' | 'new' | 'existing';
const UPDATE_FLAGS: Record<UpdateMode, number> = { any: BPF_ANY, new: BPF_NOEXIST, existing: BPF_EXIST };

/** BTF that gives keys and values their types. */
export interface MapTypes {
  readonly btf: Btf;
  readonly keyTypeId: number;
  readonly valueTypeId: number;
}

/**
 * A map in the kernel. It owns its descriptor: the map goes when nothing else holds it.
 *
 * Keys and values are typed by BTF at run time: integers are numbers, 64-bit ones bigints, structs objects with the
 * names of C. Without BTF both are `Uint8Array`s. Values of per-CPU maps are arrays, one value per possible CPU.
 *
 * @example
 * const ports = collection.map('excluded_ports');
 * ports.set(443, 1);
 * for (const [port, value] of ports.entries()) console.log(port, value);
 */
export class BpfMap {
  readonly name: string;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly fd: Fd;
  readonly kernel: Kernel;
  readonly types: MapTypes | undefined;
  readonly #key: ElementCodec;
  readonly #value: ElementCodec;

  constructor(fd: Fd, facts: MapFacts) {
    this.fd = fd;
    this.kernel = facts.kernel;
    this.name = facts.name;
    this.type = facts.type;
    this.keySize = facts.keySize;
    this.valueSize = facts.valueSize;
    this.maxEntries = facts.maxEntries;
    this.flags = facts.flags;
    this.types = facts.types;
    const { types } = facts;
    this.#key = elementCodec(facts.keySize, types && { btf: types.btf, typeId: types.keyTypeId });
    const value = elementCodec(facts.valueSize, types && { btf: types.btf, typeId: types.valueTypeId });
    // The kernel goes by the map's sizes: a type with fewer bytes would have it write past the end of a buffer.
    checkSize(facts, { part: 'key', size: this.#key.size, wanted: facts.keySize });
    checkSize(facts, { part: 'value', size: value.size, wanted: facts.valueSize });
    this.#value = isPerCpu(facts.type) ? perCpuCodec(value, facts.kernel.possibleCpus()) : value;
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
    const kernel = facts.kernel ?? systemKernel();
    const name = facts.name ?? options.name ?? 'map';
    const { btf, kernelValueType: valueType } = options;
    for (const number of [
      'type',
      'keySize',
      'valueSize',
      'maxEntries',
      'flags',
      'numaNode',
      'ifindex',
    ] as const) {
      checkInteger(number, options[number] ?? 0, { minimum: 0, maximum: 0xffff_ffff });
    }
    const fd = openBpf(kernel, {
      command: 'BPF_MAP_CREATE',
      attribute: bpf_attr_map_create,
      fields: {
        map_type: options.type,
        key_size: options.keySize,
        value_size: options.valueSize,
        max_entries: options.maxEntries,
        map_flags: mapFlags(options),
        inner_map_fd: options.innerMap?.fd.value ?? 0,
        numa_node: options.numaNode ?? 0,
        map_name: options.name ?? '',
        map_ifindex: options.ifindex ?? 0,
        map_extra: options.extra ?? 0n,
        ...(btf && {
          btf_fd: btf.fd.value,
          btf_key_type_id: btf.keyTypeId,
          btf_value_type_id: btf.valueTypeId,
        }),
        ...(valueType && {
          btf_vmlinux_value_type_id: valueType.id,
          value_type_btf_obj_fd: valueType.module ?? 0,
        }),
        ...(options.token && { map_token_fd: options.token.fd.value }),
      },
      doing: `create map ${name}`,
      description: `map ${name}`,
    });
    const { type, keySize, valueSize, maxEntries, flags = 0 } = options;
    const { types } = facts;
    try {
      return new BpfMap(fd, { kernel, name, type, keySize, valueSize, maxEntries, flags, types });
    } catch (error) {
      fd.close();
      throw error;
    }
  }

  /** Opens a map of this kernel. Needs CAP_SYS_ADMIN. @throws NotFoundError (MAP_NOT_FOUND), PermissionError */
  static fromId(id: number, facts: { kernel?: Kernel } = {}): BpfMap {
    const kernel = facts.kernel ?? systemKernel();
    checkInteger('id', id, { minimum: 0, maximum: 0xffff_ffff });
    return BpfMap.#adopt(openById(kernel, id), kernel);
  }

  /** Opens a pinned map. @throws NotFoundError (PIN_NOT_FOUND), PermissionError, SyscallError */
  static fromPin(path: string, facts: { kernel?: Kernel } = {}): BpfMap {
    const kernel = facts.kernel ?? systemKernel();
    return BpfMap.#adopt(openPin(kernel, { path, what: 'map' }), kernel);
  }

  static #adopt(fd: Fd, kernel: Kernel): BpfMap {
    try {
      const info = readMapInfo(kernel, fd);
      return new BpfMap(fd, { ...info, kernel, types: undefined });
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
    return { key: this.#key.typeName, value: this.#value.typeName };
  }

  /** The value under a key; undefined where there is none. @throws ValueError for a key that does not fit */
  get(key: unknown): BtfValue | undefined {
    const bytes = this.getBytes(this.#key.write(key));
    return bytes && this.#value.read(bytes);
  }

  /**
   * The value under a key, both as bytes in the map's layout; undefined where there is none.
   *
   * @throws ArgumentError where the key does not have as many bytes as the kernel will read
   */
  getBytes(key: Uint8Array): Uint8Array | undefined {
    this.#checkLength('key', { bytes: key, size: this.#key.size });
    const bytes = new Uint8Array(this.#value.size);
    return this.#try('BPF_MAP_LOOKUP_ELEM', { key, value: bytes }) ? bytes : undefined;
  }

  /**
   * Writes one entry.
   *
   * @throws ValueError where key or value do not fit; SyscallError with E2BIG where the map is full, EEXIST for
   * mode `new`, ENOENT for mode `existing`
   */
  set(key: unknown, value: unknown, options: { mode?: UpdateMode } = {}): void {
    this.setBytes(this.#key.write(key), this.#value.write(value), options);
  }

  /**
   * Writes one entry from bytes that are already in the map's layout.
   *
   * @throws ArgumentError where they are not as many as the kernel will read
   */
  setBytes(key: Uint8Array, value: Uint8Array, options: { mode?: UpdateMode } = {}): void {
    const { kernel } = this;
    this.#checkLength('key', { bytes: key, size: this.#key.size });
    this.#checkLength('value', { bytes: value, size: this.#value.size });
    const mode = options.mode ?? 'any';
    if (!Object.hasOwn(UPDATE_FLAGS, mode)) {
      throw new ArgumentError('mode', `Cannot write to map ${this.name}: there is no mode ${mode}`, {
        hint: 'the modes are any, new and existing',
      });
    }
    callBpf(kernel, {
      command: 'BPF_MAP_UPDATE_ELEM',
      attribute: bpf_attr_map_elem,
      fields: {
        map_fd: this.fd.value,
        key: kernel.addressOf(key),
        value: kernel.addressOf(value),
        flags: BigInt(UPDATE_FLAGS[mode]),
      },
      keep: [key, value],
      doing: `write to map ${this.name}`,
    });
  }

  /** Removes one entry; false where there was none. */
  delete(key: unknown): boolean {
    return this.deleteBytes(this.#key.write(key));
  }

  /** Removes one entry by the bytes of its key. @throws ArgumentError as {@link getBytes} */
  deleteBytes(key: Uint8Array): boolean {
    this.#checkLength('key', { bytes: key, size: this.#key.size });
    return this.#try('BPF_MAP_DELETE_ELEM', { key, value: undefined });
  }

  /**
   * The keys, one system call each. Entries that others add or remove meanwhile may be missed or seen; one that
   * stays is seen, except that the kernel starts over where the key it stands at vanished.
   */
  *keys(): Generator<BtfValue, undefined> {
    for (const key of this.keyBytes()) yield this.#key.read(key);
  }

  /** Keys and values, with the same guarantees as {@link keys}. */
  *entries(): Generator<[key: BtfValue, value: BtfValue], undefined> {
    for (const key of this.keyBytes()) {
      const value = this.getBytes(key);
      if (value) yield [this.#key.read(key), this.#value.read(value)];
    }
  }

  /** Makes the map read-only for user space, for good. Linux 5.2. */
  freeze(): void {
    callBpf(this.kernel, {
      command: 'BPF_MAP_FREEZE',
      attribute: bpf_attr_map_elem,
      fields: { map_fd: this.fd.value },
      doing: `freeze map ${this.name}`,
    });
  }

  /** Puts the map into a bpf file system, where it outlives this process. @throws PinExistsError */
  pin(path: string): void {
    pinDescriptor(this.kernel, { fd: this.fd, path });
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

  /** The kernel reads as many bytes as the map's keys and values have, past the end of a buffer that has fewer. */
  #checkLength(part: 'key' | 'value', { bytes, size }: { bytes: Uint8Array; size: number }): void {
    if (bytes instanceof Uint8Array && bytes.length === size) return;
    throw new ArgumentError(part, `Cannot write to map ${this.name}: its ${part} must be ${size} bytes`);
  }

  /** The keys as bytes, with the same guarantees as {@link keys}. */
  *keyBytes(): Generator<Uint8Array, undefined> {
    // A chain of unstable keys may never end; nothing can hold more entries than this without having repeated.
    const limit = this.maxEntries * 2 + 1;
    let key: Uint8Array | undefined;
    for (let count = 0; count < limit; count++) {
      const next: Uint8Array = new Uint8Array(this.#key.size);
      if (!this.#try('BPF_MAP_GET_NEXT_KEY', { key, value: next })) return;
      yield next;
      key = next;
    }
  }

  /** False where the kernel answers ENOENT: no such key, or no further one. */
  #try(
    command: 'BPF_MAP_LOOKUP_ELEM' | 'BPF_MAP_DELETE_ELEM' | 'BPF_MAP_GET_NEXT_KEY',
    { key, value }: { key: Uint8Array | undefined; value: Uint8Array | undefined },
  ): boolean {
    const { kernel } = this;
    const call = {
      command,
      attribute: bpf_attr_map_elem,
      fields: {
        map_fd: this.fd.value,
        key: key === undefined ? 0n : kernel.addressOf(key),
        value: value === undefined ? 0n : kernel.addressOf(value),
      },
      keep: [key, value].filter((bytes) => bytes !== undefined),
      doing: `access map ${this.name}`,
    };
    const result = tryBpf(kernel, call);
    if (result >= 0) return true;
    if (errnoName(-result) === 'ENOENT') return false;
    throw bpfError(call, result);
  }
}

/** The caller's flags, and those that say which further descriptors there are. */
function mapFlags({ flags = 0, kernelValueType, token }: MapOptions): number {
  const ofModule = kernelValueType?.module === undefined ? 0 : BPF_F_VTYPE_BTF_OBJ_FD;
  return (flags | ofModule | (token ? BPF_F_TOKEN_FD : 0)) >>> 0;
}

function openById(kernel: Kernel, id: number): Fd {
  try {
    return openBpf(kernel, {
      command: 'BPF_MAP_GET_FD_BY_ID',
      attribute: bpf_attr_get_id,
      fields: { map_id: id },
      doing: `open map ${id}`,
      description: `map ${id}`,
    });
  } catch (error) {
    if (!(error instanceof SyscallError && error.errnoName === 'ENOENT')) throw error;
    const message = `Cannot open map ${id}: there is no map of that id`;
    throw new NotFoundError('MAP_NOT_FOUND', String(id), message, { cause: error });
  }
}

/** What is known of a map besides its descriptor. */
export interface MapFacts {
  readonly kernel: Kernel;
  readonly name: string;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly types: MapTypes | undefined;
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
