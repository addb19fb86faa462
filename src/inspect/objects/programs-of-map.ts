import { mapObjects, readInfo, type Kernel } from '../../sys/index.ts';
import { bpf_prog_info } from '../../uapi/index.ts';

/** A program that uses a map, and the id of its BTF; 0 where it has none. */
export interface MapUser {
  readonly id: number;
  readonly name: string;
  readonly btfId: number;
}

/** The programs in the kernel that use a map by its own. Linux 4.15. @throws PermissionError, SyscallError */
export function programsOfMap(kernel: Kernel, mapId: number): MapUser[] {
  return mapObjects(kernel, 'program', (fd) => {
    const { nr_map_ids: count } = readInfo(kernel, { fd, descriptor: bpf_prog_info });
    const ids = new Uint32Array(count);
    const bytes = new Uint8Array(ids.buffer);
    const { id, name, btf_id } = readInfo(kernel, {
      fd,
      descriptor: bpf_prog_info,
      fields: { nr_map_ids: count, map_ids: kernel.addressOf(bytes) },
      keep: [bytes],
    });
    return ids.includes(mapId) ? { id, name, btfId: btf_id } : undefined;
  }).filter((user) => user !== undefined);
}
