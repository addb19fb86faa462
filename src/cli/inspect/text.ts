import type { Json } from '../../btf/index.ts';
import type { KernelReport, MapReport, NeedReport, ObjectReport, ProgramReport } from './report.ts';

/** One paragraph for each kind of thing that the object has. */
export function reportText(report: ObjectReport): string {
  const { btf, kernel_version: version } = report;
  const core = report.core_relocations;
  const paragraphs: [title: string, lines: string[]][] = [
    ['', [`${report.object}: license ${report.license || '(none)'}, ${report.endianness}-endian`]],
    ['', version === 0 ? [] : [`kernel version ${version}`]],
    ['kernel', kernelLines(report.kernel)],
    ['programs', report.programs.flatMap(programLines)],
    ['maps', report.maps.flatMap((map) => mapLines(map))],
    [
      'variables',
      report.variables.map(
        ({ name, type, section, size, value }) =>
          `${name}: ${type} = ${value === null ? `${size} bytes` : valueText(value)}  (${section})`,
      ),
    ],
    ['events', report.events.map(({ map, type }) => `${map} carries ${type}`)],
    ['counters', report.counters ? [`${report.counters.map} holds ${report.counters.type}`] : []],
    [
      'externs',
      report.externs.map(({ name, type, section, weak }) =>
        [weak ? 'weak' : '', type ?? name, `(${section ?? 'section unknown'})`].filter(Boolean).join(' '),
      ),
    ],
    ['CO-RE relocations', core.map(({ section, instruction, spec }) => `${section} ${instruction}: ${spec}`)],
    ['BTF', btf ? [`${btf.types} types in ${btf.bytes} bytes`, kindsText(btf.kinds)] : ['none']],
  ];
  return paragraphs
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) =>
      title === '' ? lines.join('\n') : [`\n${title}`, ...lines.map((line) => `  ${line}`)].join('\n'),
    )
    .join('\n');
}

/** The newest of them say what matters; JSON has them all. */
const MOST_REASONS = 12;

function kernelLines(kernel: KernelReport): string[] {
  const { at_least: atLeast, because, if_chosen: chosen, replaced, without_promise: functions } = kernel;
  if (atLeast === null) return [];
  const line = ({ since, reason }: NeedReport): string => `  ${since.padEnd(4)}  ${reason}`;
  const left = because.length - MOST_REASONS;
  return [
    `Linux ${atLeast} or later:`,
    ...because.slice(0, MOST_REASONS).map(line),
    ...(left > 0 ? [`        and ${left} older needs`] : []),
    ...(chosen.length > 0 ? ['where a setting or the kernel lets that code run:', ...chosen.map(line)] : []),
    ...(replaced.length > 0 ? ['older kernels get something else instead of:', ...replaced.map(line)] : []),
    ...(functions.length > 0 ? [`no version promises the kernel functions ${functions.join(', ')}`] : []),
  ];
}

function programLines(program: ProgramReport): string[] {
  const { instructions, linked_instructions: linked } = program;
  const target = program.attach_target === null ? '' : ` to ${program.attach_target}`;
  const marks = [
    program.sleepable ? 'sleepable' : '',
    program.frags ? 'frags' : '',
    program.autoload ? '' : 'optional',
  ].filter((mark) => mark !== '');
  const size = linked === instructions ? '' : ` (${linked} with the functions it calls)`;
  const kind = `${program.type ?? 'no type'}${target}${marks.map((mark) => `, ${mark}`).join('')}`;
  return [
    `${program.name}  ${kind}, section ${program.section}, ${instructions} instructions${size}`,
    ...listLines('calls', program.calls),
    ...listLines('helpers', program.helpers),
    ...listLines('kfuncs', program.kfuncs),
    ...listLines('externs', program.externs),
    ...listLines('maps', program.maps),
  ];
}

function mapLines(map: MapReport, indent = ''): string[] {
  const key = map.key ?? (map.key_size === 0 ? 'none' : `${map.key_size} bytes`);
  const value = map.value ?? (map.value_size === 0 ? 'none' : `${map.value_size} bytes`);
  const flags = map.flags.length === 0 ? '' : `, flags ${map.flags.join(' | ')}`;
  const pin = map.pin_by_name ? ', pinned by name' : '';
  const line = `${indent}${map.name}  ${map.type}, key ${key}, value ${value}, ${map.max_entries} entries${flags}${pin}`;
  return map.inner ? [line, ...mapLines(map.inner, `${indent}  `)] : [line];
}

function listLines(title: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`  ${title}: ${names.join(', ')}`];
}

function kindsText(kinds: Readonly<Record<string, number>>): string {
  return Object.entries(kinds)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ');
}

function valueText(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
