import { mkdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FileError, NotFoundError, PinExistsError, SyscallError } from '../errors.ts';
import type { MapSpec, ObjectFile } from '../elf/index.ts';
import { BpfMap, readMapInfo } from '../maps/index.ts';
import { isOnFileSystem, openPinIfThere, type Fd, type Kernel } from '../sys/index.ts';
import { typesOf } from './create-maps.ts';
import { checkCompatible } from './map-compatibility.ts';

/** Where LIBBPF_PIN_BY_NAME pins to, as libbpf does. */
export const DEFAULT_PIN_ROOT = '/sys/fs/bpf';
/** Losing more races than this against others who pin and unpin, something else is wrong. */
const ATTEMPTS = 10;

/** A pin that a map is shared by. */
export interface SharedMap {
  readonly path: string;
  /** It was there before; otherwise this load made it. */
  readonly reused: boolean;
}

/** Where the map of a spec is shared; undefined where it is not. */
export function pinPathOf(spec: MapSpec, root: string = DEFAULT_PIN_ROOT): string | undefined {
  return spec.pinPath ?? (spec.pinByName ? join(root, spec.name) : undefined);
}

/**
 * The maps that one load shares by pins: one that is there and fits is used, otherwise a new one is pinned there.
 *
 * Should the load fail, {@link undo} takes back the pins that it made, as bpf_object__load() does. Pins that were
 * there stay in any case.
 */
export class SharedMaps {
  readonly pins = new Map<string, SharedMap>();
  readonly #object: ObjectFile;
  readonly #kernel: Kernel;
  readonly #made: { path: string; id: number }[] = [];
  readonly #directories: string[] = [];

  constructor(object: ObjectFile, kernel: Kernel) {
    this.#object = object;
    this.#kernel = kernel;
  }

  /**
   * The map pinned at `path`, or the one that `create` makes, pinned there.
   *
   * @throws MapIncompatibleError; NotFoundError where something else than a map is pinned there; FileError where the
   * directory is not in a bpf file system; PermissionError, SyscallError
   */
  openOrCreate(spec: MapSpec, { path, create }: { path: string; create: () => BpfMap }): BpfMap {
    this.#prepareDirectory(spec, path);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const fd = openPinIfThere(this.#kernel, { path, what: 'map' });
      if (fd) {
        this.pins.set(spec.name, { path, reused: true });
        return adoptMap(fd, { spec, object: this.#object, kernel: this.#kernel, path });
      }
      const map = create();
      if (this.#pin(map, path)) {
        this.pins.set(spec.name, { path, reused: false });
        return map;
      }
      map.close();
    }
    throw new PinExistsError(path, { hint: 'another process pins and unpins there all the time' });
  }

  /** Removes the pins and directories that were made; a pin that somebody else has put there since stays. */
  undo(): void {
    for (const { path, id } of this.#made.splice(0)) {
      if (this.#idOf(path) === id) unlinkSync(path);
    }
    for (const directory of this.#directories.splice(0).reverse()) removeIfEmpty(directory);
  }

  /** False where somebody else was faster. */
  #pin(map: BpfMap, path: string): boolean {
    try {
      const { id } = map.info();
      map.pin(path);
      this.#made.push({ path, id });
      return true;
    } catch (error) {
      if (error instanceof PinExistsError) return false;
      map.close();
      throw error;
    }
  }

  /** Makes the last directory of the path, as libbpf does, but nowhere else than in a bpf file system. */
  #prepareDirectory(spec: MapSpec, path: string): void {
    const directory = dirname(path);
    if (isOnFileSystem(directory, 'bpf')) return;
    if (isOnFileSystem(dirname(directory), 'bpf')) {
      if (makeDirectory(directory)) this.#directories.push(directory);
      return;
    }
    throw new FileError(
      'FILE_UNREADABLE',
      path,
      `Cannot share map ${spec.name} by the pin ${path}: ${directory} is not in a bpf file system`,
      { hint: remedyFor(directory) },
    );
  }

  /** Undefined where no map is pinned, or is any more. */
  #idOf(path: string): number | undefined {
    let fd: Fd | undefined;
    try {
      fd = openPinIfThere(this.#kernel, { path, what: 'map' });
      return fd && readMapInfo(this.#kernel, fd).id;
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    } finally {
      fd?.close();
    }
  }
}

/** A map that exists in the place of one of the object: checked, and typed by the object. Takes the descriptor over. */
export function adoptMap(
  fd: Fd,
  context: { spec: MapSpec; object: ObjectFile; kernel: Kernel; path?: string; id?: number },
): BpfMap {
  const { spec, object, kernel, ...found } = context;
  try {
    const info = readMapInfo(kernel, fd);
    checkCompatible(spec, { info, kernel, ...found });
    const types = spec.definition.kind === 'data' ? undefined : typesOf(spec, object);
    return new BpfMap(fd, { ...info, name: spec.name, kernel, types });
  } catch (error) {
    fd.close();
    throw error;
  }
}

function remedyFor(directory: string): string {
  const usual = directory === DEFAULT_PIN_ROOT || directory.startsWith(`${DEFAULT_PIN_ROOT}/`);
  if (usual) return `mount one: mount -t bpf bpf ${DEFAULT_PIN_ROOT}`;
  return `choose a directory in one; the usual place is ${DEFAULT_PIN_ROOT}`;
}

/** False where it was there. */
function makeDirectory(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    const { code = 'EIO', errno = 5 } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    throw new SyscallError('mkdir', Math.abs(errno), code, `Cannot make the directory ${path}: ${code}`);
  }
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if (!['ENOTEMPTY', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
