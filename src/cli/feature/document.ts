import { Feature } from '../../features/index.ts';
import type { FeatureAnswer, KernelFeatures, KernelSettings } from '../../inspect/index.ts';
import type { Json } from '../output/error-report.ts';

/**
 * What `feature probe --json` prints: the sections and names of `bpftool -j feature probe`, with null for what could not
 * be found out, and two sections more.
 */
export function featureDocument(findings: KernelFeatures): Json {
  const { settings, programTypes, mapTypes, helpers, miscellaneous, named, unknown } = findings;
  return {
    ...(settings && { system_config: settingsDocument(settings) }),
    syscall_config: { have_bpf_syscall: findings.bpfSyscall },
    program_types: answers(programTypes, '_prog_type'),
    map_types: answers(mapTypes, '_map_type'),
    helpers: Object.fromEntries(
      [...helpers].map(([type, names]) => [`${type}_available_helpers`, [...names]]),
    ),
    misc: answers(miscellaneous, ''),
    ...(named.size > 0 && { features: namedDocument(named) }),
    unknown: unknown.map(({ kind, name, reason }) => ({ kind, name, reason })),
  };
}

function settingsDocument({ sysctls, options }: KernelSettings): Json {
  return {
    // -1 is bpftool's word for what cannot be read.
    ...Object.fromEntries([...sysctls].map(([name, value]) => [name, value ?? -1])),
    ...(options && Object.fromEntries([...options].map(([name, value]) => [name, value ?? null]))),
  };
}

function answers(found: ReadonlyMap<string, FeatureAnswer>, suffix: string): Json {
  return Object.fromEntries([...found].map(([name, answer]) => [`have_${name}${suffix}`, answer ?? null]));
}

function namedDocument(named: ReadonlyMap<string, FeatureAnswer>): Json {
  return Object.entries(Feature).map(([key, { name, minKernel }]) => ({
    key,
    name,
    since: minKernel,
    supported: named.get(key) ?? null,
  }));
}
