import { openPrograms, readProgramFacts, readProgramMetadata } from '../../inspect/index.ts';
import { systemKernel } from '../../sys/index.ts';
import { ExitCode } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { Words } from '../words.ts';
import { headerDocument, metadataDocument, metadataText, programHeading } from './describe.ts';

/** Prints the variables `bpf_metadata_*` of programs. */
export async function runProgMetadata(given: readonly string[], output: Output): Promise<number> {
  const words = new Words(given, 'prog metadata');
  const selector = words.takeSelector('a program');
  words.end();
  const kernel = systemKernel();
  const programs = openPrograms(kernel, selector);
  try {
    const shown = programs.map(({ fd }) => {
      const facts = readProgramFacts(kernel, fd);
      return { facts, metadata: readProgramMetadata(kernel, facts.mapIds) };
    });
    const documents = shown.map(({ facts, metadata }) => ({
      ...headerDocument(facts),
      metadata: metadataDocument(metadata),
    }));
    const texts = shown.map(({ facts, metadata }) =>
      [programHeading(facts), ...metadataText(metadata)].join('\n'),
    );
    const [first] = documents;
    output.result(documents.length === 1 && first ? first : documents, texts.join('\n'));
  } finally {
    for (const program of programs) program.close();
  }
  await output.flush();
  return ExitCode.Done;
}
