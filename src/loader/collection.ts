import { NotFoundError, ObjectError } from '../errors.ts';
import type { BtfValue } from '../btf/index.ts';
import { findNamed, type MapSpec, type ObjectFile } from '../elf/index.ts';
import type { Link } from '../link/index.ts';
import { MapType, type BpfMap } from '../maps/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import { RingBuffer, type RingBufferOptions } from '../ringbuf/index.ts';
import { raiseMemlockLimit } from '../sys/index.ts';
import { attachBySection, attachStructOpsMaps, isLeftOpen } from './attach/attach-by-section.ts';
import type { AttachOptions } from './attach/request.ts';
import { cloneProgram, type CloneOptions } from './clone-program.ts';
import { closeAll } from './close-all.ts';
import { findEventTypes } from './event-types.ts';
import { loadObject, undoLoad, type LoadedParts } from './load-object.ts';
import type { LoadOptions } from './load-options.ts';
import { ArenaSection, DataSection, Variable, type VariableMemory } from './variable.ts';
import type { SharedMap } from './shared-maps.ts';

/**
 * An object in the kernel: its maps, the programs with `autoload`, its global variables.
 *
 * It owns what it created. Closing it gives the descriptors back; what is pinned or linked lives on.
 *
 * @example
 * using collection = Collection.load(ObjectFile.open('sniffer.bpf.o'));
 * collection.map('excluded_ports').set(22, 1);
 */
export class Collection {
  readonly object: ObjectFile;
  readonly maps: ReadonlyMap<string, BpfMap>;
  readonly programs: ReadonlyMap<string, BpfProgram>;
  readonly variables: ReadonlyMap<string, Variable>;
  /** What was left out because the kernel would not have it, in sentences: nothing is lost silently. */
  readonly warnings: readonly string[];
  /** The maps that are shared by a pin (LIBBPF_PIN_BY_NAME, or `pinPath`). Closing the collection leaves the pins. */
  readonly sharedMaps: ReadonlyMap<string, SharedMap>;
  readonly #options: LoadOptions;
  readonly #owned: readonly { close(): void }[];
  readonly #logs: ReadonlyMap<string, string>;
  readonly #structOps: ReadonlyMap<string, Uint8Array>;

  private constructor(object: ObjectFile, { parts, options }: { parts: LoadedParts; options: LoadOptions }) {
    this.object = object;
    this.#options = options;
    this.maps = parts.maps;
    this.programs = parts.programs;
    this.variables = readVariables(object, parts.maps);
    this.warnings = parts.warnings;
    this.sharedMaps = parts.sharedMaps;
    this.#owned = parts.owned;
    this.#logs = parts.logs;
    this.#structOps = parts.structOps;
  }

  /**
   * Creates the maps, loads the programs and fills what the object says; all of it or nothing: pins that a load made
   * go again when it fails.
   *
   * @throws ObjectError for what cannot be loaded, MapIncompatibleError for a map given or pinned that does not fit,
   * NotFoundError for one that is not there, FileError for pins outside a bpf file system, BtfError, VerifierError,
   PermissionError, UnsupportedFeatureError, SyscallError from the kernel
   */
  static load(object: ObjectFile, options: LoadOptions = {}): Collection {
    refuseForeign(object);
    if (!options.kernel) raiseMemlockLimit();
    const parts = loadObject(object, options);
    try {
      return new Collection(object, { parts, options });
    } catch (error) {
      undoLoad(parts);
      throw error;
    }
  }

  /** @throws NotFoundError naming the programs that were loaded */
  program(name: string): BpfProgram {
    return findNamed({ kind: 'program', name, whole: 'the collection' }, this.programs);
  }

  /**
   * Loads a program of the object once more, with the maps of this collection: against another function, for one network
   * device. It need not have been loaded before. The program is the caller's to close.
   *
   * @throws NotFoundError naming the programs that there are; what {@link Collection.load} throws
   *
   * @example
   * const targets = ['vfs_read', 'vfs_write'];
   * const programs = targets.map((attachTarget) => collection.cloneProgram('on_access', { attachTarget }));
   */
  cloneProgram(name: string, options: CloneOptions = {}): BpfProgram {
    const { object, maps } = this;
    return cloneProgram(object, { name, maps, load: this.#options, options });
  }

  /** What the verifier said of a program that it accepted; empty unless `acceptedLog` asked for it. */
  log(program: string): string {
    return this.#logs.get(this.program(program).name) ?? '';
  }

  /**
   * What registers a struct_ops map when it is written to its only entry: the kernel's struct with the descriptors of
   * the loaded programs. A copy.
   *
   * @throws NotFoundError for a map that is none
   */
  structOpsValue(map: string): Uint8Array {
    return findNamed({ kind: 'map', name: map, whole: 'struct_ops' }, this.#structOps).slice();
  }

  /** @throws NotFoundError naming the maps that there are */
  map(name: string): BpfMap {
    return findNamed({ kind: 'map', name, whole: 'the collection' }, this.maps);
  }

  /** @throws NotFoundError naming the variables that there are */
  variable(name: string): Variable {
    return findNamed({ kind: 'variable', name, whole: 'the collection' }, this.variables);
  }

  /**
   * Reads the events of a ring buffer as objects, by the struct that the object names with TS_XDP_EVENT, or the
   * given one. The reader closes with the collection, or before.
   *
   * @throws NotFoundError: MAP_NOT_FOUND for a map that is no ring buffer of the object, TYPE_NOT_FOUND where nothing
   * says the struct, or BTF lacks it
   */
  events(map: string, options: RingBufferOptions & { readonly struct?: string } = {}): RingBuffer<BtfValue> {
    const { struct, ...rest } = options;
    const { object } = this;
    const rings = [...object.maps.values()]
      .filter(({ type }) => type === MapType.RingBuffer)
      .map(({ name }) => name);
    const given = struct === undefined ? [] : [{ name: map, value: struct }];
    const type = findEventTypes(object, { rings, given }).get(map);
    if (!type || !object.btf) throw untypedEvents(map);
    return RingBuffer.typed(this.map(map), { ...rest, btf: object.btf, typeId: type.typeId });
  }

  /**
   * Attaches one program as its section says: to every interface given, or to the one place that it names. None where
   * no options attach it: struct_ops, sockets, tail calls, test runs, XDP in maps.
   *
   * The links are the caller's, and hold until they are closed.
   *
   * @throws ArgumentError where the section leaves open what the options do not say; what the attach function of its
   * kind throws
   */
  attach(program: string, options: AttachOptions = {}): Link[] {
    const spec = this.object.program(program);
    return attachBySection({ program: this.program(program), spec, maps: this.maps }, options) ?? [];
  }

  /**
   * Attaches every loaded program as its section says, and every struct_ops map; all of it or nothing. Programs whose
   * section leaves a target open are left out, unless the options name one. The links are the caller's, and hold until
   * they are closed.
   *
   * @throws as {@link attach}
   *
   * @example
   * const links = collection.attachAll({ cgroup: '/system.slice/web.service' });
   */
  attachAll(options: AttachOptions = {}): Link[] {
    const links: Link[] = [];
    try {
      for (const name of this.programs.keys()) {
        if (!isLeftOpen(this.object.program(name), options)) links.push(...this.attach(name, options));
      }
      links.push(...this.attachStructOps());
      return links;
    } catch (error) {
      closeAll(links);
      throw error;
    }
  }

  /** Puts every struct_ops map to work; all of them or none. The links are the caller's. */
  attachStructOps(): Link[] {
    return attachStructOpsMaps(this.maps, (map) => this.structOpsValue(map));
  }

  /** Idempotent. */
  close(): void {
    closeAll(this.#owned);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function untypedEvents(map: string): NotFoundError {
  return new NotFoundError(
    'TYPE_NOT_FOUND',
    map,
    `Cannot read the events of ${map}: nothing says which struct they are`,
    {
      hint: 'name it with the option "struct", or in the object with TS_XDP_EVENT (docs/events.md)',
    },
  );
}

function readVariables(object: ObjectFile, maps: ReadonlyMap<string, BpfMap>): Map<string, Variable> {
  const { btf } = object;
  const variables = new Map<string, Variable>();
  if (!btf) return variables;
  const memories = new Map<string, VariableMemory>();
  for (const spec of object.variables.values()) {
    const map = maps.get(spec.map);
    if (!map) continue;
    const data = memories.get(spec.map) ?? memoryOf(map, object.map(spec.map));
    memories.set(spec.map, data);
    variables.set(spec.name, new Variable(spec, { data, btf }));
  }
  return variables;
}

function memoryOf(map: BpfMap, spec: MapSpec): VariableMemory {
  return map.type === MapType.Arena ? new ArenaSection(map) : new DataSection(map, { readOnly: spec.freeze });
}

function refuseForeign(object: ObjectFile): void {
  if (object.littleEndian) return;
  throw new ObjectError(
    'OBJECT_FOREIGN_ENDIAN',
    `Cannot load ${object.name}: it is big-endian, and this machine is little-endian`,
    { hint: 'compile it with --target=bpf, or bpfel' },
  );
}
