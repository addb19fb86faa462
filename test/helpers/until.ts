import { setTimeout as delay } from 'node:timers/promises';

/** Waits until something is so; throws where it takes longer than any test should. */
export async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`this never came about: ${isSo.toString()}`);
    await delay(1);
  }
}
