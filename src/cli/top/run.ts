import { setTimeout as delay } from 'node:timers/promises';
import { LiveStatistics } from '../../inspect/index.ts';
import { ExitCode } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { activityDocument, activityScreen, activityTable, byCpuShare } from './text.ts';

export interface TopOptions {
  /** Milliseconds. */
  readonly interval: number;
  readonly count?: number | undefined;
}

/** Until a signal, the count, or the end of standard output. */
export async function runTop({ interval, count }: TopOptions, output: Output): Promise<number> {
  using statistics = LiveStatistics.open();
  const end = new AbortController();
  const stop = (): void => {
    end.abort();
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  output.onClosed(stop);
  // Asked each time: the window may get another size.
  const block = (activities: ReturnType<typeof byCpuShare>): string =>
    process.stdout.isTTY ? activityScreen(activities, process.stdout) : activityTable(activities);
  try {
    for (let look = 0; count === undefined || look < count; look++) {
      if (!(await pause(interval, end.signal))) break;
      const activities = byCpuShare(statistics.sample());
      if (output.json)
        for (const activity of activities)
          output.stream({ json: () => activityDocument(activity), text: () => '' });
      else output.stream({ json: () => null, text: () => block(activities) });
    }
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
  await output.flush();
  return ExitCode.Done;
}

/** False where it was ended. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(milliseconds, undefined, { signal });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
