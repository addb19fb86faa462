import { programTypeName } from '../../programs/index.ts';
import { readInfo, type Fd, type Kernel } from '../../sys/index.ts';
import { BPF_PROG_TYPE_EXT, bpf_prog_info } from '../../uapi/index.ts';
import { struct, u32 } from '../../binary/index.ts';
import { fullProgramName, mapObjects, openIfThere } from '../objects/index.ts';
import type { ProgramHolder } from './holder.ts';
import type { Search } from './search.ts';

const FunctionRecord = struct('bpf_func_info', { insn_off: u32, type_id: u32 });

/** Programs that use a map, and programs that were loaded for another: its extensions and what traces it. */
export function programHolders(search: Search): ProgramHolder[] {
  const { kernel, held } = search;
  if (held.kind === 'link') return [];
  const holds = held.kind === 'map' ? usesMap(kernel, held.id) : wasLoadedFor(search);
  return mapObjects(kernel, 'program', (fd, id): ProgramHolder[] => {
    if (held.kind === 'program' && id === held.id) return [];
    const info = readInfo(kernel, { fd, descriptor: bpf_prog_info });
    if (!holds(info, fd)) return [];
    return [
      { kind: 'program', programId: id, name: fullProgramName(kernel, fd), type: programTypeName(info.type) },
    ];
  }).flat();
}

type Holds = (info: bpf_prog_info, fd: Fd) => boolean;

function usesMap(kernel: Kernel, mapId: number): Holds {
  return ({ nr_map_ids: count }, fd) => {
    if (count === 0) return false;
    const ids = new Uint32Array(count);
    const bytes = new Uint8Array(ids.buffer);
    readInfo(kernel, {
      fd,
      descriptor: bpf_prog_info,
      fields: { nr_map_ids: count, map_ids: kernel.addressOf(bytes) },
      keep: [bytes],
    });
    return ids.includes(mapId);
  };
}

/**
 * A program holds the one that it was verified against until it is attached (check_attach_btf_id() of
 * kernel/bpf/verifier.c); which one of those that share a BTF is told by the function.
 */
function wasLoadedFor({ kernel, held, links }: Search): Holds {
  const target = functionsOf(kernel, held.id);
  if (target === undefined) return () => false;
  return ({ attach_btf_obj_id, attach_btf_id, type, id }) => {
    if (attach_btf_obj_id !== target.btfId || !target.functions.has(attach_btf_id)) return false;
    // An extension that is attached leaves the hold to its link.
    return type !== BPF_PROG_TYPE_EXT || !links.some(({ programId }) => programId === id);
  };
}

/** The BTF of a program, and its functions there; undefined without one. */
function functionsOf(
  kernel: Kernel,
  id: number,
): { readonly btfId: number; readonly functions: ReadonlySet<number> } | undefined {
  const fd = openIfThere(kernel, 'program', id);
  if (fd === undefined) return undefined;
  try {
    const { btf_id, nr_func_info, func_info_rec_size } = readInfo(kernel, { fd, descriptor: bpf_prog_info });
    if (btf_id === 0 || nr_func_info === 0) return undefined;
    const records = new Uint8Array(nr_func_info * func_info_rec_size);
    readInfo(kernel, {
      fd,
      descriptor: bpf_prog_info,
      fields: { nr_func_info, func_info_rec_size, func_info: kernel.addressOf(records) },
      keep: [records],
    });
    const functions = Array.from(
      { length: nr_func_info },
      (_, index) => FunctionRecord.decode(records, index * func_info_rec_size).type_id,
    );
    return { btfId: btf_id, functions: new Set(functions) };
  } finally {
    fd.close();
  }
}
