import { lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openAnyPin, readInfo, type Kernel, type PinnedKind } from '../../sys/index.ts';
import { bpf_link_info, bpf_map_info, bpf_prog_info } from '../../uapi/index.ts';
import { unlessGone } from '../unless-gone.ts';
import type { Held } from './holder.ts';
import { parseMountInfo, type VisibleMount } from './mounts.ts';

/** A pin, and what it holds. */
export interface SeenPin extends Held {
  readonly path: string;
}

const descriptors = { map: bpf_map_info, program: bpf_prog_info, link: bpf_link_info } as const;

/**
 * Where the programs, maps or links of this kernel are pinned, by id: the paths in every bpf file system that is mounted
 * here. A directory that may not be read is left out.
 *
 * @throws PermissionError, SyscallError
 */
export function findPins(kernel: Kernel, kind: PinnedKind): ReadonlyMap<number, readonly string[]> {
  const pins = new Map<number, string[]>();
  const mounts = parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'), '');
  const files = mounts.filter(({ type }) => type === 'bpf').flatMap(({ path }) => filesBelow(path));
  for (const file of new Set(files)) {
    const pin = pinAt(kernel, file);
    if (pin?.kind === kind) pins.set(pin.id, [...(pins.get(pin.id) ?? []), file]);
  }
  return pins;
}

/** What is pinned in every bpf file system that is mounted in a mount namespace of some process. */
export function findAllPins(kernel: Kernel, mounts: readonly VisibleMount[]): SeenPin[] {
  return distinctMounts(mounts.filter(({ type }) => type === 'bpf')).flatMap(({ path }) =>
    filesBelow(path).flatMap((file) => pinAt(kernel, file) ?? []),
  );
}

/** One file system may be mounted in many places and namespaces: the widest mount of each that is not hidden by another. */
function distinctMounts(mounts: readonly VisibleMount[]): VisibleMount[] {
  const chosen: VisibleMount[] = [];
  for (const mount of [...mounts].sort((one, other) => one.root.length - other.root.length)) {
    const known = chosen.some(({ device, root }) => device === mount.device && isBelow(mount.root, root));
    if (!known && deviceOf(mount.path) === mount.device) chosen.push(mount);
  }
  return chosen;
}

function isBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`);
}

/** As mountinfo writes it: new_encode_dev() of include/linux/kdev_t.h taken apart. */
function deviceOf(path: string): string | undefined {
  const dev = unlessGone(() => lstatSync(path).dev);
  if (dev === undefined) return undefined;
  const minor = (dev & 0xff) | ((dev >>> 12) & 0xfff00);
  return `${String((dev >>> 8) & 0xfff)}:${String(minor)}`;
}

function filesBelow(directory: string): string[] {
  const entries = unlessGone(() => readdirSync(directory, { withFileTypes: true })) ?? [];
  const sorted = entries.sort((one, other) => (one.name < other.name ? -1 : 1));
  return sorted.flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}

function pinAt(kernel: Kernel, path: string): SeenPin | undefined {
  const pin = openAnyPin(kernel, path);
  if (pin === undefined) return undefined;
  try {
    const { fd, kind } = pin;
    const { id } = readInfo<{ id: number }>(kernel, { fd, descriptor: descriptors[kind] });
    return { kind, id, path };
  } finally {
    pin.fd.close();
  }
}
