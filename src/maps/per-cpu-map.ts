import { ArgumentError } from '../errors.ts';
import type { BtfValue } from '../btf/index.ts';
import { Feature, requireFeature } from '../features/index.ts';
import { checkInteger, errno } from '../sys/index.ts';
import { BPF_F_ALL_CPUS, BPF_F_CPU } from '../uapi/index.ts';
import { requireType } from './family.ts';
import { KeyedMap, type EntryCodecs } from './keyed-map.ts';
import type { BpfMap } from './map.ts';
import { fittedCodec, perCpuCodec, type DefaultInput, type ElementCodec } from './map-codec.ts';
import { MapType } from './map-type.ts';

/**
 * A map with a value for each CPU under every key: an array or a hash (Linux 4.6), an LRU hash (4.10). A value is an
 * array with one element for each CPU that can ever be there, those that are off included.
 *
 * It does not own the map: closing that ends it.
 *
 * @example
 * const packets = new PerCpuMap(collection.map('packets'));
 * packets.sum(0); // over all CPUs, a bigint
 */
export class PerCpuMap<
  Key = BtfValue,
  Value = BtfValue,
  KeyInput = DefaultInput<Key>,
  ValueInput = DefaultInput<Value>,
> extends KeyedMap<Key, Value[], KeyInput, readonly ValueInput[]> {
  readonly map: BpfMap;
  /** How many values there are under a key. */
  readonly cpus: number;
  readonly #element: ElementCodec<Value, ValueInput>;

  /** `codecs.value` is of one CPU's value. @throws ArgumentError for a map of another type */
  constructor(map: BpfMap, codecs: Partial<EntryCodecs<Key, Value, KeyInput, ValueInput>> = {}) {
    requireType(map, {
      types: [MapType.PerCpuArray, MapType.PerCpuHash, MapType.LruPerCpuHash, MapType.PerCpuCgroupStorage],
      as: 'a map with a value for each CPU',
    });
    const value = codecs.value ?? (map.valueCodec as ElementCodec<Value, ValueInput>);
    const element = fittedCodec(value, map.valueSize);
    const key = codecs.key ?? (map.codecs.key as ElementCodec<Key, KeyInput>);
    const cpus = map.kernel.possibleCpus();
    super(map.calls, { key, value: perCpuCodec(element, cpus) });
    this.map = map;
    this.cpus = cpus;
    this.#element = element;
  }

  /**
   * The sum over all CPUs, exact; undefined where there is no such key.
   *
   * @throws ArgumentError where values are no integers: {@link merge} puts structs together
   */
  sum(key: KeyInput): bigint | undefined {
    return this.get(key)?.reduce<bigint>((sum, value) => sum + this.#integer(value), 0n);
  }

  /** Puts the values of all CPUs together, in the order of their numbers; undefined where there is no such key. */
  merge<Result>(
    key: KeyInput,
    {
      initial,
      add,
    }: { readonly initial: Result; readonly add: (result: Result, value: Value, cpu: number) => Result },
  ): Result | undefined {
    return this.get(key)?.reduce<Result>((result, value, cpu) => add(result, value, cpu), initial);
  }

  /** The value of one CPU, without those of the others. Linux 7.0. @throws UnsupportedFeatureError */
  getOf(key: KeyInput, { cpu }: { readonly cpu: number }): Value | undefined {
    const { calls, codecs } = this;
    this.#checkCpu(cpu);
    codecs.key.write(calls.key, 0, key);
    try {
      return calls.lookup(BPF_F_CPU, cpu) ? this.#element.read(calls.value, 0) : undefined;
    } catch (error) {
      this.#explain((error as { errno?: number }).errno, `read the value of CPU ${cpu} of`);
      throw error;
    }
  }

  /** Writes the value of one CPU and leaves those of the others. Linux 7.0. @throws UnsupportedFeatureError */
  setOf(key: KeyInput, value: ValueInput, { cpu }: { readonly cpu: number }): void {
    this.#checkCpu(cpu);
    this.#update(key, value, { flags: BPF_F_CPU, cpu, doing: `write the value of CPU ${cpu} to` });
  }

  /** Writes one value for every CPU. Linux 7.0; before, all of them are copied. */
  fill(key: KeyInput, value: ValueInput): void {
    const { kernel } = this.map;
    try {
      this.#update(key, value, { flags: BPF_F_ALL_CPUS, cpu: 0, doing: 'write the value of all CPUs to' });
    } catch (error) {
      if ((error as { code?: string }).code !== 'UNSUPPORTED_FEATURE') throw error;
      const values = Array.from({ length: kernel.possibleCpus() }, () => value);
      this.set(key, values);
    }
  }

  #update(
    key: KeyInput,
    value: ValueInput,
    { flags, cpu, doing }: { flags: number; cpu: number; doing: string },
  ): void {
    const { calls, codecs } = this;
    codecs.key.write(calls.key, 0, key);
    this.#element.write(calls.value, 0, value);
    const result = calls.update(flags, cpu);
    if (result >= 0) return;
    this.#explain(-result, doing);
    throw calls.error('BPF_MAP_UPDATE_ELEM', { doing: 'write to', result });
  }

  /** The flags are refused with EINVAL by kernels that do not know them. */
  #explain(number: number | undefined, doing: string): void {
    if (number !== errno.EINVAL) return;
    const { kernel, name } = this.map;
    requireFeature(Feature.SingleCpuValues, { doing: `${doing} map ${name}`, kernel });
  }

  #checkCpu(cpu: number): void {
    checkInteger('cpu', cpu, { minimum: 0, maximum: this.cpus - 1 });
  }

  #integer(value: unknown): bigint {
    if (typeof value === 'bigint') return value;
    if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
    const { typeName } = this.#element;
    const message = `Cannot sum up map ${this.map.name}: its values are ${typeName}, and no integers`;
    throw new ArgumentError('map', message, { hint: 'merge() puts values together by a function' });
  }
}
