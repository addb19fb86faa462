import { INSTRUCTION_SIZE } from '../../asm/index.ts';
import { coreKindNames, CoreResolver, formatType, toJson, type Btf, type Json } from '../../btf/index.ts';
import { ObjectReferences } from '../../elf/index.ts';
import type { ExternSpec, MapSpec, ObjectFile, ProgramSpec, References } from '../../elf/index.ts';
import { BtfError, ObjectError } from '../../errors.ts';
import { neededKernel } from '../../loader/index.ts';
import type { KernelNeed, NeededKernel } from '../../loader/index.ts';
import { mapTypeName } from '../../maps/index.ts';
import { programTypeName } from '../../programs/index.ts';
import { mapFlagNames } from './map-flags.ts';

/** What `inspect --json` prints; type aliases and not interfaces, so that they are JSON to the compiler. */
export type ProgramReport = {
  name: string;
  section: string;
  type: string | null;
  attach_type: number;
  attach_target: string | null;
  sleepable: boolean;
  frags: boolean;
  autoload: boolean;
  instructions: number;
  /** With the functions that it calls, as the loader links them. */
  linked_instructions: number;
  calls: string[];
  helpers: string[];
  kfuncs: string[];
  externs: string[];
  maps: string[];
};

export type MapReport = {
  name: string;
  section: string;
  type: string;
  key: string | null;
  key_size: number;
  value: string | null;
  value_size: number;
  max_entries: number;
  flags: string[];
  pin_by_name: boolean;
  inner: MapReport | null;
};

export type VariableReport = {
  name: string;
  section: string;
  type: string;
  size: number;
  /** Null for a variable of more than 64 KiB, and once there were 4 MiB of values. */
  value: Json;
};
export type ExternReport = { name: string; section: string | null; weak: boolean; type: string | null };
export type CoreReport = { section: string; instruction: number; spec: string };
export type EventReport = { map: string; type: string };

export type NeedReport = { since: string; reason: string };
export type KernelReport = {
  at_least: string | null;
  because: NeedReport[];
  /** Of code that a setting, or what the kernel has, lets run or rules out. */
  if_chosen: NeedReport[];
  /** What older kernels lack and ts-xdp replaces. */
  replaced: NeedReport[];
  /** Called, and nobody promises since when, or for how long, kernels have them. */
  without_promise: string[];
};

export type ObjectReport = {
  object: string;
  endianness: 'little' | 'big';
  license: string;
  kernel_version: number;
  kernel: KernelReport;
  programs: ProgramReport[];
  maps: MapReport[];
  variables: VariableReport[];
  externs: ExternReport[];
  events: EventReport[];
  counters: EventReport | null;
  core_relocations: CoreReport[];
  btf: { bytes: number; types: number; kinds: Record<string, number> } | null;
};

/** Of the names and types in a report. */
const MOST_NAMES = 1 << 24;

/** The types of ten thousand variables may each have names of megabytes. */
class NameRoom {
  #room = MOST_NAMES;

  /** @throws ObjectError */
  take<Text extends string | null>(text: Text): Text {
    this.#room -= text?.length ?? 0;
    if (this.#room >= 0) return text;
    throw new ObjectError(
      'OBJECT_INVALID',
      'Cannot report the object: the names of its types are too long altogether',
    );
  }
}

/** Everything that an object file says about itself. */
export function objectReport(object: ObjectFile): ObjectReport {
  const { btf, anchors } = object;
  const names = new NameRoom();
  const spelled: Spell = (typeId) => names.take(spell(btf, typeId));
  const event = ([map, typeId]: [string, number]): EventReport => ({ map, type: spelled(typeId) ?? '' });
  const { counters } = anchors;
  return {
    object: object.name,
    endianness: object.littleEndian ? 'little' : 'big',
    license: object.license,
    kernel_version: object.kernelVersion,
    kernel: kernelReport(neededKernel(object)),
    programs: programReports(object),
    maps: [...object.maps.values()].map((map) => mapReport(map, spelled)),
    variables: variableReports(object, names),
    externs: [...object.externs.values()].map((extern) => externReport(extern, spelled)),
    events: [...anchors.events].map(event),
    counters: counters ? event([counters.map, counters.typeId]) : null,
    core_relocations: coreReports(object, names),
    btf: btf ? { bytes: btf.bytes.length, types: btf.typeCount - 1, kinds: kindCounts(btf) } : null,
  };
}

function kernelReport({ atLeast, because, ifChosen, replaced, kernelFunctions }: NeededKernel): KernelReport {
  const needReport = ({ since, reason }: KernelNeed): NeedReport => ({ since, reason });
  return {
    at_least: atLeast ?? null,
    because: because.map(needReport),
    if_chosen: ifChosen.map(needReport),
    replaced: replaced.map(needReport),
    without_promise: [...kernelFunctions],
  };
}

function programReports(object: ObjectFile): ProgramReport[] {
  const references = new ObjectReferences(object);
  return [...object.programs.values()].map((program) => programReport(program, references.of(program)));
}

function programReport(
  program: ProgramSpec,
  { functions, helpers, kernelFunctions, maps, externs }: References,
): ProgramReport {
  const count = (bytes: Uint8Array): number => bytes.length / INSTRUCTION_SIZE;
  return {
    name: program.name,
    section: program.section,
    type: program.type === 0 ? null : programTypeName(program.type),
    attach_type: program.attachType,
    attach_target: program.attachTarget ?? null,
    sleepable: program.sleepable,
    frags: program.frags,
    autoload: program.autoload,
    instructions: count(program.instructions),
    linked_instructions: functions.reduce((sum, fn) => sum + count(fn.instructions), 0),
    calls: functions.slice(1).map(({ name }) => name),
    helpers: [...helpers],
    kfuncs: [...kernelFunctions],
    externs: [...externs],
    maps: [...maps],
  };
}

type Spell = (typeId: number | undefined) => string | null;

function mapReport(map: MapSpec, spelled: Spell): MapReport {
  return {
    name: map.name,
    section: map.definition.section,
    type: mapTypeName(map.type),
    key: map.keyTypeId === 0 ? null : spelled(map.keyTypeId),
    key_size: map.keySize,
    value: map.valueTypeId === 0 ? null : spelled(map.valueTypeId),
    value_size: map.valueSize,
    max_entries: map.maxEntries,
    flags: mapFlagNames(map.flags),
    pin_by_name: map.pinByName,
    inner: map.inner ? mapReport(map.inner, spelled) : null,
  };
}

/** Bytes of a variable whose value is shown: decoded, one of many megabytes would take twenty times as much memory. */
const LARGEST_VALUE = 64 * 1024;

/** Of all values together, about as many characters: variables may lie on top of each other, and union members do. */
const MOST_TEXT = 1 << 22;

function variableReports(object: ObjectFile, names: NameRoom): VariableReport[] {
  let room = MOST_TEXT;
  return [...object.variables.values()].map((variable) => {
    const { name, section, size } = variable;
    const typeName = names.take(variable.typeName);
    const value = size > LARGEST_VALUE || room < 0 ? null : toJson(variable.get());
    room -= textLength(value);
    return { name, section, type: typeName, size, value };
  });
}

function textLength(value: Json): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 4;
  let length = 4;
  for (const part of Array.isArray(value) ? value : Object.values(value)) length += 4 + textLength(part);
  return length;
}

function externReport({ name, section, weak, typeId }: ExternSpec, spelled: Spell): ExternReport {
  return { name, section: section ?? null, weak, type: spelled(typeId) };
}

function coreReports({ btf, btfExt }: ObjectFile, names: NameRoom): CoreReport[] {
  if (!btf || !btfExt) return [];
  const resolver = new CoreResolver(btf, { main: () => btf });
  return [...btfExt.coreRelocations].flatMap(([section, { records }]) =>
    records.map((relocation) => {
      const instruction = Math.floor(relocation.instructionOffset / INSTRUCTION_SIZE);
      try {
        return { section, instruction, spec: names.take(resolver.describe(relocation)) };
      } catch (error) {
        if (!(error instanceof BtfError)) throw error;
        const kind = coreKindNames[relocation.kind] ?? `kind ${relocation.kind}`;
        return { section, instruction, spec: names.take(`<${kind}> invalid: ${error.message}`) };
      }
    }),
  );
}

function spell(btf: Btf | undefined, typeId: number | undefined): string | null {
  return btf === undefined || typeId === undefined ? null : formatType(btf, typeId);
}

function kindCounts(btf: Btf): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const id of btf.ids()) {
    const kind = btf.kindOf(id);
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}
