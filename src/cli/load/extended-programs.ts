import type { BpfProgram } from '../../programs/index.ts';
import { systemKernel } from '../../sys/index.ts';
import { BPF_PROG_TYPE_EXT } from '../../uapi/index.ts';
import type { SelectedProgram } from './select-programs.ts';

/**
 * Opens the programs whose functions are replaced, by the name of the program of the object that does it. The caller
 * closes them.
 *
 * @throws NotFoundError, ArgumentError where several are called so
 */
export async function openExtended(
  selected: readonly SelectedProgram[],
): Promise<ReadonlyMap<string, BpfProgram>> {
  const extensions = selected.filter(({ spec }) => spec.type === BPF_PROG_TYPE_EXT);
  const opened = new Map<string, BpfProgram>();
  if (extensions.length === 0) return opened;
  // Late: few objects have any.
  const { openPrograms } = await import('./late-inspection.ts');
  const { onlyOne } = await import('../only-one.ts');
  try {
    for (const { spec, target = '' } of extensions) {
      const selector = spec.section.includes('/') ? target : target.slice(0, target.lastIndexOf(':'));
      opened.set(spec.name, onlyOne(openPrograms(systemKernel(), selector), { what: 'program', selector }));
    }
    return opened;
  } catch (error) {
    for (const program of opened.values()) program.close();
    throw error;
  }
}
