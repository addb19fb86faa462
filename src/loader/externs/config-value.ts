import { resolveType, type Btf } from '../../btf/index.ts';

/** What a variable of `.kconfig` can hold, by libbpf's find_kcfg_type(). */
export type SettingType =
  | { readonly kind: 'bool' | 'tristate' }
  | { readonly kind: 'char' | 'integer'; readonly size: number; readonly signed: boolean }
  | { readonly kind: 'string'; readonly size: number };

/** Bytes for the variable, or why there are none, to follow "its value …". */
export type Encoded = Uint8Array | { readonly refused: string };

/** `enum libbpf_tristate` */
const TRISTATE: Readonly<Record<string, number>> = { n: 0, y: 1, m: 2 };

/** Undefined for a type that no setting can have. */
export function settingType(btf: Btf, variableId: number): SettingType | undefined {
  const variable = btf.type(variableId);
  return variable.kind === 'variable' ? typeOf(btf, variable.typeId) : undefined;
}

function typeOf(btf: Btf, id: number): SettingType | undefined {
  const type = btf.type(resolveType(btf, id));
  switch (type.kind) {
    case 'int':
      if (type.bool) return type.size === 1 ? { kind: 'bool' } : undefined;
      if (![1, 2, 4, 8].includes(type.size)) return undefined;
      return { kind: type.size === 1 ? 'char' : 'integer', size: type.size, signed: type.signed };
    case 'enum':
    case 'enum64':
      return type.size === 4 && type.name === 'libbpf_tristate' ? { kind: 'tristate' } : undefined;
    case 'array': {
      const isText = type.length > 0 && typeOf(btf, type.elementTypeId)?.kind === 'char';
      return isText ? { kind: 'string', size: type.length } : undefined;
    }
    default:
      return undefined;
  }
}

/** What stands after the `=` of a line, for a variable of a type. The rules are libbpf's. */
export function encodeSetting(type: SettingType, text: string): Encoded {
  const first = text.charAt(0);
  if (first === 'y' || first === 'n' || first === 'm') return encodeSwitch(type, first);
  if (first === '"') return encodeText(type, text);
  const number = parseNumber(text);
  if (number === undefined) return { refused: 'is neither y, n, m, a quoted text nor a 64-bit number' };
  if (type.kind !== 'integer' && type.kind !== 'char')
    return { refused: 'is a number, which wants an integer or char' };
  return encodeNumber(type, number);
}

function encodeSwitch(type: SettingType, value: 'y' | 'n' | 'm'): Encoded {
  switch (type.kind) {
    case 'bool':
      if (value === 'm') return { refused: 'is a module, which wants a libbpf_tristate or char' };
      return Uint8Array.of(value === 'y' ? 1 : 0);
    case 'tristate':
      return new Uint8Array(Uint32Array.of(TRISTATE[value] ?? 0).buffer);
    case 'char':
      return Uint8Array.of(value.charCodeAt(0));
    default:
      return { refused: 'is a switch, which wants a bool, libbpf_tristate or char' };
  }
}

/** Cut to the variable's room, its final zero included, as libbpf does with a warning. */
function encodeText(type: SettingType, text: string): Encoded {
  if (type.kind !== 'string') return { refused: 'is a text, which wants an array of char' };
  if (text.length < 2 || !text.endsWith('"')) return { refused: 'lacks its second quotation mark' };
  const bytes = new Uint8Array(type.size);
  bytes.set(Buffer.from(text.slice(1, -1), 'utf8').subarray(0, type.size - 1));
  return bytes;
}

/** A number for a variable of a type, which may be a bool where the loader itself says the value. */
export function encodeNumber(type: SettingType, number: bigint): Encoded {
  if (type.kind === 'bool')
    return number <= 1n ? Uint8Array.of(Number(number)) : { refused: 'does not fit a bool' };
  if (type.kind !== 'integer' && type.kind !== 'char')
    return { refused: 'is a number, which wants an integer or char' };
  const { size, signed } = type;
  const fitting = signed ? BigInt.asIntN(size * 8, number) : BigInt.asUintN(size * 8, number);
  if (BigInt.asUintN(64, fitting) !== number && size < 8)
    return { refused: `does not fit ${signed ? 'a signed' : 'an unsigned'} integer of ${size} bytes` };
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, number, true);
  return bytes.slice(0, size);
}

/** As strtoull() with base 0 takes it: decimal, hexadecimal or octal, a negative one as its two's complement. */
function parseNumber(text: string): bigint | undefined {
  const [, sign, digits] = /^([-+]?)(0x[0-9a-f]+|[0-9]+)$/i.exec(text) ?? [];
  if (digits === undefined || /^0[0-7]*[89]/.test(digits)) return undefined;
  const value = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits}` : digits);
  if (value >= 1n << 64n) return undefined;
  return BigInt.asUintN(64, sign === '-' ? -value : value);
}
