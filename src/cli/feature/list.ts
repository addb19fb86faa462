import {
  Feature,
  firstKernelOfAttachType,
  firstKernelOfHelper,
  firstKernelOfMapType,
  firstKernelOfProgramType,
} from '../../features/index.ts';
import { ownNames } from '../../inspect/index.ts';
import type { Names } from '../../inspect/index.ts';
import { AttachType } from '../../programs/index.ts';
import { ExitCode, UsageError } from '../exit-code.ts';
import type { Output } from '../output/output.ts';

/** One thing that kernels have or lack. A type alias, so that it is JSON to the compiler. */
type Entry = { name: string; since: string | null };

const GROUPS = ['prog_types', 'map_types', 'attach_types', 'helpers', 'features'] as const;
type Group = (typeof GROUPS)[number];

/** Lists what ts-xdp knows of, with the first Linux that has it. */
export async function runFeatureList(wanted: string | undefined, output: Output): Promise<number> {
  const group = GROUPS.find((one) => one === wanted);
  if (wanted !== undefined && group === undefined)
    throw new UsageError(`feature list knows no ${wanted}: ${GROUPS.join(', ')}`);
  const groups = group === undefined ? GROUPS : [group];
  const lists = groups.map((one) => [one, entriesOf(one)] as const);
  output.result(Object.fromEntries(lists), lists.map(groupText).join('\n\n'));
  await output.flush();
  return ExitCode.Done;
}

function entriesOf(group: Group): Entry[] {
  switch (group) {
    case 'prog_types':
      return dated(ownNames().programTypes, firstKernelOfProgramType);
    case 'map_types':
      return dated(ownNames().mapTypes, firstKernelOfMapType);
    case 'attach_types':
      return dated(Object.entries(AttachType), firstKernelOfAttachType);
    case 'helpers':
      return dated(ownNames().helpers, firstKernelOfHelper);
    case 'features':
      return Object.values(Feature).map(({ name, minKernel }) => ({ name, since: minKernel }));
  }
}

function dated(names: Names, firstKernel: (value: number) => string | undefined): Entry[] {
  return names.map(([name, value]) => ({ name, since: firstKernel(value) ?? null }));
}

function groupText([group, entries]: readonly [Group, readonly Entry[]]): string {
  const lines = entries.map(({ name, since }) => `  ${(since ?? '').padEnd(5)}  ${name}`);
  return [group, ...lines].join('\n');
}
