import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NotFoundError, PermissionError } from '../errors.ts';
import { openPinIfThere, readInfo, type Kernel, type PinnedKind } from '../sys/index.ts';
import { bpf_link_info, bpf_map_info, bpf_prog_info } from '../uapi/index.ts';

const descriptors = { map: bpf_map_info, program: bpf_prog_info, link: bpf_link_info } as const;

/**
 * Where the programs, maps or links of this kernel are pinned, by id: the paths in every bpf file system that is mounted
 * here. A directory that may not be read is left out.
 *
 * @throws PermissionError, SyscallError
 */
export function findPins(kernel: Kernel, kind: PinnedKind): ReadonlyMap<number, readonly string[]> {
  const pins = new Map<number, string[]>();
  const places = bpfFileSystems().flatMap((place) => filesBelow(place));
  for (const path of new Set(places)) {
    const id = idOfPin(kernel, { path, kind });
    if (id !== undefined) pins.set(id, [...(pins.get(id) ?? []), path]);
  }
  return pins;
}

function idOfPin(kernel: Kernel, { path, kind }: { path: string; kind: PinnedKind }): number | undefined {
  try {
    using fd = openPinIfThere(kernel, { path, what: kind });
    return fd && readInfo<{ id: number }>(kernel, { fd, descriptor: descriptors[kind] }).id;
  } catch (error) {
    // Something of another kind, or what may not be opened.
    if (error instanceof NotFoundError || error instanceof PermissionError) return undefined;
    throw error;
  }
}

function bpfFileSystems(): string[] {
  return readFileSync('/proc/self/mounts', 'latin1')
    .split('\n')
    .flatMap((line) => {
      const [, place, type] = line.split(' ');
      if (type !== 'bpf' || place === undefined) return [];
      // Spaces and the like are octal there (mangle() in fs/seq_file.c).
      return [place.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)))];
    });
}

function filesBelow(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return filesBelow(path);
      return entry.isFile() ? [path] : [];
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'ENOENT') return [];
    throw error;
  }
}
