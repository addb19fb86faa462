import { errno, bpfError, tryBpf } from '../sys/index.ts';
import type { MapSpec } from '../elf/index.ts';
import type { BpfMap } from '../maps/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import { bpf_attr_prog_bind_map } from '../uapi/index.ts';

/**
 * Ties the read-only data of an object to a program, also where the program does not refer to it
 * (`BPF_PROG_BIND_MAP`, Linux 5.10): `bpftool prog show` finds the metadata of a program in the `.rodata` among its
 * maps. libbpf does the same with every program.
 *
 * @throws PermissionError, SyscallError; nothing on kernels that do not know the command, where nothing is lost
 */
export function bindReadOnlyData(
  program: BpfProgram,
  { specs, maps }: { specs: Iterable<MapSpec>; maps: ReadonlyMap<string, BpfMap> },
): void {
  for (const { name, definition, freeze } of specs) {
    const map = maps.get(name);
    if (definition.kind !== 'data' || !freeze || !map) continue;
    const call = {
      command: 'BPF_PROG_BIND_MAP',
      attribute: bpf_attr_prog_bind_map,
      fields: { prog_fd: program.fd.value, map_fd: map.fd.value },
      doing: `bind map ${name} to program ${program.name}`,
    } as const;
    const result = tryBpf(program.kernel, call);
    if (result < 0 && result !== -errno.EINVAL) throw bpfError(call, result);
  }
}
