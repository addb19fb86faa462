/** Programs that bpftool loads and pins, for other tools to hold. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { BpfFileSystem } from './kernel-objects.ts';
import { ObjectFolder, uniqueTag } from './object-source.ts';

export class HolderWorld {
  readonly bpffs = new BpfFileSystem();
  readonly tag = uniqueTag();
  readonly #folder = new ObjectFolder();
  readonly #object = this.#folder.compile('holders', {
    name: `${this.tag}_h`,
    defines: { TAG: this.tag },
  });
  #directories = 0;

  /** Loads the whole object by bpftool; nothing but pins holds it then. Names are those of the source without the tag. */
  load(): LoadedByBpftool {
    const directory = join(this.bpffs.path, String(this.#directories++));
    mkdirSync(directory);
    mkdirSync(join(directory, 'maps'));
    const programs = join(directory, 'programs');
    bpftool('prog', 'loadall', this.#object, programs, 'pinmaps', join(directory, 'maps'));
    return { directory, programs, maps: join(directory, 'maps'), tag: this.tag };
  }

  close(): void {
    this.bpffs.close();
    this.#folder.close();
  }
}

export interface LoadedByBpftool {
  readonly directory: string;
  readonly programs: string;
  readonly maps: string;
  readonly tag: string;
}

export function pinOf({ programs, tag }: LoadedByBpftool, name: string): string {
  return join(programs, `${tag}_${name}`);
}

export function mapPinOf({ maps, tag }: LoadedByBpftool, name: string): string {
  return join(maps, `${tag}_${name}`);
}

export function idOfPin(kind: 'prog' | 'map' | 'link', path: string): number {
  const shown = JSON.parse(bpftool('-j', kind, 'show', 'pinned', path)) as { id: number };
  return shown.id;
}

export function bpftool(...args: readonly string[]): string {
  return execFileSync('bpftool', [...args], { encoding: 'utf8' });
}
