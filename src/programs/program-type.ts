import { enum_bpf_prog_type } from '../uapi/index.ts';

const PREFIX = 'BPF_PROG_TYPE_';

let names: ReadonlyMap<number, string> | undefined;

/** The name that bpftool gives a program type: `xdp`, `sched_cls`; `type_99` where it is unknown. */
export function programTypeName(type: number): string {
  names ??= readNames();
  return names.get(type) ?? `type_${type}`;
}

/** Where two names stand for one type, the first of them. */
function readNames(): Map<number, string> {
  const found = new Map<number, string>();
  for (const [name, value] of Object.entries(enum_bpf_prog_type())) {
    if (!found.has(value)) found.set(value, name.slice(PREFIX.length).toLowerCase());
  }
  return found;
}
