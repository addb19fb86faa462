import { holdersOf, type Selector } from '../../inspect/index.ts';
import { ExitCode } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { whoDocument } from './document.ts';
import { findSubjects } from './subjects.ts';
import { whoText } from './text.ts';

/** Prints who holds what is meant; a document each where several have the name or tag. */
export async function runWho(
  { kind, selector }: { kind: string; selector: Selector },
  output: Output,
): Promise<number> {
  for (const subject of findSubjects(kind, selector)) {
    const holders = holdersOf(subject);
    output.result(whoDocument(subject, holders), whoText(subject, holders));
  }
  await output.flush();
  return ExitCode.Done;
}
