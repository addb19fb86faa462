import { createCodec, formatType, type Btf, type BtfValue, type Codec } from '../btf/index.ts';
import type { VariablePlace } from './data-sections.ts';
import type { MapSpec } from './map-spec.ts';

/** By type: an object may have tens of thousands of variables of one. */
const codecs = new WeakMap<Btf, Map<number, Codec>>();

function codecOf(btf: Btf, typeId: number): Codec {
  const known = codecs.get(btf) ?? new Map<number, Codec>();
  codecs.set(btf, known);
  const codec = known.get(typeId) ?? createCodec(btf, typeId);
  known.set(typeId, codec);
  return codec;
}

/**
 * A global variable of an object before it is loaded.
 *
 * Setting it changes the first contents of the map that its section becomes; this is how `const volatile` settings
 * in `.rodata`, which the verifier then takes for constants, get their values.
 */
export class VariableSpec implements VariablePlace {
  readonly name: string;
  readonly section: string;
  readonly offset: number;
  readonly size: number;
  readonly typeId: number;
  readonly #btf: Btf;
  readonly #map: MapSpec;

  constructor(place: VariablePlace, { btf, map }: { btf: Btf; map: MapSpec }) {
    this.name = place.name;
    this.section = place.section;
    this.offset = place.offset;
    this.size = place.size;
    this.typeId = place.typeId;
    this.#btf = btf;
    this.#map = map;
  }

  /** The map that holds it: named like its section, except for the variables of an arena. */
  get map(): string {
    return this.#map.name;
  }

  /** The type as C spells it. */
  get typeName(): string {
    return formatType(this.#btf, this.typeId);
  }

  /** The value it will start with. */
  get(): BtfValue {
    const codec = codecOf(this.#btf, this.typeId);
    return codec.read(this.#view(), this.offset, this.#end(codec));
  }

  /** @throws ValueError where the value does not fit the variable's type */
  set(value: unknown): void {
    const codec = codecOf(this.#btf, this.typeId);
    codec.write(this.#view(), this.offset, value, this.#end(codec));
  }

  /** A variable is larger than its type where C initialises the flexible array that this ends in. */
  #end({ size }: Codec): number | undefined {
    return this.size > size ? this.offset + this.size : undefined;
  }

  #view(): DataView {
    this.#map.contents ??= new Uint8Array(this.#map.valueSize);
    const { buffer, byteOffset, byteLength } = this.#map.contents;
    return new DataView(buffer, byteOffset, byteLength);
  }
}
