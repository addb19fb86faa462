import { isIP } from 'node:net';
import { readFileSync } from 'node:fs';
import { Btf, createCodec, parseValue, toJson } from '../../btf/index.ts';
import { ArgumentError, FileError, ValueError } from '../../errors.ts';
import { readBtfById } from '../../inspect/index.ts';
import {
  bytesCodec,
  isPerCpu,
  KeyedMap,
  LpmTrie,
  MapType,
  perCpuCodec,
  type BpfMap,
  type MapInfo,
} from '../../maps/index.ts';
import { parseIpAddress } from '../../netlink/index.ts';
import type { Json } from '../output/error-report.ts';
import { bpftoolValue } from './bpftool-value.ts';
import { parseByteWords } from './byte-words.ts';

/** One half of an entry: how many bytes it has, and their type where BTF says it. */
export interface Side {
  readonly what: 'key' | 'value';
  /** Of one CPU's value, where there is one for each. */
  readonly size: number;
  readonly btf: Btf | undefined;
  readonly typeId: number;
}

/** A map of the kernel with the types that it was created with, whose entries come and go as bytes. */
export class InspectedMap extends KeyedMap<
  Uint8Array,
  Uint8Array | Uint8Array[],
  Uint8Array,
  Uint8Array | readonly Uint8Array[]
> {
  readonly map: BpfMap;
  readonly info: MapInfo;
  readonly key: Side;
  readonly value: Side;
  readonly perCpu: boolean;

  /** @throws BtfError, PermissionError where its BTF cannot be read */
  constructor(map: BpfMap) {
    const { kernel, keySize, valueSize, type } = map;
    const value = bytesCodec(valueSize);
    super(map.calls, {
      key: bytesCodec(keySize),
      value: isPerCpu(type) ? perCpuCodec(value, kernel.possibleCpus()) : value,
    });
    this.map = map;
    this.perCpu = isPerCpu(type);
    this.info = map.info();
    const { btfId, btfKeyTypeId, btfValueTypeId, kernelValueTypeId } = this.info;
    const btf = btfId === 0 ? undefined : readBtfById(kernel, btfId);
    this.key = { what: 'key', size: keySize, btf, typeId: btfKeyTypeId };
    this.value =
      kernelValueTypeId === 0
        ? { what: 'value', size: valueSize, btf, typeId: btfValueTypeId }
        : { what: 'value', size: valueSize, btf: kernelBtf(), typeId: kernelValueTypeId };
  }

  /** What the words after `key` or `value` mean. @throws ValueError */
  parse(side: Side, words: readonly string[]): Uint8Array {
    const bytes = parseByteWords(words, side.size);
    if (bytes) return bytes;
    const text = words.join(' ');
    if (words.length === 0) throw new ArgumentError(side.what, `Cannot use an empty ${side.what}`);
    const prefix = side.what === 'key' ? this.#parsePrefix(text) : undefined;
    return prefix ?? parseAddress(text, side) ?? parseTyped(text, side) ?? parsePlain(text, side);
  }

  /** `10.0.0.0/8` for a trie with room for an address. */
  #parsePrefix(text: string): Uint8Array | undefined {
    const { map, key } = this;
    const room = key.size === 8 || key.size === 20;
    if (map.type !== MapType.LpmTrie || !room || isIP(text.split('/')[0] ?? '') === 0) return undefined;
    const view = new DataView(new ArrayBuffer(key.size));
    LpmTrie.ofAddresses(map).codecs.key.write(view, 0, text);
    return new Uint8Array(view.buffer);
  }
}

/** A value in bpftool's shape; undefined where nothing says its type. */
export function formatted({ btf, typeId }: Side, bytes: Uint8Array): Json | undefined {
  if (btf === undefined || typeId === 0) return undefined;
  return bpftoolValue(btf, typeId, { view: viewOf(bytes), at: 0 });
}

/** A value as a person reads it: by its type where there is one, otherwise as bytes. */
export function readable(side: Side, bytes: Uint8Array): string {
  const { btf, typeId } = side;
  if (btf === undefined || typeId === 0)
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const kind = btf.type(typeId).kind;
  const value: Json =
    kind === 'datasec'
      ? bpftoolValue(btf, typeId, { view: viewOf(bytes), at: 0 })
      : toJson(createCodec(btf, typeId).read(viewOf(bytes), 0));
  if (typeof value === 'string') return value;
  return JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? one.toString() : one));
}

function parseTyped(text: string, { btf, typeId }: Side): Uint8Array | undefined {
  if (btf === undefined || typeId === 0 || btf.type(typeId).kind === 'datasec') return undefined;
  const codec = createCodec(btf, typeId);
  const view = new DataView(new ArrayBuffer(codec.size));
  codec.write(view, 0, parseValue(text, btf, typeId));
  return new Uint8Array(view.buffer);
}

/** An address for 4 or 16 bytes, in network order, whatever their type. */
function parseAddress(text: string, { size }: Side): Uint8Array | undefined {
  if (isIP(text) === 0) return undefined;
  const bytes = parseIpAddress(text);
  return bytes.length === size ? bytes : undefined;
}

const INTEGER = /^-?(?:\d+|0x[\da-f]+)$/i;

/** Without a type: an integer for up to 8 bytes, hexadecimal bytes for any number. */
function parsePlain(text: string, { what, size }: Side): Uint8Array {
  if (INTEGER.test(text) && size <= 8) {
    const magnitude = BigInt(text.replace('-', ''));
    const value = text.startsWith('-') ? -magnitude : magnitude;
    const bits = size * 8;
    const fits = value < 0n ? BigInt.asIntN(bits, value) === value : BigInt.asUintN(bits, value) === value;
    if (!fits)
      throw new ValueError(
        '',
        `__u8[${size}]`,
        `Cannot use ${text} as ${what}: it has more than ${size} bytes`,
      );
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
    return bytes.slice(0, size);
  }
  const digits = text.replace(/^0x/i, '').replaceAll(/[: ]/g, '');
  if (/^(?:[\da-f]{2})+$/i.test(digits) && digits.length === size * 2)
    return new Uint8Array(Buffer.from(digits, 'hex'));
  throw new ValueError('', `__u8[${size}]`, `Cannot use ${text} as ${what}: ${size} bytes are wanted`, {
    hint: `write them as numbers, hex 01 02 …, or one after the other; the map has no BTF that says what they mean`,
  });
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function kernelBtf(): Btf {
  const path = '/sys/kernel/btf/vmlinux';
  try {
    return Btf.parse(readFileSync(path));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === undefined) throw cause;
    throw new FileError(
      'FILE_UNREADABLE',
      path,
      `Cannot read the types of the kernel: ${path} cannot be read`,
      {
        cause,
      },
    );
  }
}
