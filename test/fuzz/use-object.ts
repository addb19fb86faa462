import { assemble, encodeInstructions, InstructionView } from '../../src/asm/index.ts';
import { CoreResolver, patchInstruction, toJson, type Btf } from '../../src/btf/index.ts';
import { listFunction } from '../../src/cli/disasm/listing.ts';
import { listingText } from '../../src/cli/disasm/text.ts';
import { objectReport } from '../../src/cli/inspect/report.ts';
import { reportText } from '../../src/cli/inspect/text.ts';
import { readRunConfig } from '../../src/dispatcher/run-config.ts';
import type { ObjectFile } from '../../src/elf/index.ts';
import { BtfError, ObjectError, TsXdpError, ValueError } from '../../src/errors.ts';
import { generateModule } from '../../src/gen/index.ts';
import { Collection } from '../../src/loader/index.ts';
import { loadingKernel } from '../helpers/loading-kernel.ts';
import { attempt, checkError, demand } from './expected-errors.ts';

/** Variables larger than this are not taken through JSON. */
const MOST_BYTES = 4096;
/** Larger than this they are not read: an array of millions becomes as many values, which whoever asks for it wants. */
const MOST_READ = 1 << 20;

/** Reads every global variable and writes it back; what was read of a sound type must fit again. */
export function useVariables(object: ObjectFile): void {
  for (const variable of object.variables.values()) {
    if (variable.size > MOST_READ) continue;
    attempt([BtfError], () => {
      demand(variable.typeName !== '', 'a type without a name');
    });
    attempt([BtfError, ValueError], () => {
      const value = variable.get();
      variable.set(value);
      if (variable.size <= MOST_BYTES) variable.set(toJson(value));
    });
  }
}

/** Resolves the relocations of an object as the loader does, and patches the instructions they are on. */
export function relocateAgainst(object: ObjectFile, target: Btf): void {
  const { btf, btfExt } = object;
  if (!btf || !btfExt) return;
  const resolver = new CoreResolver(btf, { main: () => target });
  const functions = [...object.programs.values(), ...object.subprograms];
  for (const fn of functions) {
    const view = new InstructionView(fn.instructions.slice(), object.littleEndian);
    const records = attempt([BtfError], () => btfExt.coreRelocations.get(fn.section)?.records) ?? [];
    for (const relocation of records) {
      const index = (relocation.instructionOffset - fn.offset) / 8;
      attempt([BtfError], () => resolver.describe(relocation));
      attempt([BtfError], () => {
        const resolution = resolver.resolve(relocation);
        if (Number.isInteger(index) && index >= 0 && index < view.count)
          patchInstruction(view, index, resolution);
      });
    }
  }
}

/** Prints every function; what is printed assembles to the same bytes. */
export function disassembleAll(object: ObjectFile): void {
  for (const fn of [...object.programs.values(), ...object.subprograms]) {
    const listing = attempt([BtfError], () => listFunction(object, fn));
    if (!listing) continue;
    const bytes = encodeInstructions(assemble(listingText(listing, { source: true })));
    if (!object.littleEndian) continue;
    demand(Buffer.compare(bytes, fn.instructions) === 0, `${fn.name} assembles to other bytes`);
  }
}

export function inspectAll(object: ObjectFile): void {
  if ([...object.variables.values()].some(({ size }) => size > MOST_READ)) return;
  attempt([BtfError], () => reportText(objectReport(object)));
}

/** Writes modules in both forms, and reads how programs of the object want to share an interface. */
export function generateAll(object: ObjectFile): void {
  if ([...object.variables.values()].some(({ size }) => size > MOST_READ)) return;
  for (const form of ['typescript', 'javascript'] as const)
    attempt([BtfError, ObjectError], () => generateModule(object, { ...GENERATED, form }));
  for (const program of object.programs.keys())
    attempt([BtfError, ObjectError], () => readRunConfig(object, program));
}

const GENERATED = {
  ...{ objectName: 'mutant.bpf.o', regenerate: 'ts-xdp gen mutant.bpf.o' },
  source: { kind: 'beside', path: './mutant.bpf.o' },
} as const;

/** Loads into a kernel that says yes to everything; whatever comes of it, nothing stays open. */
export function load(object: ObjectFile, kernelBtf: Btf | undefined): boolean {
  const kernel = loadingKernel();
  try {
    const collection = Collection.load(object, {
      kernel,
      kernelConfig: SETTINGS,
      ...(kernelBtf && { kernelBtf }),
    });
    const small = [...collection.variables].filter(([name]) => object.variable(name).size <= MOST_READ);
    for (const [, variable] of small) attempt([BtfError, ValueError], () => variable.get());
    collection.close();
    return true;
  } catch (error) {
    checkError(error, [TsXdpError]);
    return false;
  } finally {
    demand(kernel.openDescriptors.size === 0, `${kernel.openDescriptors.size} descriptors stay open`);
  }
}

const SETTINGS = 'CONFIG_HZ=250\nCONFIG_BPF=y\nCONFIG_BPF_SYSCALL=y\nCONFIG_DEFAULT_HOSTNAME="(none)"\n';
