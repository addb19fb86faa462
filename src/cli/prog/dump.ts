import { openPrograms, readLoadedProgram, readProgramFacts } from '../../inspect/index.ts';
import type { BpfProgram } from '../../programs/index.ts';
import { systemKernel, type Kernel } from '../../sys/index.ts';
import { ExitCode, UsageError } from '../exit-code.ts';
import type { Json } from '../output/error-report.ts';
import type { Output } from '../output/output.ts';
import { Words } from '../words.ts';
import { writeBytes } from '../write-file.ts';
import { headerDocument, programHeading } from './describe.ts';
import { dumpJited } from './dump-jited.ts';
import { dumpXlated } from './dump-xlated.ts';

type DumpFlags = ReadonlySet<'opcodes' | 'linum'>;

/** Prints the instructions of programs as the verifier left them, or the machine code that was made of them. */
export async function runProgDump(given: readonly string[], output: Output): Promise<number> {
  const words = new Words(given, 'prog dump');
  const what = words.takeOneOf(['xlated', 'jited'], 'what to dump');
  const selector = words.takeSelector('a program');
  const { flags, values } = words.takeOptions({ flags: ['opcodes', 'linum'], values: ['file'] });
  const file = values.get('file');
  if (file !== undefined && flags.size > 0)
    throw new UsageError('prog dump writes bytes to a file: file goes without opcodes and linum');
  const kernel = systemKernel();
  const programs = openPrograms(kernel, selector);
  try {
    if (file === undefined) print({ kernel, programs, what, flags }, output);
    else {
      if (programs.length > 1)
        throw new UsageError(`prog dump writes one program to a file: ${programs.length} are meant`);
      for (const program of programs) writeBytes(file, codeOf({ kernel, program, what }));
      output.result(null, '');
    }
  } finally {
    for (const program of programs) program.close();
  }
  await output.flush();
  return ExitCode.Done;
}

interface DumpRequest {
  readonly kernel: Kernel;
  readonly programs: readonly BpfProgram[];
  readonly what: 'xlated' | 'jited';
  readonly flags: DumpFlags;
}

function print({ kernel, programs, what, flags }: DumpRequest, output: Output): void {
  const [opcodes, linum] = [flags.has('opcodes'), flags.has('linum')];
  const dumps = programs.map(({ fd }) =>
    what === 'jited'
      ? dumpJited(kernel, { fd, opcodes, linum })
      : dumpXlated(readLoadedProgram(kernel, fd), { opcodes, linum }),
  );
  const [only] = dumps;
  if (dumps.length === 1 && only) {
    output.result(only.document, only.text);
    return;
  }
  const facts = programs.map(({ fd }) => readProgramFacts(kernel, fd));
  const documents: Json[] = dumps.map(({ document }, index) => ({
    ...(facts[index] && headerDocument(facts[index])),
    insns: document,
  }));
  const texts = dumps.map(
    ({ text }, index) => `${facts[index] ? programHeading(facts[index]) : ''}\n${text}\n`,
  );
  output.result(documents, texts.join('\n'));
}

function codeOf({
  kernel,
  program,
  what,
}: {
  kernel: Kernel;
  program: BpfProgram;
  what: 'xlated' | 'jited';
}): Uint8Array {
  if (what === 'jited') return dumpJited(kernel, { fd: program.fd, opcodes: false, linum: false }).code;
  return readLoadedProgram(kernel, program.fd).instructions;
}
