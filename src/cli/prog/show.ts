import {
  descriptorHolders,
  findPins,
  listPrograms,
  openPrograms,
  readProgramFacts,
  readProgramMetadata,
  type Selector,
} from '../../inspect/index.ts';
import { systemKernel, type Kernel } from '../../sys/index.ts';
import { ExitCode } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { Words } from '../words.ts';
import { programDocument, programText, type ShownProgram } from './describe.ts';

export interface ProgShowOptions {
  /** Say where they are pinned. */
  readonly bpffs?: boolean;
  /** Say who holds them. */
  readonly pids?: boolean;
}

/** Lists the programs in the kernel, or describes those that are meant. */
export async function runProgShow(
  given: readonly string[],
  options: ProgShowOptions,
  output: Output,
): Promise<number> {
  const words = new Words(given, 'prog show');
  const selector = words.takeSelectorIfAny();
  words.end();
  const shown = describePrograms(systemKernel(), selector, options);
  const documents = shown.map(programDocument);
  const [first] = documents;
  // As bpftool, one that was asked for alone is no list.
  const alone = selector !== undefined && documents.length === 1 && first !== undefined;
  output.result(alone ? first : documents, shown.map(programText).join('\n'));
  await output.flush();
  return ExitCode.Done;
}

function describePrograms(
  kernel: Kernel,
  selector: Selector | undefined,
  { bpffs = false, pids = false }: ProgShowOptions,
): ShownProgram[] {
  const pins = bpffs ? findPins(kernel, 'program') : undefined;
  const holders = pids ? descriptorHolders('program') : undefined;
  const programs = selector === undefined ? listPrograms(kernel) : chosenPrograms(kernel, selector);
  return programs.map((facts) => ({
    facts,
    // Without a single pin bpftool says nothing of them.
    pinned: pins && pins.size > 0 ? (pins.get(facts.id) ?? []) : undefined,
    holders: holders && (holders.get(facts.id) ?? []),
    metadata: readProgramMetadata(kernel, facts.mapIds),
  }));
}

function chosenPrograms(kernel: Kernel, selector: Selector): ReturnType<typeof listPrograms> {
  const programs = openPrograms(kernel, selector);
  try {
    return programs.map(({ fd }) => readProgramFacts(kernel, fd));
  } finally {
    for (const program of programs) program.close();
  }
}
