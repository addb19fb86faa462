import { Feature, firstKernelOfMapType, firstKernelOfProgramType } from '../../features/index.ts';
import { ownNames } from '../../inspect/index.ts';
import type { FeatureAnswer, KernelFeatures, KernelSettings, Names } from '../../inspect/index.ts';

type Paragraph = readonly [title: string, lines: readonly string[]];

/** A paragraph for each section; what is not there says since when Linux has it. */
export function featureText(findings: KernelFeatures): string {
  const { programTypes, mapTypes } = ownNames();
  const paragraphs: Paragraph[] = [
    ...(findings.settings ? settingsParagraphs(findings.settings) : []),
    ['system call', [line('bpf(2)', findings.bpfSyscall, '3.18')]],
    ['program types', typeLines(findings.programTypes, sinceIn(programTypes, firstKernelOfProgramType))],
    ['map types', typeLines(findings.mapTypes, sinceIn(mapTypes, firstKernelOfMapType))],
    ['helpers', helperLines(findings)],
    ['instructions', typeLines(findings.miscellaneous, () => undefined)],
    [
      'features',
      [...findings.named].map(([key, answer]) => {
        const { name, minKernel } = Feature[key as keyof typeof Feature];
        return line(name, answer, minKernel);
      }),
    ],
    ['not known', findings.unknown.map(({ kind, name, reason }) => `${kind} ${name}: ${reason}`)],
  ];
  return paragraphs
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => [title, ...lines.map((text) => `  ${text}`)].join('\n'))
    .join('\n\n');
}

function settingsParagraphs({ sysctls, options }: KernelSettings): Paragraph[] {
  const text = (value: string | number | undefined): string =>
    value === undefined ? 'unknown' : String(value);
  return [
    ['settings', [...sysctls].map(([name, value]) => `${name} = ${text(value)}`)],
    [
      'kernel configuration',
      options === undefined
        ? ['cannot be read']
        : [...options].map(([name, value]) => `${name} ${value === undefined ? 'is not set' : `= ${value}`}`),
    ],
  ];
}

function sinceIn(
  names: Names,
  since: (value: number) => string | undefined,
): (name: string) => string | undefined {
  const numbers = new Map(names);
  return (name) => since(numbers.get(name) ?? 0);
}

function typeLines(
  answers: ReadonlyMap<string, FeatureAnswer>,
  since: (name: string) => string | undefined,
): string[] {
  return [...answers].map(([name, answer]) => line(name, answer, since(name)));
}

function line(name: string, answer: FeatureAnswer, since: string | undefined): string {
  if (answer === undefined) return `unknown  ${name}`;
  if (answer) return `yes      ${name}`;
  return `no       ${name}${since === undefined ? '' : ` (since ${since})`}`;
}

function helperLines({ helpers }: KernelFeatures): string[] {
  return [...helpers]
    .filter(([, names]) => names.length > 0)
    .map(([type, names]) => `${type}: ${names.join(', ')}`);
}
