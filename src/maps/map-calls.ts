import { alignUp } from '../binary/index.ts';
import { bpfCommands, bpfError, errno, type BpfCommandName, type Fd } from '../sys/index.ts';
import { BPF_F_CPU, bpf_attr_map_elem } from '../uapi/index.ts';
import { entryRefused } from './entry-refused.ts';
import { copiedValueSize, type MapFacts } from './map-facts.ts';

/** To follow "Cannot", before the map. */
const DOING = {
  BPF_MAP_LOOKUP_ELEM: 'read',
  BPF_MAP_LOOKUP_AND_DELETE_ELEM: 'take from',
  BPF_MAP_DELETE_ELEM: 'delete from',
  BPF_MAP_GET_NEXT_KEY: 'read',
} as const;

const { map_fd, key, value, flags } = bpf_attr_map_elem.offsets;

/**
 * The calls about single entries of one map.
 *
 * Attribute, key, next key and value lie in one block of memory that is made with the first call and serves all of
 * them: nothing is allocated per call, and the block, handed to the call as its attribute, keeps the others alive.
 * Whoever calls writes {@link key} and {@link value} before, and reads them right after.
 */
export class MapCalls {
  readonly facts: MapFacts;
  readonly fd: Fd;
  /** Bytes of a value, of all CPUs where the map has one for each. */
  readonly valueSize: number;
  #block: Block | undefined;

  constructor(fd: Fd, facts: MapFacts) {
    this.fd = fd;
    this.facts = facts;
    this.valueSize = copiedValueSize(facts);
  }

  /** Where the key of the next call is taken from. */
  get key(): DataView {
    return this.#memory.key;
  }

  /** Where the value of the next call is taken from, or left. */
  get value(): DataView {
    return this.#memory.value;
  }

  /** False where there is no such key. */
  lookup(flag = 0, cpu = 0): boolean {
    const block = this.#prepare(flag, cpu);
    const result = this.facts.kernel.bpf(bpfCommands.BPF_MAP_LOOKUP_ELEM, block.attribute);
    return result >= 0 || this.#isAbsent('BPF_MAP_LOOKUP_ELEM', result);
  }

  /** False where there was no such key. */
  take(flag = 0): boolean {
    const block = this.#prepare(flag, 0);
    const result = this.facts.kernel.bpf(bpfCommands.BPF_MAP_LOOKUP_AND_DELETE_ELEM, block.attribute);
    return result >= 0 || this.#isAbsent('BPF_MAP_LOOKUP_AND_DELETE_ELEM', result);
  }

  /** The result, or the negated errno. */
  update(flag = 0, cpu = 0): number {
    const block = this.#prepare(flag, cpu);
    return this.facts.kernel.bpf(bpfCommands.BPF_MAP_UPDATE_ELEM, block.attribute);
  }

  /** False where there was no such key. */
  remove(): boolean {
    const block = this.#prepare(0, 0);
    const result = this.facts.kernel.bpf(bpfCommands.BPF_MAP_DELETE_ELEM, block.keyAttribute);
    return result >= 0 || this.#isAbsent('BPF_MAP_DELETE_ELEM', result);
  }

  /** Replaces the key by the one that follows it, or by the first; false at the end. */
  next({ first }: { first: boolean }): boolean {
    const block = this.#prepare(0, 0);
    const { view, addresses } = block;
    if (first) view.setBigUint64(key, 0n, true);
    view.setBigUint64(value, addresses.nextKey, true);
    const result = this.facts.kernel.bpf(bpfCommands.BPF_MAP_GET_NEXT_KEY, block.attribute);
    view.setBigUint64(key, addresses.key, true);
    view.setBigUint64(value, addresses.value, true);
    if (result < 0) return this.#isAbsent('BPF_MAP_GET_NEXT_KEY', result);
    block.keyBytes.set(block.nextKeyBytes);
    return true;
  }

  /** The error of a call that returned `result`. */
  error(command: BpfCommandName, { doing, result }: { doing: string; result: number }): Error {
    const refused = entryRefused(this, { command, doing, result });
    return refused ?? bpfError({ command, doing: `${doing} map ${this.facts.name}` }, result);
  }

  get #memory(): Block {
    return (this.#block ??= makeBlock(this));
  }

  #prepare(flag: number, cpu: number): Block {
    const block = (this.#block ??= makeBlock(this));
    const { view } = block;
    view.setUint32(map_fd, this.fd.value, true);
    view.setUint32(flags, flag, true);
    // The upper half is the CPU that BPF_F_CPU asks for, and otherwise zero.
    view.setUint32(flags + 4, (flag & BPF_F_CPU) === 0 ? 0 : cpu, true);
    return block;
  }

  /** False for ENOENT: no such key, or no further one. Throws anything else. */
  #isAbsent(command: keyof typeof DOING, result: number): false {
    if (result === -errno.ENOENT) return false;
    throw this.error(command, { doing: DOING[command], result });
  }
}

interface Block {
  /** The attribute's bytes, of the block that holds the others too. */
  readonly attribute: Uint8Array;
  /** Its beginning, for a command that wants everything after the key to be zero (CHECK_ATTR in kernel/bpf/syscall.c). */
  readonly keyAttribute: Uint8Array;
  readonly view: DataView;
  readonly key: DataView;
  readonly value: DataView;
  readonly keyBytes: Uint8Array;
  readonly nextKeyBytes: Uint8Array;
  readonly addresses: { readonly key: bigint; readonly nextKey: bigint; readonly value: bigint };
}

function makeBlock({ facts: { kernel, keySize }, valueSize }: MapCalls): Block {
  const keyAt = alignUp(bpf_attr_map_elem.size, 8);
  const nextKeyAt = alignUp(keyAt + keySize, 8);
  const valueAt = alignUp(nextKeyAt + keySize, 8);
  const buffer = new ArrayBuffer(alignUp(valueAt + valueSize, 8));
  const base = kernel.addressOf(new Uint8Array(buffer));
  // Maps without keys (queues, bloom filters) want no address of one (__bpf_copy_key() in kernel/bpf/syscall.c).
  const addressOfKey = (at: number): bigint => (keySize === 0 ? 0n : base + BigInt(at));
  const addresses = {
    key: addressOfKey(keyAt),
    nextKey: addressOfKey(nextKeyAt),
    value: base + BigInt(valueAt),
  };
  const view = new DataView(buffer, 0, bpf_attr_map_elem.size);
  view.setBigUint64(key, addresses.key, true);
  view.setBigUint64(value, addresses.value, true);
  return {
    attribute: new Uint8Array(buffer, 0, bpf_attr_map_elem.size),
    keyAttribute: new Uint8Array(buffer, 0, value),
    view,
    key: new DataView(buffer, keyAt, keySize),
    value: new DataView(buffer, valueAt, valueSize),
    keyBytes: new Uint8Array(buffer, keyAt, keySize),
    nextKeyBytes: new Uint8Array(buffer, nextKeyAt, keySize),
    addresses,
  };
}
