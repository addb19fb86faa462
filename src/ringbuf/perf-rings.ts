import { ArgumentError } from '../errors.ts';
import { PerfEventArray, type BpfMap } from '../maps/index.ts';
import { checkInteger, errno, type Fd } from '../sys/index.ts';

interface RingOfCpu {
  readonly fd: Fd;
  close(): void;
}

/** A ring for each CPU that is on and has a place in the map, put into it. */
export function openPerfRings<Ring extends RingOfCpu>(
  map: BpfMap,
  { pages, open }: { pages: number; open: (place: { cpu: number; pages: number; doing: string }) => Ring },
): Ring[] {
  checkInteger('pagesPerCpu', pages, { minimum: 1, maximum: 0x10_0000 });
  if ((pages & (pages - 1)) !== 0) {
    const message = `Cannot use ${pages} pages for each CPU: a power of two is wanted`;
    throw new ArgumentError('pagesPerCpu', message);
  }
  const { kernel, maxEntries, name } = map;
  const events = new PerfEventArray(map);
  const rings: Ring[] = [];
  try {
    for (let cpu = 0; cpu < Math.min(maxEntries, kernel.possibleCpus()); cpu++) {
      const ring = openUnlessOff(() => open({ cpu, pages, doing: `read samples from map ${name}` }));
      if (ring === undefined) continue;
      rings.push(ring);
      events.set(cpu, ring.fd);
    }
  } catch (error) {
    for (const ring of rings) ring.close();
    throw error;
  }
  if (rings.length > 0) return rings;
  throw new ArgumentError(
    'map',
    `Cannot read samples from map ${name}: it has no place for a CPU that is on`,
  );
}

function openUnlessOff<Ring>(open: () => Ring): Ring | undefined {
  try {
    return open();
  } catch (error) {
    if ((error as { errno?: number }).errno === errno.ENODEV) return undefined;
    throw error;
  }
}
