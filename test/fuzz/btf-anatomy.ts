import { Btf } from '../../src/btf/index.ts';
import { readHeader } from '../../src/btf/header.ts';

/** Where the parts of a BTF lie, in bytes from the start of the file that it is in. */
export interface BtfAnatomy {
  readonly start: number;
  readonly littleEndian: boolean;
  readonly typeCount: number;
  /** Of each type from id 1 on, and where the last one ends. */
  readonly typeOffsets: readonly number[];
  readonly strings: { readonly start: number; readonly end: number };
  /** Types that say what maps and global variables are. */
  readonly definitions: readonly number[];
}

export function btfAnatomyOf(bytes: Uint8Array, start = 0): BtfAnatomy {
  const btf = Btf.parse(bytes);
  const { types, strings } = readHeader(bytes);
  return {
    start,
    littleEndian: btf.littleEndian,
    typeCount: btf.typeCount,
    typeOffsets: [...[...btf.ids()].map((id) => start + btf.byteOffsetOf(id)), start + types.end],
    strings: { start: start + strings.start, end: start + strings.end },
    definitions: definitionsOf(btf),
  };
}

/** What the sections of variables lead to in a few steps. */
function definitionsOf(btf: Btf): number[] {
  const sections = [...btf.ids()].filter((id) => btf.kindOf(id) === 'datasec');
  const reached = new Set(sections);
  let edge = sections;
  for (let step = 0; step < 5; step++) {
    edge = edge.flatMap((id) => referencesOf(btf, id)).filter((id) => id > 0 && !reached.has(id));
    for (const id of edge) reached.add(id);
  }
  return [...reached];
}

function referencesOf(btf: Btf, id: number): number[] {
  const type = btf.type(id);
  if ('typeId' in type) return [type.typeId];
  if (type.kind === 'array') return [type.elementTypeId];
  if (type.kind === 'datasec') return type.variables.map((variable) => variable.typeId);
  return 'members' in type ? type.members.map((member) => member.typeId) : [];
}
