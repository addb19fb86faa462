import { systemKernel } from '../../sys/index.ts';
import { ExitCode } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { selectMap } from './select.ts';
import { InspectedMap } from './typed-map.ts';
import { Words } from '../words.ts';

/** Opens the map that the first words say, for as long as `use` takes, which gets the rest of them. */
export async function useMap(
  given: readonly string[],
  output: Output,
  use: (map: InspectedMap, words: Words) => void | Promise<void>,
): Promise<number> {
  const words = new Words(given, 'map');
  using map = selectMap(systemKernel(), words);
  await use(new InspectedMap(map), words);
  await output.flush();
  return ExitCode.Done;
}
