import { createCodec, formatType, type Btf, type BtfValue, type Codec } from '../btf/index.ts';
import type { VariableSpec } from '../elf/index.ts';
import { arenaMemory, type BpfMap } from '../maps/index.ts';
import { alignUp } from '../binary/index.ts';
import { ArgumentError } from '../errors.ts';
import type { MemoryMapping } from '../sys/index.ts';

/** Where the global variables of one section live once loaded. */
export interface VariableMemory {
  readonly map: BpfMap;
  readonly readOnly: boolean;
  /** A view that holds the bytes from `offset` on, and where in it they are. */
  open(offset: number, size: number): { view: DataView; at: number };
  /** Called after the bytes of a view that `open` gave were changed. */
  commit(offset: number, opened: { view: DataView; at: number }): void;
}

/**
 * The memory of one data section in the kernel, mapped when it is first needed. Reading and writing a variable is
 * then a memory access; the verifier's program sees writes at once.
 */
export class DataSection implements VariableMemory {
  readonly map: BpfMap;
  readonly readOnly: boolean;
  #mapping: MemoryMapping | undefined;

  constructor(map: BpfMap, options: { readOnly: boolean }) {
    this.map = map;
    this.readOnly = options.readOnly;
    map.fd.onClose(() => this.#mapping?.close());
  }

  open(offset: number): { view: DataView; at: number } {
    const { kernel, valueSize } = this.map;
    this.#mapping ??= kernel.mmap({
      fd: this.map.fd.value,
      length: alignUp(valueSize, kernel.pageSize),
      offset: 0,
      writable: !this.readOnly,
    });
    return { view: this.#mapping.dataView, at: offset };
  }

  commit(): void {
    // The view is the memory itself.
  }
}

/** The globals of an arena, which start at its first byte. They are copied in and out. */
export class ArenaSection implements VariableMemory {
  readonly map: BpfMap;
  readonly readOnly = false;

  constructor(map: BpfMap) {
    this.map = map;
  }

  open(offset: number, size: number): { view: DataView; at: number } {
    const { buffer } = arenaMemory(this.map).read(offset, size);
    return { view: new DataView(buffer), at: 0 };
  }

  commit(offset: number, { view }: { view: DataView }): void {
    arenaMemory(this.map).write(offset, new Uint8Array(view.buffer));
  }
}

/** A global variable of a loaded object. */
export class Variable {
  readonly name: string;
  readonly section: string;
  readonly typeName: string;
  readonly #data: VariableMemory;
  readonly #offset: number;
  readonly #codec: Codec;
  /** Bytes: more than the type's where C initialises the flexible array that this ends in. */
  readonly #size: number;

  constructor(spec: VariableSpec, { data, btf }: { data: VariableMemory; btf: Btf }) {
    this.name = spec.name;
    this.section = spec.section;
    this.typeName = formatType(btf, spec.typeId);
    this.#data = data;
    this.#offset = spec.offset;
    this.#codec = createCodec(btf, spec.typeId);
    this.#size = Math.max(spec.size, this.#codec.size);
  }

  /** @throws ClosedError after the collection closed */
  get(): BtfValue {
    return this.read((view, at, end) => this.#codec.read(view, at, end));
  }

  /** @throws ValueError where it does not fit; ArgumentError for a variable of `.rodata`, which is frozen */
  set(value: unknown): void {
    this.write((view, at, end) => {
      this.#codec.write(view, at, value, end);
    });
  }

  /**
   * Reads the variable's bytes by a codec of the caller's; the view must not be kept. There is an `end` where the variable has
   * elements of a flexible array.
   *
   * @throws ClosedError
   */
  read<Value>(read: (view: DataView, at: number, end: number | undefined) => Value): Value {
    this.#checkOpen();
    const { view, at } = this.#data.open(this.#offset, this.#size);
    return read(view, at, this.#end(at));
  }

  /** Writes them likewise. @throws ArgumentError for a variable of `.rodata`, ClosedError */
  write(write: (view: DataView, at: number, end: number | undefined) => void): void {
    if (this.#data.readOnly) {
      throw new ArgumentError(
        'variable',
        `Cannot set ${this.name}: ${this.section} is read-only once loaded`,
        {
          hint: 'set it on the ObjectFile, before loading',
        },
      );
    }
    this.#checkOpen();
    const opened = this.#data.open(this.#offset, this.#size);
    write(opened.view, opened.at, this.#end(opened.at));
    this.#data.commit(this.#offset, opened);
  }

  #end(at: number): number | undefined {
    return this.#size > this.#codec.size ? at + this.#size : undefined;
  }

  /** `fd.value` throws after close; without it a late read would see zeros. */
  #checkOpen(): number {
    return this.#data.map.fd.value;
  }
}
