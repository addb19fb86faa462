import {
  fittedCodec,
  isPerCpu,
  KeyedMap,
  perCpuCodec,
  type BpfMap,
  type ElementCodec,
} from '../maps/index.ts';
import type { Input } from '../btf/index.ts';
import type { Codec } from './codec.ts';

/** A map whose keys and values have the types of the object. */
export class TypedMap<Key, Value> extends KeyedMap<Key, Value, Input<Key>, Input<Value>> {
  /** The map itself: descriptor, pinning, information. */
  readonly map: BpfMap;

  /** `value` is the codec of one CPU's value where the map has one for each. */
  constructor(map: BpfMap, { key, value }: { key: Codec<unknown>; value: Codec<unknown> }) {
    const whole = isPerCpu(map.type)
      ? perCpuCodec(fittedCodec(value, map.valueSize), map.kernel.possibleCpus())
      : value;
    super(map.calls, { key: key as ElementCodec<Key>, value: whole as ElementCodec<Value> });
    this.map = map;
  }
}
