import { setTimeout as delay } from 'node:timers/promises';
import { patience } from './patience.ts';

/** Waits until something is so; throws where it takes longer than any test should. */
export async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + 20_000 * patience;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`this never came about: ${isSo.toString()}`);
    await delay(1);
  }
}
