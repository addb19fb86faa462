import { BtfError, ObjectError, TsXdpError } from '../errors.ts';
import {
  findNamed,
  programsOfStructOps,
  KERNEL_CONFIG_SECTION,
  type MapSpec,
  type ObjectFile,
  type ProgramSpec,
} from '../elf/index.ts';
import { Feature, isSupported } from '../features/index.ts';
import { arenaMemory, MapType, type BpfMap } from '../maps/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import { systemKernel, type BpfToken, type Fd, type Kernel } from '../sys/index.ts';
import { BPF_PROG_TYPE_STRUCT_OPS } from '../uapi/index.ts';
import { findAttachTarget } from './attach-target.ts';
import { bindReadOnlyData } from './bind-read-only-data.ts';
import { CoreRelocations, explainRefusal } from './core-relocations.ts';
import { chooseToken } from './choose-token.ts';
import { closeAll } from './close-all.ts';
import { replaceContextArguments, type ContextArguments } from './context-arguments.ts';
import { createMap } from './create-maps.ts';
import { kernelConfigContents } from './externs/kernel-config.ts';
import { KernelExterns } from './externs/kernel-externs.ts';
import { ModuleBtfs } from './externs/module-btf.ts';
import { JumpTables } from './jump-tables.ts';
import { KernelBtf } from './kernel-btf.ts';
import type { LoadOptions } from './load-options.ts';
import { loadProgram, type AttachFields } from './load-program.ts';
import { loadObjectBtf } from './object-btf.ts';
import { provideMap } from './provide-map.ts';
import { explainPoison } from './poisoned-references.ts';
import { programHash } from './program-hash.ts';
import { relocate } from './relocate.ts';
import { SharedMaps, type SharedMap } from './shared-maps.ts';
import { translateStructOps, type KernelStructOps } from './struct-ops.ts';
import { linkSubprograms } from './subprograms.ts';

/** What a load has made. */
export interface LoadedParts {
  readonly maps: ReadonlyMap<string, BpfMap>;
  readonly programs: ReadonlyMap<string, BpfProgram>;
  /** What the verifier said of each program. */
  readonly logs: ReadonlyMap<string, string>;
  /** What registers each struct_ops map when it is written to it: the programs' descriptors are in it. */
  readonly structOps: ReadonlyMap<string, Uint8Array>;
  /** What was left out because the kernel would not have it, in sentences. */
  readonly warnings: readonly string[];
  /** The maps that are shared by a pin. */
  readonly sharedMaps: ReadonlyMap<string, SharedMap>;
  /** Takes back the pins that the load made. */
  undoPins(): void;
  /** Everything to be closed with the collection, in the order it was made. */
  readonly owned: readonly { close(): void }[];
}

interface ObjectLoadOptions extends LoadOptions {
  /** Whether programs are put where maps of the object want them. @default 'filled' */
  readonly slots?: 'filled' | 'left';
}

/** Creates the maps, loads the programs and fills what the object says; all of it or nothing. */
export function loadObject(object: ObjectFile, options: ObjectLoadOptions): LoadedParts {
  const load = new ObjectLoad(object, options);
  try {
    load.run();
    return load;
  } catch (error) {
    undoLoad(load);
    throw error;
  }
}

/** Leaves nothing of a load, not even what is pinned. */
export function undoLoad(load: LoadedParts): void {
  try {
    load.undoPins();
  } finally {
    closeAll(load.owned);
  }
}

class ObjectLoad implements LoadedParts {
  readonly maps = new Map<string, BpfMap>();
  readonly programs = new Map<string, BpfProgram>();
  readonly logs = new Map<string, string>();
  readonly structOps = new Map<string, Uint8Array>();
  readonly warnings: string[] = [];
  readonly owned: { close(): void }[] = [];
  readonly #object: ObjectFile;
  readonly #options: ObjectLoadOptions;
  readonly #kernel: Kernel;
  readonly #kernelBtf = new KernelBtf();
  readonly #moduleBtfs: ModuleBtfs;
  readonly #kernelExterns: KernelExterns;
  readonly #coreRelocations: CoreRelocations;
  readonly #structOps = new Map<string, KernelStructOps>();
  readonly #shared: SharedMaps;
  /** Names of maps that were in the kernel before. */
  readonly #reused = new Set<string>();
  #btf: Fd | undefined;
  #contextArguments: ContextArguments | undefined;
  #token: BpfToken | undefined;

  constructor(object: ObjectFile, options: ObjectLoadOptions) {
    this.#object = object;
    this.#options = options;
    this.#kernel = options.kernel ?? systemKernel();
    this.#moduleBtfs = new ModuleBtfs(this.#kernel);
    this.#shared = new SharedMaps(object, this.#kernel);
    this.#kernelExterns = new KernelExterns(object, { kernelBtf: this.#kernelBtf });
    const { kernelBtf: given } = options;
    this.#coreRelocations = new CoreRelocations(
      object,
      given
        ? { main: () => given }
        : { main: () => this.#kernelBtf.vmlinux, modules: () => [...this.#kernelBtf.modules.values()] },
    );
  }

  get sharedMaps(): ReadonlyMap<string, SharedMap> {
    return this.#shared.pins;
  }

  undoPins(): void {
    this.#shared.undo();
  }

  run(): void {
    const programs = this.#chosenPrograms();
    // A misspelt name would otherwise get a new map without a word.
    for (const name of this.#options.maps?.keys() ?? []) this.#object.map(name);
    this.#chooseToken();
    if (this.#options.externs === 'of-object') this.#kernelExterns.check();
    try {
      this.#contextArguments = this.#replaceContextArguments(programs);
      this.#btf = this.#loadBtf();
      const maps = [...this.#object.maps.values()].filter((map) => map.autocreate);
      for (const spec of maps) this.#translateStructOps(spec);
      for (const spec of maps) this.#makeMap(spec);
      for (const spec of programs) this.#loadProgram(spec);
      if (this.#options.slots !== 'left') this.#fillSlots();
      this.#fillStructOps();
    } catch (error) {
      if (error instanceof TsXdpError && this.warnings.length > 0) error.warnings = [...this.warnings];
      throw error;
    } finally {
      // Maps and programs hold the BTF from now on.
      closeAll([this.#moduleBtfs, ...(this.#btf ? [this.#btf] : [])]);
    }
  }

  #chosenPrograms(): ProgramSpec[] {
    const { programs } = this.#options;
    if (programs) return programs.map((name) => this.#object.program(name));
    const { programs: all, maps } = this.#object;
    // Asked again, as maps may have been added or left out since the object was read.
    const wanted = programsOfStructOps(maps.values());
    return [...all.values()].filter((program) => wanted.get(program.name) ?? program.autoload);
  }

  #chooseToken(): void {
    const implicit = !this.#options.kernel;
    const { token, owned } = chooseToken(this.#options.token, { kernel: this.#kernel, implicit });
    if (token && owned) this.owned.push(token);
    this.#token = token;
  }

  /** A kernel that has tokens (6.9) knows the tags of arguments (6.8). */
  #replaceContextArguments(programs: readonly ProgramSpec[]): ContextArguments | undefined {
    if (this.#token) return undefined;
    const replaced = replaceContextArguments(this.#object, programs);
    if (!replaced || isSupported(Feature.ContextArguments, { kernel: this.#kernel })) return undefined;
    this.warnings.push(...replaced.warnings);
    return replaced;
  }

  /** An object can do without its BTF in the kernel, at the price of untyped maps and no line information. */
  #loadBtf(): Fd | undefined {
    try {
      return loadObjectBtf(this.#kernel, {
        object: this.#object,
        token: this.#token,
        added: this.#contextArguments?.types,
      });
    } catch (error) {
      if (!(error instanceof BtfError) || this.#needsBtf()) throw error;
      this.warnings.push(`${error.message}; loaded without it`);
      return undefined;
    }
  }

  /** A struct_ops map is defined by its type (kernel_needs_btf() of libbpf). */
  #needsBtf(): boolean {
    return [...this.#object.maps.values()].some(({ type }) => type === MapType.StructOps);
  }

  #translateStructOps(spec: MapSpec): void {
    const { structOps } = spec;
    if (!structOps) return;
    const source = { object: this.#object, kernelBtf: this.#kernelBtf };
    this.#structOps.set(spec.name, translateStructOps({ ...spec, structOps }, source));
  }

  #makeMap(spec: MapSpec): void {
    const types = this.#structOps.get(spec.name);
    const context = {
      object: this.#object,
      btf: this.#btf,
      kernel: this.#kernel,
      token: this.#token,
      warn: (text: string) => this.warnings.push(text),
      structOps: types && { types, module: this.#moduleDescriptor(types.module, `create map ${spec.name}`) },
    };
    const { map, owned, reused } = provideMap(spec, {
      object: this.#object,
      kernel: this.#kernel,
      options: this.#options,
      shared: this.#shared,
      create: () => {
        const exclusiveProgramHash = this.#exclusiveProgramHash(spec);
        return createMap(this.#withSettings(spec), { ...context, exclusiveProgramHash });
      },
    });
    if (owned) this.owned.push(map);
    if (reused) this.#reused.add(spec.name);
    this.maps.set(spec.name, map);
    // The verifier wants to know where user space sees an arena before it sees a program that uses it.
    if (map.type === MapType.Arena) arenaMemory(map);
  }

  /** The map of kernel settings gets its contents only now, from the kernel that it is loaded into. */
  #withSettings(spec: MapSpec): MapSpec {
    if (spec.name !== KERNEL_CONFIG_SECTION || spec.contents !== undefined) return spec;
    const text = this.#options.kernelConfig;
    return { ...spec, contents: kernelConfigContents(this.#object, { kernel: this.#kernel, text }) };
  }

  /** Descriptors do not count, so what the program will be is known before there are any. */
  #exclusiveProgramHash({ exclusiveProgram }: MapSpec): Uint8Array | undefined {
    if (exclusiveProgram === undefined) return undefined;
    const linked = linkSubprograms(this.#object, this.#object.program(exclusiveProgram));
    this.#coreRelocations.apply(linked);
    const any = { fd: { value: 0 } };
    const created = [...this.#object.maps.values()].filter(({ autocreate }) => autocreate);
    relocate(linked, {
      object: this.#object,
      maps: new Map(created.map(({ name }) => [name, any])),
      kernelExterns: this.#kernelExterns,
      moduleBtfs: this.#moduleBtfs,
      jumpTables: { map: () => any },
    });
    return programHash(linked.instructions);
  }

  #loadProgram(spec: ProgramSpec): void {
    const { program, log } = this.#verify(spec);
    this.programs.set(spec.name, program);
    this.logs.set(spec.name, log);
    bindReadOnlyData(program, { specs: this.#object.maps.values(), maps: this.maps });
  }

  #verify(spec: ProgramSpec): { program: BpfProgram; log: string } {
    const linked = linkSubprograms(this.#object, spec);
    const attach = this.#attachFields(spec);
    const poisoned = this.#coreRelocations.apply(linked);
    const jumpTables = new JumpTables(this.#kernel, { token: this.#token });
    try {
      const moduleDescriptors = relocate(linked, {
        object: this.#object,
        maps: this.maps,
        kernelExterns: this.#kernelExterns,
        moduleBtfs: this.#moduleBtfs,
        jumpTables,
      });
      const loaded = loadProgram(linked, {
        object: this.#object,
        btf: this.#btf,
        kernel: this.#kernel,
        moduleDescriptors,
        functionTypes: this.#contextArguments?.functions.get(spec.name),
        attach,
        acceptedLog: this.#options.acceptedLog,
        token: this.#token,
      });
      // Now, as closing the tables may fail.
      this.owned.push(loaded.program);
      return loaded;
    } catch (error) {
      throw explainPoison(explainRefusal(error, poisoned), this.#object);
    } finally {
      // The program holds them from now on.
      jumpTables.close();
    }
  }

  #attachFields(spec: ProgramSpec): AttachFields | undefined {
    if (spec.type === BPF_PROG_TYPE_STRUCT_OPS) return this.#implementedMember(spec);
    const target = findAttachTarget(spec, {
      kernelBtf: this.#kernelBtf,
      program: this.#options.attachTo?.get(spec.name),
    });
    if (!target) return undefined;
    const { btfId } = target;
    if (target.kind === 'program') return { btfId, descriptor: target.program.fd.value };
    return { btfId, descriptor: this.#moduleDescriptor(target.module, `load program ${spec.name}`) ?? 0 };
  }

  /** A program may stand in several maps, as the same member of the same struct. */
  #implementedMember(spec: ProgramSpec): AttachFields {
    let fields: AttachFields | undefined;
    for (const { typeId, module, programs } of this.#structOps.values()) {
      for (const { program, memberIndex } of programs) {
        if (program !== spec.name) continue;
        if (fields && (fields.btfId !== typeId || fields.type !== memberIndex)) throw severalMembers(spec);
        const descriptor = this.#moduleDescriptor(module, `load program ${spec.name}`) ?? 0;
        fields = { btfId: typeId, descriptor, type: memberIndex };
      }
    }
    if (!fields) throw inNoMap(spec);
    return fields;
  }

  /** Undefined for the kernel itself. */
  #moduleDescriptor(module: string | undefined, doing: string): number | undefined {
    if (module === undefined) return undefined;
    const descriptor = this.#moduleBtfs.descriptor(module);
    if (descriptor !== undefined) return descriptor;
    throw new ObjectError('RELOCATION_FAILED', `Cannot ${doing}: module ${module} is gone`);
  }

  /**
   * Puts into program arrays and maps of maps what the object's `values` say, once both sides exist. Maps of maps that
   * were there keep what they have; program arrays get the programs of this load (bpf_object_init_prog_arrays()).
   */
  #fillSlots(): void {
    for (const spec of this.#object.maps.values()) {
      if (this.#reused.has(spec.name) && spec.type !== MapType.ProgramArray) continue;
      for (const { index, target } of spec.initialSlots) {
        const descriptor = this.#slotTarget(spec, target);
        if (descriptor === undefined) continue;
        const [key, value] = [new Uint32Array([index]), new Uint32Array([descriptor.value])];
        this.maps.get(spec.name)?.setBytes(new Uint8Array(key.buffer), new Uint8Array(value.buffer));
      }
    }
  }

  #fillStructOps(): void {
    for (const [name, { value, programs }] of this.#structOps) {
      const view = new DataView(value.buffer);
      for (const { program, valueOffset } of programs) {
        const loaded = this.programs.get(program);
        if (loaded) view.setBigUint64(valueOffset, BigInt(loaded.fd.value), true);
      }
      this.structOps.set(name, value);
    }
  }

  #slotTarget(spec: MapSpec, target: string): Fd | undefined {
    if (spec.type !== MapType.ProgramArray)
      return findNamed({ kind: 'map', name: target, whole: 'the collection' }, this.maps).fd;
    // A program that was left out leaves its slot empty, and a tail call into it falls through.
    return this.programs.get(target)?.fd;
  }
}

function inNoMap(spec: ProgramSpec): ObjectError {
  return new ObjectError(
    'OBJECT_INVALID',
    `Cannot load program ${spec.name}: its section is ${spec.section}, and no struct_ops map that is created refers to it`,
    { section: spec.section, program: spec.name },
  );
}

function severalMembers(spec: ProgramSpec): ObjectError {
  return new ObjectError(
    'OBJECT_INVALID',
    `Cannot load program ${spec.name}: it implements different members of struct_ops maps`,
    { section: spec.section, program: spec.name },
  );
}
