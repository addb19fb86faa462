import { BPF_OBJ_NAME_LEN } from '../uapi/index.ts';

const LONGEST = BPF_OBJ_NAME_LEN - 1;

/** A program or map name as the kernel takes it: 15 characters of `[A-Za-z0-9_.]` (bpf_obj_name_cpy). */
export function kernelObjectName(name: string): string {
  return name.replace(/[^A-Za-z0-9_.]/g, '_').slice(0, LONGEST);
}

/**
 * The name that a data section's map has in the kernel: the object's name and the section's, `sniffer.rodata`, as
 * libbpf's internal_map_name() makes it. Sections with a second dot are named alone: `.data.counters`. Of an object's
 * name only what stands before the first dot counts.
 */
export function dataMapName(objectName: string, section: string): string {
  if (section.indexOf('.', 1) >= 0) return kernelObjectName(section);
  const room = LONGEST - Math.max('.rodata'.length, section.length);
  const prefix = objectName.split('.', 1)[0] ?? '';
  return kernelObjectName(prefix.slice(0, Math.max(0, room)) + section);
}
