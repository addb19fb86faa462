import { ExecutableFile, findFunctions, readUsdtProbes, type ByteSource } from '../../../src/elf/index.ts';
import { ArgumentError, ElfError } from '../../../src/errors.ts';
import { parseUsdtArguments } from '../../../src/link/usdt-arguments.ts';
import { elfAnatomyOf, type ElfAnatomy } from '../elf-anatomy.ts';
import { attempt, demand } from '../expected-errors.ts';
import { mutateExecutable } from '../mutate-elf.ts';
import type { Seeds } from '../seeds.ts';
import type { FuzzTarget } from '../target.ts';

/** Programs and libraries: their functions with and without versions, their probes, and those probes' arguments. */
export function executableTarget(seeds: Seeds): FuzzTarget {
  const anatomies = new Map<string, ElfAnatomy>();
  return {
    name: 'executable',
    mutant(dice) {
      const path = dice.pick(seeds.executables);
      const anatomy = anatomies.get(path) ?? elfAnatomyOf(seeds.read(path));
      anatomies.set(path, anatomy);
      return mutateExecutable(anatomy, dice);
    },
    exercise(input) {
      const file = attempt([ElfError], () => new ExecutableFile(sourceOf(input)));
      if (!file) return 'refused';
      const parts = [
        attempt([ElfError], () => findPlaces(file, undefined)),
        attempt([ElfError], () => findPlaces(file, 'SECOND')),
        attempt([ElfError], () => readProbes(file)),
      ];
      return parts.includes(undefined) ? 'read in part' : 'read';
    },
  };
}

/** Reads outside of the file are this target's own to notice: a real one gives fewer bytes then. */
export function sourceOf(bytes: Uint8Array): ByteSource {
  return {
    name: 'mutant',
    size: bytes.length,
    read(offset, length) {
      const inside = offset >= 0 && length >= 0 && offset + length <= bytes.length;
      demand(inside, `${length} bytes at ${offset} are read of ${bytes.length}`);
      return bytes.subarray(offset, offset + length);
    },
  };
}

function findPlaces(file: ExecutableFile, version: string | undefined): number {
  const functions = findFunctions(file, { test: (name) => name !== '', version });
  for (const { name, offset } of functions)
    demand(offset >= 0 && offset < file.source.size, `${name} is at ${offset}, which is not in the file`);
  return functions.length;
}

function readProbes(file: ExecutableFile): number {
  const probes = readUsdtProbes(file);
  for (const probe of probes) {
    for (const place of [probe.offset, probe.semaphoreOffset])
      demand(Number.isSafeInteger(place) && place >= 0, `${probe.name} is at ${place}`);
    for (const architecture of ['x64', 'arm64'] as const)
      attempt([ArgumentError], () => parseUsdtArguments(probe.arguments, architecture));
  }
  return probes.length;
}
