import { jumpTargets, type JumpTable } from '../elf/index.ts';
import { SyscallError } from '../errors.ts';
import { BpfMap, MapType } from '../maps/index.ts';
import type { BpfToken, Kernel } from '../sys/index.ts';
import { closeAll } from './close-all.ts';
import { requireMapType } from './missing-map-type.ts';
import type { LinkedFunction } from './subprograms.ts';

/** `struct bpf_insn_array_value`, whose first word is the place; the kernel fills the others at verification. */
const VALUE_SIZE = 16;

/** The tables that one program jumps by, as maps of the kernel. They are the program's as soon as it is loaded. */
export class JumpTables {
  readonly #kernel: Kernel;
  readonly #token: BpfToken | undefined;
  /** By where the function begins in the program, and the table in its section. */
  readonly #maps = new Map<string, BpfMap>();

  constructor(kernel: Kernel, { token }: { token?: BpfToken | undefined } = {}) {
    this.#kernel = kernel;
    this.#token = token;
  }

  /** @throws UnsupportedFeatureError before Linux 6.19, ObjectError for a table that leads out of its function */
  map({ fn, start }: LinkedFunction, table: JumpTable): BpfMap {
    const key = `${start}:${table.offset}:${table.entries.length}`;
    let map = this.#maps.get(key);
    if (!map) {
      const places = jumpTargets(table, fn).map((target) => start + target);
      map = this.#create(places, `create jump table ${table.name} of ${fn.name}`);
      this.#maps.set(key, map);
    }
    return map;
  }

  close(): void {
    closeAll([...this.#maps.values()]);
  }

  #create(places: readonly number[], doing: string): BpfMap {
    const map = this.#createEmpty(places.length, doing);
    try {
      const [key, value] = [new Uint32Array(1), new Uint32Array(VALUE_SIZE / 4)];
      for (const [index, place] of places.entries()) {
        key[0] = index;
        value[0] = place;
        map.setBytes(new Uint8Array(key.buffer), new Uint8Array(value.buffer));
      }
      // The verifier follows only tables that nobody can change: bpf_insn_array_init() in kernel/bpf/bpf_insn_array.c.
      map.freeze();
      return map;
    } catch (error) {
      map.close();
      throw error;
    }
  }

  #createEmpty(maxEntries: number, doing: string): BpfMap {
    const type = MapType.InstructionArray;
    try {
      return BpfMap.create(
        {
          type,
          keySize: 4,
          valueSize: VALUE_SIZE,
          maxEntries,
          name: '.jumptables',
          ...(this.#token && { token: this.#token }),
        },
        { name: '.jumptables', kernel: this.#kernel },
      );
    } catch (error) {
      if (error instanceof SyscallError && error.errnoName === 'EINVAL')
        requireMapType(this.#kernel, { type, doing });
      throw error;
    }
  }
}
