import type { ObjectFile, ProgramSpec } from '../elf/index.ts';
import type { BpfMap } from '../maps/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import { closeAll } from './close-all.ts';
import { loadObject, undoLoad } from './load-object.ts';
import type { LoadOptions } from './load-options.ts';

/** What a clone is to have different from the program of the object. */
export interface CloneOptions {
  /** The function or type that it is verified against. @default that of the object's program */
  readonly attachTarget?: string;
  /** The loaded program whose function `attachTarget` is. It stays the caller's. @default what the collection was loaded with */
  readonly attachTo?: BpfProgram;
  /** The index of the one network device that it may be attached to. Linux 6.3. @default that of the object's program */
  readonly deviceBound?: number;
}

/** Loads one program of an object with maps that are there already; see {@link Collection.cloneProgram}. */
export function cloneProgram(
  object: ObjectFile,
  {
    name,
    maps,
    load,
    options,
  }: {
    name: string;
    maps: ReadonlyMap<string, BpfMap>;
    /** What the collection was loaded with. */
    load: LoadOptions;
    options: CloneOptions;
  },
): BpfProgram {
  const spec = object.program(name);
  const before: Pick<ProgramSpec, 'attachTarget' | 'deviceBound'> = { ...spec };
  const attachTo = new Map(load.attachTo);
  if (options.attachTo) attachTo.set(name, options.attachTo);
  Object.assign(spec, pickGiven(options));
  try {
    const parts = loadObject(object, { ...load, attachTo, maps, programs: [name], slots: 'left' });
    const program = parts.programs.get(name);
    if (program === undefined) {
      undoLoad(parts);
      throw new TypeError(`Cannot clone ${name}: it was not loaded`);
    }
    keepOnly(program, parts.owned);
    return program;
  } finally {
    spec.attachTarget = before.attachTarget;
    spec.deviceBound = before.deviceBound;
  }
}

/** Where the rest of what was made cannot be closed in order, nobody gets the program. */
function keepOnly(program: BpfProgram, owned: readonly { close(): void }[]): void {
  try {
    closeAll(owned.filter((part) => part !== program));
  } catch (error) {
    program.close();
    throw error;
  }
}

function pickGiven({ attachTarget, deviceBound }: CloneOptions): Partial<ProgramSpec> {
  return {
    ...(attachTarget !== undefined && { attachTarget }),
    ...(deviceBound !== undefined && { deviceBound }),
  };
}
