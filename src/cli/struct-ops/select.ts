import { NotFoundError } from '../../errors.ts';
import type { Btf } from '../../btf/index.ts';
import { mapObjects, readBtfById } from '../../inspect/index.ts';
import { MapType } from '../../maps/index.ts';
import { readInfo } from '../../sys/index.ts';
import type { Fd, Kernel } from '../../sys/index.ts';
import { bpf_map_info } from '../../uapi/index.ts';
import { Words } from '../words.ts';

/** A struct_ops map, open while it is looked at. */
export interface StructOpsMap {
  readonly fd: Fd;
  readonly info: bpf_map_info;
  /** The kernel's types, or those of the module that has the struct. */
  readonly btf: Btf;
}

/**
 * What `use` makes of each struct_ops map that the words name: `id ID`, `name NAME`, or all where there are none.
 *
 * @throws UsageError, NotFoundError, PermissionError
 */
export function mapStructOps<Result>(
  kernel: Kernel,
  { given, command }: { given: readonly string[]; command: string },
  use: (map: StructOpsMap) => Result,
): Result[] {
  const words = new Words(given, command);
  const selector = words.takeSelectorIfAny();
  words.end();
  const wanted = typeof selector === 'string' ? selector : selector?.value;
  const btfs = new Map<number, Btf>();
  const results = mapObjects(kernel, 'map', (fd) => {
    const info = readInfo(kernel, { fd, descriptor: bpf_map_info });
    const { type, id, name } = info;
    if (type !== MapType.StructOps) return [];
    if (wanted !== undefined && wanted !== String(id) && wanted !== name) return [];
    // Before Linux 6.9 the kernel does not tell, and has no other than its own, which is the first.
    const btfId = info.btf_vmlinux_id || 1;
    const btf = btfs.get(btfId) ?? readBtfById(kernel, btfId);
    btfs.set(btfId, btf);
    return [use({ fd, info, btf })];
  }).flat();
  if (wanted !== undefined && results.length === 0)
    throw new NotFoundError(
      'MAP_NOT_FOUND',
      wanted,
      `Cannot find struct_ops map ${wanted}: the kernel has none of that id or name`,
    );
  return results;
}
