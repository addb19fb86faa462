import type { BtfValue } from '../btf/index.ts';
import { requireType } from './family.ts';
import type { BpfMap } from './map.ts';
import { fittedCodec, type DefaultInput, type ElementCodec } from './map-codec.ts';
import { MapType } from './map-type.ts';

/**
 * A filter that knows of a value whether it was possibly added, or certainly not (Linux 5.16). Nothing can be removed or
 * listed. `map_extra` is the number of hash functions, from 1 to 15.
 *
 * It does not own the map: closing that ends it.
 */
export class BloomFilter<Value = BtfValue, ValueInput = DefaultInput<Value>> {
  readonly map: BpfMap;
  readonly #value: ElementCodec<Value, ValueInput>;

  /** @throws ArgumentError for a map of another type */
  constructor(map: BpfMap, codecs: { readonly value?: ElementCodec<Value, ValueInput> } = {}) {
    requireType(map, { types: [MapType.BloomFilter], as: 'a bloom filter' });
    this.map = map;
    const value = codecs.value ?? (map.valueCodec as ElementCodec<Value, ValueInput>);
    this.#value = fittedCodec(value, map.valueSize);
  }

  /** @throws ValueError where it does not fit */
  add(value: ValueInput): void {
    const { calls } = this.map;
    this.#value.write(calls.value, 0, value);
    const result = calls.update();
    if (result < 0) throw calls.error('BPF_MAP_UPDATE_ELEM', { doing: 'write to', result });
  }

  /** False where the value was never added; true where it was, and sometimes where it was not. */
  has(value: ValueInput): boolean {
    const { calls } = this.map;
    this.#value.write(calls.value, 0, value);
    return calls.lookup();
  }
}
