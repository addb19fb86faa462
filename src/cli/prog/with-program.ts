import { ArgumentError } from '../../errors.ts';
import { openPrograms, selectorText, type Selector } from '../../inspect/index.ts';
import type { BpfProgram } from '../../programs/index.ts';
import type { Kernel } from '../../sys/index.ts';

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
  const programs = openPrograms(kernel, selector);
  try {
    const [program, ...others] = programs;
    if (program !== undefined && others.length === 0) return await use(program);
    const ids = programs.map(({ id }) => id).join(', ');
    const text = selectorText(selector);
    throw new ArgumentError(
      'program',
      `Cannot tell which program is meant by ${text}: ${ids} are called so`,
      { hint: 'say which by its id' },
    );
  } finally {
    for (const program of programs) program.close();
  }
}
