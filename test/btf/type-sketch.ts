/** Small BTFs, written down as nested calls: `parse(struct('pair', { first: int(32) }))`. */
import { Btf, BtfBuilder } from '../../src/btf/index.ts';

/** Adds a type, and what it refers to, and gives its id. */
export type Sketch = (builder: BtfBuilder) => number;

/** A BTF of the given types; anything they are made of precedes them. */
export function parse(...sketches: Sketch[]): Btf {
  const builder = new BtfBuilder();
  for (const sketch of sketches) sketch(builder);
  return Btf.parse(builder.build());
}

export const nothing: Sketch = () => 0;

export function int(
  bits: number,
  options: { signed?: boolean; offset?: number; name?: string } = {},
): Sketch {
  const { signed = true, offset = 0, name = `int${String(bits)}` } = options;
  const size = bits / 8;
  return (builder) =>
    builder.add({ kind: 'int', name, size, bits: bits - offset, offset, signed, char: false, bool: false });
}

export function float(size: number): Sketch {
  return (builder) => builder.add({ kind: 'float', name: 'float', size });
}

export function pointer(to: Sketch): Sketch {
  return (builder) => builder.add({ kind: 'pointer', typeId: to(builder) });
}

export function constant(of: Sketch): Sketch {
  return (builder) => builder.add({ kind: 'const', typeId: of(builder) });
}

export function typedef(name: string, of: Sketch): Sketch {
  return (builder) => builder.add({ kind: 'typedef', name, typeId: of(builder) });
}

export function array(of: Sketch, length: number): Sketch {
  return (builder) => {
    const indexTypeId = int(32)(builder);
    return builder.add({ kind: 'array', elementTypeId: of(builder), indexTypeId, length });
  };
}

export function forward(name: string, of: 'struct' | 'union'): Sketch {
  return (builder) => builder.add({ kind: 'forward', name, of });
}

export function enumeration(name: string, values: Record<string, number>, size = 4): Sketch {
  const list = Object.entries(values).map(([key, value]) => ({ name: key, value }));
  return (builder) => builder.add({ kind: 'enum', name, size, signed: false, values: list });
}

export function enumeration64(name: string, values: Record<string, bigint>, signed = false): Sketch {
  const list = Object.entries(values).map(([key, value]) => ({ name: key, value }));
  return (builder) => builder.add({ kind: 'enum64', name, size: 8, signed, values: list });
}

/** The first type is that of the result. */
export function prototype(result: Sketch, ...parameters: (Sketch | '...')[]): Sketch {
  return (builder) => {
    const types = parameters.filter((parameter) => parameter !== '...');
    return builder.add({
      kind: 'function_proto',
      returnTypeId: result(builder),
      parameters: types.map((type, index) => ({ name: `p${String(index)}`, typeId: type(builder) })),
      variadic: types.length < parameters.length,
    });
  };
}

/** Members 64 bytes apart, so that they have room whatever they are. */
export function struct(name: string, members: Record<string, Sketch>): Sketch {
  return composite('struct', name, members);
}

export function union(name: string, members: Record<string, Sketch>): Sketch {
  return composite('union', name, members);
}

function composite(kind: 'struct' | 'union', name: string, members: Record<string, Sketch>): Sketch {
  return (builder) => {
    const step = kind === 'struct' ? 64 : 0;
    const list = Object.entries(members).map(([key, type], index) => ({
      // A key that begins with a space is an anonymous member: keys of an object are unique.
      name: key.startsWith(' ') ? '' : key,
      typeId: type(builder),
      bitOffset: index * step * 8,
      bitSize: 0,
    }));
    return builder.add({ kind, name, size: 64 * Math.max(1, list.length), members: list });
  };
}
