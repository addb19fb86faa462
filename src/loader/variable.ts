import { createCodec, formatType, type Btf, type BtfValue, type Codec } from '../btf/index.ts';
import type { VariableSpec } from '../elf/index.ts';
import type { BpfMap } from '../maps/index.ts';
import { alignUp } from '../binary/index.ts';
import { ArgumentError } from '../errors.ts';
import type { MemoryMapping } from '../sys/index.ts';

/**
 * The memory of one data section in the kernel, mapped when it is first needed. Reading and writing a variable is
 * then a memory access; the verifier's program sees writes at once.
 */
export class DataSection {
  readonly map: BpfMap;
  readonly readOnly: boolean;
  #mapping: MemoryMapping | undefined;

  constructor(map: BpfMap, options: { readOnly: boolean }) {
    this.map = map;
    this.readOnly = options.readOnly;
    map.fd.onClose(() => this.#mapping?.close());
  }

  view(): DataView {
    const { kernel, valueSize } = this.map;
    this.#mapping ??= kernel.mmap({
      fd: this.map.fd.value,
      length: alignUp(valueSize, kernel.pageSize),
      offset: 0,
      writable: !this.readOnly,
    });
    return this.#mapping.dataView;
  }
}

/** A global variable of a loaded object. */
export class Variable {
  readonly name: string;
  readonly section: string;
  readonly typeName: string;
  readonly #data: DataSection;
  readonly #offset: number;
  readonly #codec: Codec;

  constructor(spec: VariableSpec, { data, btf }: { data: DataSection; btf: Btf }) {
    this.name = spec.name;
    this.section = spec.section;
    this.typeName = formatType(btf, spec.typeId);
    this.#data = data;
    this.#offset = spec.offset;
    this.#codec = createCodec(btf, spec.typeId);
  }

  /** @throws ClosedError after the collection closed */
  get(): BtfValue {
    this.#checkOpen();
    return this.#codec.read(this.#data.view(), this.#offset);
  }

  /** @throws ValueError where it does not fit; ArgumentError for a variable of `.rodata`, which is frozen */
  set(value: unknown): void {
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
    this.#codec.write(this.#data.view(), this.#offset, value);
  }

  /** `fd.value` throws after close; without it a late read would see zeros. */
  #checkOpen(): number {
    return this.#data.map.fd.value;
  }
}
