/** What perf(1) and bpftool call events, by the numbers of <linux/perf_event.h>. */
const TYPES = ['hardware', 'software', 'tracepoint', 'hw-cache', 'raw', 'breakpoint'] as const;
const HARDWARE = [
  'cpu-cycles',
  'instructions',
  'cache-references',
  'cache-misses',
  'branch-instructions',
  'branch-misses',
  'bus-cycles',
  'stalled-cycles-frontend',
  'stalled-cycles-backend',
  'ref-cycles',
] as const;
const SOFTWARE = [
  'cpu-clock',
  'task-clock',
  'page-faults',
  'context-switches',
  'cpu-migrations',
  'minor-faults',
  'major-faults',
  'alignment-faults',
  'emulation-faults',
  'dummy',
  'bpf-output',
  'cgroup-switches',
] as const;
const CACHES = ['L1-dcache', 'L1-icache', 'LLC', 'dTLB', 'iTLB', 'branch', 'node'] as const;
const OPERATIONS = ['load', 'store', 'prefetch'] as const;
const RESULTS = ['refs', 'misses'] as const;

/** `software`; the number of one that has no name. */
export function perfTypeName(type: number): string | number {
  return TYPES[type] ?? type;
}

/** `cpu-clock`, `LLC-load-misses`; the number of one that has no name. */
export function perfConfigName(type: number, config: bigint): string | bigint {
  const number = Number(config);
  switch (TYPES[type]) {
    case 'hardware':
      return HARDWARE[number] ?? config;
    case 'software':
      return SOFTWARE[number] ?? config;
    case 'hw-cache': {
      const [cache, operation, result] = [number & 0xff, (number >> 8) & 0xff, Number(config >> 16n)];
      return `${CACHES[cache] ?? cache}-${OPERATIONS[operation] ?? operation}-${RESULTS[result] ?? result}`;
    }
    default:
      return config;
  }
}
