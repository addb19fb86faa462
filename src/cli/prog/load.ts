import { mkdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { interpretSectionName, ObjectFile } from '../../elf/index.ts';
import { ArgumentError, ObjectError } from '../../errors.ts';
import type { Link } from '../../link/index.ts';
import { Collection } from '../../loader/index.ts';
import { openMaps } from '../../inspect/index.ts';
import type { BpfMap } from '../../maps/index.ts';
import { systemKernel } from '../../sys/index.ts';
import { ExitCode, UsageError } from '../exit-code.ts';
import { onlyOne } from '../only-one.ts';
import type { Output } from '../output/output.ts';
import { resolveObject } from '../shipped-object.ts';
import { Words } from '../words.ts';

interface LoadRequest {
  readonly object: string;
  readonly path: string;
  readonly type: string | undefined;
  readonly autoattach: boolean;
  readonly pinMaps: string | undefined;
  /** By name, bare selectors of maps in the kernel. */
  readonly maps: ReadonlyMap<string, string>;
}

/** Loads an object and pins its first program, or with `all` each of them below the path under its name. */
export async function runProgLoad(
  given: readonly string[],
  { all }: { all: boolean },
  output: Output,
): Promise<number> {
  const request = parse(given, all ? 'prog loadall' : 'prog load');
  const object = ObjectFile.open(resolveObject(request.object).path);
  if (request.type !== undefined) setType(object, request.type);
  const maps = openGivenMaps(request.maps);
  const pins = new Pins();
  try {
    using collection = Collection.load(object, { maps });
    pinPrograms(collection, { request, all, pins, output });
    if (request.pinMaps !== undefined) pinMaps(collection, { directory: request.pinMaps, pins });
  } catch (error) {
    pins.remove();
    throw error;
  } finally {
    for (const map of maps.values()) map.close();
  }
  output.result(null, '');
  await output.flush();
  return ExitCode.Done;
}

function parse(given: readonly string[], command: string): LoadRequest {
  const words = new Words(given, command);
  const object = words.take('an object');
  const path = words.take('a path to pin to');
  const maps = new Map<string, string>();
  let [type, pinMaps, autoattach]: [string | undefined, string | undefined, boolean] = [
    undefined,
    undefined,
    false,
  ];
  while (!words.empty) {
    switch (words.takeOneOf(['type', 'map', 'autoattach', 'pinmaps'], 'an option')) {
      case 'type':
        type = words.take('a type');
        break;
      case 'map': {
        words.takeOneOf(['name'], 'the name of a map');
        const name = words.take('the name of a map');
        const selector = words.takeSelector('a map');
        maps.set(name, typeof selector === 'string' ? selector : selector.value);
        break;
      }
      case 'autoattach':
        autoattach = true;
        break;
      case 'pinmaps':
        pinMaps = words.take('a directory');
        break;
    }
  }
  return { object, path, type, autoattach, pinMaps, maps };
}

/** As libbpf, what a section of that name means: `xdp`, `cgroup/connect4`, `kprobe`. */
function setType(object: ObjectFile, name: string): void {
  const meaning = interpretSectionName(name) ?? interpretSectionName(`${name}/`);
  if (!meaning)
    throw new UsageError(`${name} is no type of program: say it as a section does, xdp or kprobe`);
  for (const program of object.programs.values()) {
    program.type = meaning.type;
    program.attachType = meaning.attachType;
  }
}

function openGivenMaps(given: ReadonlyMap<string, string>): Map<string, BpfMap> {
  const maps = new Map<string, BpfMap>();
  try {
    for (const [name, selector] of given)
      maps.set(name, onlyOne(openMaps(systemKernel(), selector), { what: 'map', selector }));
    return maps;
  } catch (error) {
    for (const map of maps.values()) map.close();
    throw error;
  }
}

interface Pinning {
  readonly request: LoadRequest;
  readonly all: boolean;
  readonly pins: Pins;
  readonly output: Output;
}

function pinPrograms(collection: Collection, { request, all, pins, output }: Pinning): void {
  const names = [...collection.programs.keys()];
  const [first] = names;
  if (first === undefined)
    throw new ObjectError('PROGRAM_NONE', 'Cannot pin a program: the object has none that is loaded');
  if (all) pins.directory(request.path);
  for (const name of all ? names : [first]) {
    const path = all ? join(request.path, pinName(name)) : request.path;
    const links = request.autoattach ? attach(collection, name, output) : [];
    const [link] = links;
    try {
      if (link) pins.pin(link, path);
      else pins.pin(collection.program(name), path);
    } finally {
      for (const each of links) each.close();
    }
  }
}

/** None where the section does not say all that is needed: then the program itself is pinned. */
function attach(collection: Collection, name: string, output: Output): Link[] {
  try {
    const links = collection.attach(name);
    if (links.length > 0) return links;
    output.note(`note: ${name} says no way to attach it; the program is pinned instead`);
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    output.note(`note: ${error.message}; the program is pinned instead`);
  }
  return [];
}

function pinMaps(collection: Collection, { directory, pins }: { directory: string; pins: Pins }): void {
  pins.directory(directory);
  for (const [name, map] of collection.maps) pins.pin(map, join(directory, pinName(name)));
}

/** A bpf file system takes no dots in names (bpf_lookup() of kernel/bpf/inode.c). */
function pinName(name: string): string {
  return name.replaceAll(/[./ ]/g, '_');
}

/** What was made in a bpf file system, to take it back. */
class Pins {
  readonly #files: string[] = [];
  readonly #directories: string[] = [];

  /** Makes the last directory of a path where it is missing. */
  directory(path: string): void {
    try {
      mkdirSync(path, { mode: 0o700 });
      this.#directories.push(path);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === 'EEXIST') return;
      throw new ArgumentError('path', `Cannot pin to ${path}: ${code ?? basename(path)}`, { cause });
    }
  }

  pin(what: { pin(path: string): void }, path: string): void {
    what.pin(path);
    this.#files.push(path);
  }

  remove(): void {
    for (const path of this.#files) unlinkSync(path);
    for (const path of this.#directories.reverse()) rmdirSync(path);
  }
}
