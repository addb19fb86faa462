import { checkInteger, errno } from '../sys/index.ts';
import type { BtfValue } from '../btf/index.ts';
import { BPF_ANY, BPF_EXIST } from '../uapi/index.ts';
import { requireType } from './family.ts';
import type { BpfMap } from './map.ts';
import { fittedCodec, type DefaultInput, type ElementCodec } from './map-codec.ts';
import { MapType } from './map-type.ts';

/**
 * A queue, first in and first out, or a stack, last in and first out (Linux 4.20): values without keys.
 *
 * It does not own the map: closing that ends it.
 */
export class Queue<Value = BtfValue, ValueInput = DefaultInput<Value>> {
  readonly map: BpfMap;
  readonly #value: ElementCodec<Value, ValueInput>;

  /** @throws ArgumentError for a map of another type */
  constructor(map: BpfMap, codecs: { readonly value?: ElementCodec<Value, ValueInput> } = {}) {
    requireType(map, { types: [MapType.Queue, MapType.Stack], as: 'a queue or a stack' });
    this.map = map;
    const value = codecs.value ?? (map.valueCodec as ElementCodec<Value, ValueInput>);
    this.#value = fittedCodec(value, map.valueSize);
  }

  /**
   * Adds a value. False where there is no room and `whenFull` is `refuse`; with `drop`, the oldest one goes instead.
   *
   * @throws ValueError where it does not fit
   */
  push(
    value: ValueInput,
    { whenFull = 'refuse' }: { /** @default 'refuse' */ readonly whenFull?: 'refuse' | 'drop' } = {},
  ): boolean {
    const { calls } = this.map;
    this.#value.write(calls.value, 0, value);
    const result = calls.update(whenFull === 'drop' ? BPF_EXIST : BPF_ANY);
    // queue_stack_map_push_elem() in kernel/bpf/queue_stack_maps.c
    if (result === -errno.E2BIG) return false;
    if (result < 0) throw calls.error('BPF_MAP_UPDATE_ELEM', { doing: 'write to', result });
    return true;
  }

  /** Removes the next value; undefined where there is none. */
  pop(): Value | undefined {
    const { calls } = this.map;
    return calls.take() ? this.#value.read(calls.value, 0) : undefined;
  }

  /** The next value, which stays; undefined where there is none. */
  peek(): Value | undefined {
    const { calls } = this.map;
    return calls.lookup() ? this.#value.read(calls.value, 0) : undefined;
  }

  /** Removes what is there, or at most `limit` values, the next one first. Ends although others go on adding. */
  popMany({ limit = this.map.maxEntries }: { readonly limit?: number } = {}): Value[] {
    checkInteger('limit', limit, { minimum: 0, maximum: 0xffff_ffff });
    const values: Value[] = [];
    while (values.length < limit) {
      const value = this.pop();
      if (value === undefined) break;
      values.push(value);
    }
    return values;
  }
}
