import { array, bytes, i16, struct, u32, u64, u8 } from '../binary/index.ts';
import { ArgumentError } from '../errors.ts';
import type { BpfMap } from '../maps/index.ts';
import type { UsdtArgument } from './usdt-arguments.ts';

/**
 * struct __bpf_usdt_arg_spec of libbpf's usdt.bpf.h. `location` has the kind in its lowest byte and above it, for
 * indexed arguments (libbpf 1.7), 12 bits of the index register's offset and 4 of its shift; objects built with older
 * headers have the kind there alone, so that the other kinds look the same.
 */
const argumentSpec = struct('__bpf_usdt_arg_spec', {
  val_off: u64,
  location: u32,
  reg_off: i16,
  arg_signed: u8,
  arg_bitshift: u8,
});
const MOST_ARGUMENTS = 12;
const spec = struct('__bpf_usdt_spec', {
  args: array(argumentSpec, MOST_ARGUMENTS),
  usdt_cookie: u64,
  arg_cnt: i16,
  padding: bytes(6),
});
const kinds = { constant: 0, register: 1, memory: 2, indexed: 3 } as const;

/** What a program learns of the probe it runs for. */
export interface UsdtSpec {
  readonly arguments: readonly UsdtArgument[];
  /** What bpf_usdt_cookie() gives. */
  readonly cookie: bigint;
}

/** The specs that this process has put into a map, so that equal ones share a place and freed places are used again. */
interface Places {
  readonly users: Map<number, number>;
  readonly byContent: Map<string, number>;
  readonly contents: Map<number, string>;
}

const places = new WeakMap<BpfMap, Places>();

/** Writes a spec into `__bpf_usdt_specs`. @throws ArgumentError where the map is full, or of another layout */
export function addUsdtSpec(map: BpfMap, wanted: UsdtSpec): number {
  if (map.valueSize !== spec.size || map.keySize !== 4) {
    throw new ArgumentError('specs', `Cannot attach USDT probes: map ${map.name} is not that of usdt.bpf.h`);
  }
  if (wanted.arguments.length > MOST_ARGUMENTS) {
    throw new ArgumentError(
      'usdt',
      `Cannot attach to a probe of ${String(wanted.arguments.length)} arguments`,
    );
  }
  const known = placesOf(map);
  const value = encode(wanted);
  const content = Buffer.from(value).toString('latin1');
  const id = known.byContent.get(content) ?? freePlace(map, known);
  if (!known.contents.has(id)) {
    map.setBytes(new Uint8Array(Uint32Array.of(id).buffer), value);
    known.byContent.set(content, id);
    known.contents.set(id, content);
  }
  known.users.set(id, (known.users.get(id) ?? 0) + 1);
  return id;
}

/** One user of a spec fewer. */
export function removeUsdtSpec(map: BpfMap, id: number): void {
  const known = placesOf(map);
  const left = (known.users.get(id) ?? 0) - 1;
  if (left > 0) {
    known.users.set(id, left);
    return;
  }
  known.users.delete(id);
  const content = known.contents.get(id);
  known.contents.delete(id);
  if (content !== undefined) known.byContent.delete(content);
}

function placesOf(map: BpfMap): Places {
  let known = places.get(map);
  if (!known) {
    known = { users: new Map(), byContent: new Map(), contents: new Map() };
    places.set(map, known);
  }
  return known;
}

function freePlace(map: BpfMap, known: Places): number {
  for (let id = 0; id < map.maxEntries; id++) if (!known.users.has(id)) return id;
  throw new ArgumentError('specs', `Cannot attach to more USDT probes: map ${map.name} is full`, {
    hint: 'compile the object with a larger BPF_USDT_MAX_SPEC_CNT',
  });
}

function encode(wanted: UsdtSpec): Uint8Array {
  const absent = { val_off: 0n, location: 0, reg_off: 0, arg_signed: 0, arg_bitshift: 0 };
  const args = Array.from({ length: MOST_ARGUMENTS }, (_, index) => {
    const argument = wanted.arguments[index];
    if (argument === undefined) return absent;
    return {
      val_off: BigInt.asUintN(64, argument.value),
      location: kinds[argument.kind] | (argument.index << 8) | (argument.scaleShift << 20),
      reg_off: argument.register,
      arg_signed: argument.signed ? 1 : 0,
      arg_bitshift: 64 - argument.size * 8,
    };
  });
  return spec.encode({ args, usdt_cookie: wanted.cookie, arg_cnt: wanted.arguments.length });
}
