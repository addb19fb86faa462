import * as uapi from '../uapi/index.ts';

/** The name that bpftool gives a program type: `xdp`, `sched_cls`; `type_99` where it is unknown. */
export function programTypeName(type: number): string {
  return enumeratorName('BPF_PROG_TYPE_', type) ?? `type_${type}`;
}

/** `xdp_devmap` for `BPF_XDP_DEVMAP`. Attach types have no common prefix, so names are listed where they collide. */
function enumeratorName(prefix: string, value: number): string | undefined {
  for (const [name, candidate] of Object.entries(uapi)) {
    if (candidate === value && name.startsWith(prefix)) return name.slice(prefix.length).toLowerCase();
  }
  return undefined;
}
