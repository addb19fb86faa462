/** docs/conformance.md: figures of every kernel, and each difference with its reason. */
import type { Difference } from './compare.ts';
import type { Measure } from './measure.ts';
import type { RunFacts } from './loader-run.ts';
import { outcome, proportion } from './report.ts';

export function renderDocument(measures: readonly Measure[]): string {
  const [first] = measures;
  return [
    '# Conformance',
    '',
    'Written by `npm run conformance -- --write-docs`. Change nothing here by hand.',
    '',
    ...introduction(first),
    '',
    '## Figures',
    '',
    ...table(['Linux', 'programs', 'objects', 'same errno', 'left out', 'holds'], measures.map(figures)),
    '',
    "- **programs**: loaded alone, of those that libbpf loads alone. **objects**: loaded as a whole, of libbpf's.",
    '- **same errno**: of the programs that libbpf does not load, those refused with the same errno.',
    '- **left out**: programs that libbpf cannot load alone (EBADF) because a program array or a map of maps wants one that is',
    '  switched off; ts-xdp leaves such slots empty.',
    '',
    'At least 99.5 % of programs and of objects and 90 % of errnos have to be the same, and nothing may be accepted that libbpf',
    'does not load, short of the differences explained below. Otherwise the command fails.',
    '',
    ...notAsked(measures),
    ...uncompiled(first),
    '## Differences',
    '',
    ...measures.flatMap(differences),
    ...running(),
  ].join('\n');
}

function introduction(measure: Measure | undefined): string[] {
  const { facts } = measure ?? {};
  return [
    "The outside measure of the loader: the BPF programs of the kernel's own selftests (`tools/testing/selftests/bpf/progs` of",
    `Debian's linux-source-${facts?.kernelSource ?? '?'}, ${String(facts?.objects.length ?? 0)} objects), compiled by ${facts?.clang ?? '?'} against a \`vmlinux.h\``,
    'that `ts-xdp btf dump kernel` wrote. Each program is loaded alone, with all others switched off, and each object as a whole: by',
    `\`ts-xdp verify --json\` and, in C, by libbpf ${facts?.libbpf ?? '?'} on the same kernel.`,
  ];
}

function figures({ facts, comparison }: Measure): string[] {
  const { programs, objects, refusals, unfillable, holds } = comparison;
  return [
    kernelOf(facts),
    proportion(programs.loaded, programs.expected),
    proportion(objects.loaded, objects.expected),
    proportion(refusals.sameErrno, refusals.programs),
    String(unfillable),
    holds ? 'yes' : 'no',
  ];
}

/** Of a machine of one's own only the version says something to others. */
function kernelOf({ release, guest }: RunFacts): string {
  return guest === null ? (release.split('-')[0] ?? release) : `\`${release}\` (QEMU)`;
}

function notAsked(measures: readonly Measure[]): string[] {
  const names = new Set(measures.flatMap(({ facts }) => facts.notAsked ?? []));
  if (names.size === 0) return [];
  const list = [...names].map((object) => object.replace(/\.bpf\.o$/, '')).join(', ');
  return [
    'In QEMU not asked about, because verifying them takes an emulated processor minutes each (`--slow` asks all the same):',
    `${list}.`,
    '',
  ];
}

function uncompiled(measure: Measure | undefined): string[] {
  const sources = measure?.facts.uncompiled ?? [];
  if (sources.length === 0) return [];
  const rows = sources.map(({ source, reason }) => [source, reason]);
  return ['Sources that do not compile against that kernel:', '', ...table(['source', 'because'], rows), ''];
}

/** Differences of one reason share a row. */
function differences({ facts, comparison }: Measure): string[] {
  const rows = new Map<string, { readonly difference: Difference; readonly places: string[] }>();
  for (const difference of comparison.differences) {
    const { kind, libbpf, ours, explanation } = difference;
    const key = JSON.stringify([kind, libbpf, ours, explanation ?? outcome(difference)]);
    const row = rows.get(key) ?? { difference, places: [] };
    row.places.push(place(difference));
    rows.set(key, row);
  }
  const cells = [...rows.values()].map(({ difference, places }) => [
    places.join(', '),
    difference.explanation === null ? outcome(difference) : short(difference),
    difference.explanation ?? '',
  ]);
  const heading = [`### Linux ${kernelOf(facts)}`, ''];
  if (cells.length === 0) return [...heading, 'None.', ''];
  return [...heading, ...table(['where', 'what', 'why'], cells), ''];
}

function place({ object, program }: Difference): string {
  const name = object.replace(/\.bpf\.o$/, '');
  return program === null ? `${name} as a whole` : `${name}: ${program}`;
}

/** Without the words of a refusal, which the explanation has better. */
function short(difference: Difference): string {
  return outcome({ ...difference, reason: '' }).replace(/: $/, '');
}

function running(): string[] {
  return [
    '## Running it',
    '',
    '```sh',
    'npm run conformance                          # on this kernel, as root',
    "npm run conformance -- --only 'arena.*'      # some objects",
    'npm run conformance -- --vm 6.12 --vm 7.2    # in QEMU, which takes an hour; --guest-headers compiles for those kernels',
    'npm run conformance -- --write-docs          # and this page, from this run and the last ones in QEMU',
    '```',
    '',
    "On Debian on x86-64. What it takes (sources, libbpf-dev, kernels, QEMU) is downloaded from the machine's own package mirror",
    'and unpacked into `${XDG_CACHE_HOME:-~/.cache}/ts-xdp-conformance`, 1 GB; clang and gcc are installed by root where they',
    'are missing. Explanations come from `scripts/conformance/known-differences.ts`; an explained difference counts in every',
    'figure all the same. Answers of whole runs are kept in the cache: `--answers DIR` compares them again.',
    '',
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
