import { enum_bpf_func_id } from '../uapi/index.ts';

const PREFIX = 'BPF_FUNC_';

let names: ReadonlyMap<number, string> | undefined;
let numbers: ReadonlyMap<string, number> | undefined;

/** `bpf_map_lookup_elem` for 1, by `enum bpf_func_id`; undefined for a number that no helper has. */
export function helperName(number: number): string | undefined {
  names ??= new Map(helpers().map(([name, value]) => [value, name]));
  return names.get(number);
}

/** 1 for `bpf_map_lookup_elem`; undefined for a name that no helper has. */
export function helperNumber(name: string): number | undefined {
  numbers ??= new Map(helpers());
  return numbers.get(name);
}

function helpers(): [name: string, number: number][] {
  return Object.entries(enum_bpf_func_id())
    .filter(([name]) => name !== 'BPF_FUNC_unspec')
    .map(([name, value]) => [`bpf_${name.slice(PREFIX.length)}`, value]);
}
