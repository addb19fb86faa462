import { openLink } from '../../inspect/index.ts';
import { forceDetach, linkInfo, tryUpdateLink } from '../../link/index.ts';
import { pinDescriptor, systemKernel } from '../../sys/index.ts';
import { ExitCode } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { withProgram } from '../prog/with-program.ts';
import { Words } from '../words.ts';
import { updateRefused } from './update-refused.ts';

/** Takes the program of a link away, whoever holds the link. */
export function runLinkDetach(given: readonly string[], output: Output): Promise<number> {
  const words = new Words(given, 'link detach');
  const selector = words.takeSelector('a link');
  words.end();
  const kernel = systemKernel();
  using fd = openLink(kernel, selector);
  forceDetach(kernel, fd);
  return done(output);
}

/** Pins a link, so that it stays whatever becomes of who made it. */
export function runLinkPin(given: readonly string[], output: Output): Promise<number> {
  const words = new Words(given, 'link pin');
  const selector = words.takeSelector('a link');
  const path = words.take('a path');
  words.end();
  const kernel = systemKernel();
  using fd = openLink(kernel, selector);
  pinDescriptor(kernel, { fd, path });
  return done(output);
}

/** Puts another program under a link and tells both, without a moment in which none is attached. */
export async function runLinkUpdate(given: readonly string[], output: Output): Promise<number> {
  const words = new Words(given, 'link update');
  const selector = words.takeSelector('a link');
  const wanted = words.takeSelector('a program');
  words.end();
  const kernel = systemKernel();
  using link = openLink(kernel, selector);
  const before = linkInfo(kernel, link);
  await withProgram(kernel, wanted, (program) => {
    const result = tryUpdateLink(kernel, { link, program: program.fd, expected: undefined });
    if (result < 0) throw updateRefused(kernel, { link, program, result });
    output.result(
      { id: before.id, prog_id: program.id, previous_prog_id: before.programId },
      `link ${before.id} has program ${program.id} in the place of ${before.programId}`,
    );
  });
  await output.flush();
  return ExitCode.Done;
}

/** As bpftool, null where there is nothing to say. */
async function done(output: Output): Promise<number> {
  output.result(null, '');
  await output.flush();
  return ExitCode.Done;
}
