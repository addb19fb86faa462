import { openPrograms, selectorText, type Selector } from '../../inspect/index.ts';
import type { BpfProgram } from '../../programs/index.ts';
import type { Kernel } from '../../sys/index.ts';
import { onlyOne } from '../only-one.ts';

/**
 * Calls `use` with the one program that is meant, and closes it.
 *
 * @throws NotFoundError, ArgumentError where several are called so
 */
export async function withProgram<Result>(
  kernel: Kernel,
  selector: Selector,
  use: (program: BpfProgram) => Result | Promise<Result>,
): Promise<Result> {
  using program = onlyOne(openPrograms(kernel, selector), {
    what: 'program',
    selector: selectorText(selector),
  });
  return await use(program);
}
