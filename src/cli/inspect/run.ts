import { ObjectFile } from '../../elf/index.ts';
import { ExitCode } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { resolveObject } from '../shipped-object.ts';
import { objectReport } from './report.ts';
import { reportText } from './text.ts';

/** Prints what is in an object. Touches neither the kernel nor its BTF. */
export async function runInspect(object: string, output: Output): Promise<number> {
  const report = objectReport(ObjectFile.open(resolveObject(object).path));
  output.result({ ...report }, reportText(report));
  await output.flush();
  return ExitCode.Done;
}
