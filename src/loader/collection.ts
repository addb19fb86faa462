import { NotFoundError, ObjectError } from '../errors.ts';
import type { Btf, BtfValue } from '../btf/index.ts';
import {
  findNamed,
  KERNEL_CONFIG_SECTION,
  type MapSpec,
  type ObjectFile,
  type ProgramSpec,
} from '../elf/index.ts';
import type { BpfMap } from '../maps/index.ts';
import { MapType } from '../maps/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import { RingBuffer, type RingBufferOptions } from '../ringbuf/index.ts';
import { raiseMemlockLimit, systemKernel, type Fd, type Kernel } from '../sys/index.ts';
import { bindReadOnlyData } from './bind-read-only-data.ts';
import { findEventTypes } from './event-types.ts';
import { CoreRelocations, explainRefusal } from './core-relocations.ts';
import { checkCompatible, createMap } from './create-maps.ts';
import { kernelConfigContents } from './externs/kernel-config.ts';
import { KernelExterns } from './externs/kernel-externs.ts';
import { ModuleBtfs } from './externs/module-btf.ts';
import { KernelBtf } from './kernel-btf.ts';
import { loadProgram, type AcceptedLog } from './load-program.ts';
import { loadObjectBtf } from './object-btf.ts';
import { relocate } from './relocate.ts';
import { linkSubprograms } from './subprograms.ts';
import { DataSection, Variable } from './variable.ts';

export interface LoadOptions {
  /** Maps that stand in for those of the object, by name. They stay the caller's: close them yourself. */
  readonly maps?: ReadonlyMap<string, BpfMap>;
  /** @default the running kernel */
  readonly kernel?: Kernel;
  /**
   * The types that CO-RE relocations are resolved against, for a kernel that does not offer its own.
   *
   * @default those of the running kernel and its modules
   */
  readonly kernelBtf?: Btf;
  /**
   * Lines `CONFIG_NAME=value`, which come before those that the running kernel was built with, for externs declared
   * with `__kconfig`.
   */
  readonly kernelConfig?: string;
  /** Names of the programs to load. @default those with `autoload` */
  readonly programs?: readonly string[];
  /** What to ask the verifier about programs that it accepts, for {@link Collection.log}. @default 'none' */
  readonly acceptedLog?: AcceptedLog;
}

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
  readonly #owned: readonly { close(): void }[];
  readonly #logs: ReadonlyMap<string, string>;

  private constructor(object: ObjectFile, parts: LoadedParts) {
    this.object = object;
    this.maps = parts.maps;
    this.programs = parts.programs;
    this.variables = readVariables(object, parts.maps);
    this.#owned = parts.owned;
    this.#logs = parts.logs;
  }

  /**
   * Creates the maps, loads the programs and fills what the object says; all of it or nothing.
   *
   * @throws ObjectError for what cannot be loaded, MapIncompatibleError for a map given that does not fit,
   * BtfError, VerifierError, PermissionError, UnsupportedFeatureError, SyscallError from the kernel
   */
  static load(object: ObjectFile, options: LoadOptions = {}): Collection {
    refuseForeign(object);
    const kernel = options.kernel ?? systemKernel();
    if (!options.kernel) raiseMemlockLimit();
    const parts: LoadedParts = { maps: new Map(), programs: new Map(), logs: new Map(), owned: [] };
    try {
      loadInto(parts, { object, kernel, options });
      return new Collection(object, parts);
    } catch (error) {
      closeAll(parts.owned);
      throw error;
    }
  }

  /** @throws NotFoundError naming the programs that were loaded */
  program(name: string): BpfProgram {
    return findNamed({ kind: 'program', name, whole: 'the collection' }, this.programs);
  }

  /** What the verifier said of a program that it accepted; empty unless `acceptedLog` asked for it. */
  log(program: string): string {
    return this.#logs.get(this.program(program).name) ?? '';
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

interface LoadedParts {
  readonly maps: Map<string, BpfMap>;
  readonly programs: Map<string, BpfProgram>;
  readonly logs: Map<string, string>;
  readonly owned: { close(): void }[];
}

function loadInto(
  parts: LoadedParts,
  { object, kernel, options }: { object: ObjectFile; kernel: Kernel; options: LoadOptions },
): void {
  const given = options.maps ?? new Map<string, BpfMap>();
  const programs = chosenPrograms(object, options);
  const btf = loadObjectBtf(kernel, object);
  const moduleBtfs = new ModuleBtfs(kernel);
  try {
    for (const spec of object.maps.values()) {
      const map =
        given.get(spec.name) ??
        createMap(withSettings(spec, { object, kernel, options }), { object, btf, kernel });
      if (given.has(spec.name)) checkCompatible(spec, map);
      else parts.owned.push(map);
      parts.maps.set(spec.name, map);
    }
    const { kernelExterns, coreRelocations } = kernelReferences(object, options);
    for (const spec of programs) {
      const { program, log } = loadOne(spec, {
        object,
        btf,
        kernel,
        kernelExterns,
        moduleBtfs,
        coreRelocations,
        maps: parts.maps,
        acceptedLog: options.acceptedLog,
      });
      parts.owned.push(program);
      parts.programs.set(spec.name, program);
      parts.logs.set(spec.name, log);
      bindReadOnlyData(program, { specs: object.maps.values(), maps: parts.maps });
    }
    fillSlots(object, parts);
  } finally {
    // Maps and programs hold the BTF from now on.
    btf?.close();
    moduleBtfs.close();
  }
}

function chosenPrograms(object: ObjectFile, { programs }: LoadOptions): ProgramSpec[] {
  if (programs) return programs.map((name) => object.program(name));
  return [...object.programs.values()].filter((program) => program.autoload);
}

/** The map of kernel settings gets its contents only now, from the kernel that it is loaded into. */
function withSettings(
  spec: MapSpec,
  { object, kernel, options }: { object: ObjectFile; kernel: Kernel; options: LoadOptions },
): MapSpec {
  if (spec.name !== KERNEL_CONFIG_SECTION || spec.contents !== undefined) return spec;
  return { ...spec, contents: kernelConfigContents(object, { kernel, text: options.kernelConfig }) };
}

/** What resolves by the kernel's types, which are read at most once for all programs. */
function kernelReferences(
  object: ObjectFile,
  { kernelBtf: given }: LoadOptions,
): { kernelExterns: KernelExterns; coreRelocations: CoreRelocations } {
  const kernelBtf = new KernelBtf();
  const targets = given
    ? { main: () => given }
    : { main: () => kernelBtf.vmlinux, modules: () => [...kernelBtf.modules.values()] };
  return {
    kernelExterns: new KernelExterns(object, { kernelBtf }),
    coreRelocations: new CoreRelocations(object, targets),
  };
}

function loadOne(
  spec: ProgramSpec,
  context: {
    object: ObjectFile;
    btf: Fd | undefined;
    kernel: Kernel;
    kernelExterns: KernelExterns;
    moduleBtfs: ModuleBtfs;
    coreRelocations: CoreRelocations;
    maps: ReadonlyMap<string, BpfMap>;
    acceptedLog: AcceptedLog | undefined;
  },
): { program: BpfProgram; log: string } {
  const linked = linkSubprograms(context.object, spec);
  const poisoned = context.coreRelocations.apply(linked);
  const moduleDescriptors = relocate(linked, context);
  try {
    return loadProgram(linked, { ...context, moduleDescriptors });
  } catch (error) {
    throw explainRefusal(error, poisoned);
  }
}

/** Puts into program arrays and maps of maps what the object's `values` say, once both sides exist. */
function fillSlots(object: ObjectFile, parts: LoadedParts): void {
  for (const spec of object.maps.values()) {
    for (const { index, target } of spec.initialSlots) {
      const descriptor = slotTarget(spec, target, parts);
      if (descriptor === undefined) continue;
      const [key, value] = [new Uint32Array([index]), new Uint32Array([descriptor.value])];
      parts.maps.get(spec.name)?.setBytes(new Uint8Array(key.buffer), new Uint8Array(value.buffer));
    }
  }
}

function slotTarget(spec: MapSpec, target: string, parts: LoadedParts): Fd | undefined {
  if (spec.type !== MapType.ProgramArray)
    return findNamed({ kind: 'map', name: target, whole: 'the collection' }, parts.maps).fd;
  // A program that was left out leaves its slot empty, and a tail call into it falls through.
  return parts.programs.get(target)?.fd;
}

function readVariables(object: ObjectFile, maps: ReadonlyMap<string, BpfMap>): Map<string, Variable> {
  const { btf } = object;
  const variables = new Map<string, Variable>();
  if (!btf) return variables;
  const sections = new Map<string, DataSection>();
  for (const spec of object.variables.values()) {
    const map = maps.get(spec.section);
    if (!map) continue;
    const readOnly = object.map(spec.section).freeze;
    const data = sections.get(spec.section) ?? new DataSection(map, { readOnly });
    sections.set(spec.section, data);
    variables.set(spec.name, new Variable(spec, { data, btf }));
  }
  return variables;
}

function refuseForeign(object: ObjectFile): void {
  if (object.littleEndian) return;
  throw new ObjectError(
    'OBJECT_FOREIGN_ENDIAN',
    `Cannot load ${object.name}: it is big-endian, and this machine is little-endian`,
    { hint: 'compile it with --target=bpf, or bpfel' },
  );
}

/** Last made, first closed; every one is closed, and the first failure is what is thrown. */
function closeAll(owned: readonly { close(): void }[]): void {
  const failures: unknown[] = [];
  for (const resource of owned.toReversed()) {
    try {
      resource.close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
