import { resolveType } from '../../btf/index.ts';
import type { Btf } from '../../btf/index.ts';
import type { MapSpec } from '../../elf/index.ts';
import { firstKernelOfMapType } from '../../features/index.ts';
import { mapTypeName } from '../../maps/index.ts';
import * as uapi from '../../uapi/index.ts';
import type { KernelNeed } from './need.ts';

/** Flags of `BPF_MAP_CREATE` and the first Linux with each. */
const FLAGS: readonly (readonly [flag: number, since: string, what: string])[] = [
  [uapi.BPF_F_NO_PREALLOC, '4.6', 'allocates its entries as they come'],
  [uapi.BPF_F_NO_COMMON_LRU, '4.10', 'has a list of its own on each CPU'],
  [uapi.BPF_F_NUMA_NODE, '4.14', 'lies on a NUMA node of choice'],
  [uapi.BPF_F_RDONLY | uapi.BPF_F_WRONLY, '4.15', 'is closed to one side of user space'],
  [uapi.BPF_F_STACK_BUILD_ID, '4.17', 'keeps stacks by build id'],
  [uapi.BPF_F_ZERO_SEED, '5.0', 'hashes without a seed'],
  [uapi.BPF_F_RDONLY_PROG | uapi.BPF_F_WRONLY_PROG, '5.2', 'is closed to one side of programs'],
  [uapi.BPF_F_CLONE, '5.4', 'hands its storage on to clones of a socket'],
  [uapi.BPF_F_MMAPABLE, '5.5', 'is mapped into memory'],
  [uapi.BPF_F_PRESERVE_ELEMS, '5.10', 'keeps perf events when it is closed'],
  [uapi.BPF_F_INNER_MAP, '5.10', 'is an inner map of any size'],
  [uapi.BPF_F_LINK, '6.4', 'is attached by a bpf_link'],
  [uapi.BPF_F_SEGV_ON_FAULT | uapi.BPF_F_NO_USER_CONV, '6.9', 'is an arena with flags'],
  [uapi.BPF_F_RB_OVERWRITE, '6.19', 'overwrites its oldest records'],
];

/** Structs that the kernel looks for in values, and the first Linux that does. */
const KERNEL_FIELDS: Readonly<Record<string, string>> = {
  bpf_spin_lock: '5.1',
  bpf_timer: '5.15',
  bpf_list_head: '6.2',
  bpf_list_node: '6.2',
  bpf_rb_root: '6.3',
  bpf_rb_node: '6.3',
  bpf_refcount: '6.4',
  bpf_wq: '6.10',
  bpf_res_spin_lock: '6.15',
  bpf_task_work: '6.18',
};

/** Tags of pointers in values, and the first Linux that knows them. */
const POINTER_TAGS: Readonly<Record<string, string>> = {
  kptr: '5.19',
  kptr_ref: '5.19',
  kptr_untrusted: '6.4',
  percpu_kptr: '6.7',
  uptr: '6.13',
};

/** Structs within structs of a value that are looked into. */
const DEEPEST = 8;

/** What creating a map needs. */
export function mapNeeds(map: MapSpec, btf: Btf | undefined): KernelNeed[] {
  const { name, type, flags, definition, extra } = map;
  const needs: KernelNeed[] = [];
  const need = (since: string | undefined, what: string): void => {
    if (since !== undefined) needs.push({ since, reason: `map ${name} ${what}` });
  };
  need(firstKernelOfMapType(type), `is of type ${mapTypeName(type)}`);
  if (map.exclusiveProgram !== undefined) need('6.18', 'is of one program alone');
  if (definition.kind === 'data') need('5.2', 'holds global variables');
  for (const [flag, since, what] of FLAGS) if ((flags & flag) !== 0) need(since, what);
  if (extra !== 0n && type !== uapi.BPF_MAP_TYPE_ARENA)
    need('5.16', 'has a parameter of its type (map_extra)');
  if (btf)
    for (const [field, since] of kernelFields(btf, map.valueTypeId))
      need(since, `has a ${field} in its values`);
  return map.inner ? [...needs, ...mapNeeds(map.inner, btf)] : needs;
}

/** What the kernel looks for in values of a type, by name. */
function kernelFields(btf: Btf, valueTypeId: number): Map<string, string> {
  const found = new Map<string, string>();
  const seen = new Set<number>();
  const visit = (typeId: number, depth: number): void => {
    const id = resolveType(btf, typeId);
    if (depth > DEEPEST || seen.has(id)) return;
    seen.add(id);
    const type = btf.type(id);
    if (type.kind === 'array') visit(type.elementTypeId, depth + 1);
    else if (type.kind === 'datasec') for (const { typeId } of type.variables) visit(typeId, depth + 1);
    else if (type.kind === 'variable') visit(type.typeId, depth + 1);
    else if (type.kind === 'pointer') collectTags(btf, type.typeId, found);
    else if (type.kind === 'struct' || type.kind === 'union') {
      const since = entryOf(KERNEL_FIELDS, type.name);
      if (since !== undefined) found.set(type.name, since);
      else for (const member of type.members) visit(member.typeId, depth + 1);
    }
  };
  visit(valueTypeId, 0);
  return found;
}

/** Tags stand between a pointer and what it points to. */
function collectTags(btf: Btf, typeId: number, found: Map<string, string>): void {
  let type = btf.type(typeId);
  for (let depth = 0; type.kind === 'type_tag' && depth < DEEPEST; depth++) {
    const since = entryOf(POINTER_TAGS, type.name);
    if (since !== undefined) found.set(type.name, since);
    type = btf.type(type.typeId);
  }
}

/** A struct may be called `constructor`. */
function entryOf(table: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
