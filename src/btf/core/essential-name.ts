/**
 * A name without its flavour: `task_struct` of `task_struct___old`. The flavour begins at the last three underscores
 * that stand between two other characters; libbpf's rule (bpf_core_essential_name_len).
 */
export function essentialName(name: string): string {
  if (!name.includes('___')) return name;
  return FLAVOURED.exec(name)?.[1] ?? name;
}

const FLAVOURED = /^(.*[^_])___[^_]/s;
