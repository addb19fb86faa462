/** docs/kernels.md: what came out on each kernel, as tables. */
import type { DoctorResult, FeatureResult, GuestResult, TestResult } from '../../test/vm/result.ts';

export interface KernelColumn {
  readonly kernel: string;
  readonly release: string;
  readonly results: readonly GuestResult[];
}

const YES = '✓';
const NO = '–';
const FAILED = '✗';
/** Their tests are of kinds of attachment. */
const HOOK_FILES: readonly string[] = [
  'test/kernel/attach-kinds.test',
  'test/kernel/hooks.test',
  'test/kernel/attach-sockets.test',
  'test/kernel/dispatcher.test',
];
const LEGEND = `${YES} passed, ${NO} skipped because the kernel or the guest lacks something (the reason is below), ${FAILED} failed.`;

export function renderMatrix(columns: readonly KernelColumn[]): string {
  const releases = columns.map(({ kernel, release }) => [kernel, `\`${release}\``]);
  return [
    '# Kernels',
    '',
    'Written by `npm run test:kernels`, which boots each kernel in a virtual machine and runs there what this page',
    'lists; [testing on other kernels](testing-kernels.md) says how. Change nothing here by hand.',
    '',
    ...table(['Linux', 'release'], releases),
    '',
    '## Hooks',
    '',
    'Attached, made to fire, seen, detached, seen no more, nothing left open; pinned and reopened where that can be.',
    LEGEND,
    '',
    ...testTables(columns, (file) => HOOK_FILES.includes(file)),
    '## Features',
    '',
    `As \`src/features\` finds them by trying: ${YES} there, ${NO} not there.`,
    '',
    ...featureTable(columns),
    '',
    '## `ts-xdp doctor`',
    '',
    ...table(['Linux', 'main job', 'finds fault with'], columns.map(doctorRow)),
    '',
    '## Tests',
    '',
    LEGEND,
    '',
    ...testTables(columns, (file) => !HOOK_FILES.includes(file)),
  ].join('\n');
}

const isFeature = (result: GuestResult): result is FeatureResult => result.kind === 'feature';
const isTest = (result: GuestResult): result is TestResult => result.kind === 'test';
const isDoctor = (result: GuestResult): result is DoctorResult => result.kind === 'doctor';

function featureTable(columns: readonly KernelColumn[]): string[] {
  const [first] = columns;
  const rows = (first?.results ?? []).filter(isFeature).map(({ name, minKernel }) => {
    const cells = columns.map(({ results }) => {
      const found = results.filter(isFeature).find((feature) => feature.name === name);
      return found?.supported === true ? YES : NO;
    });
    return [name, minKernel, ...cells];
  });
  return table(['feature', 'since', ...columns.map(({ kernel }) => kernel)], rows);
}

function doctorRow({ kernel, results }: KernelColumn): string[] {
  const doctor = results.find(isDoctor);
  const faults = doctor?.faults.map(({ name }) => name).join('; ') ?? '';
  return [kernel, doctor?.able === true ? YES : FAILED, faults === '' ? 'nothing' : faults];
}

function testTables(columns: readonly KernelColumn[], isWanted: (file: string) => boolean): string[] {
  const tests = columns.flatMap(({ results }) => results.filter(isTest));
  const files = [...new Set(tests.map(({ file }) => file))].filter(isWanted);
  return files.flatMap((file) => {
    const names = [...new Set(tests.filter((test) => test.file === file).map(({ name }) => name))];
    const rows = names.map((name) => [name, ...columns.map((column) => outcome(column, { file, name }))]);
    return [
      `### ${file}.ts`,
      '',
      ...table(['', ...columns.map(({ kernel }) => kernel)], rows),
      ...reasons(columns, file),
    ];
  });
}

function outcome({ results }: KernelColumn, { file, name }: { file: string; name: string }): string {
  const test = results.filter(isTest).find((one) => one.file === file && one.name === name);
  if (test === undefined) return '';
  return { passed: YES, failed: FAILED, skipped: NO }[test.outcome];
}

/** Each reason once, with the kernels that gave it. */
function reasons(columns: readonly KernelColumn[], file: string): string[] {
  const kernels = new Map<string, string[]>();
  for (const { kernel, results } of columns) {
    for (const { name, reason = 'no reason given', ...test } of results.filter(isTest)) {
      if (test.file !== file || test.outcome !== 'skipped') continue;
      const line = `${name}: ${withoutNamesOfTheRun(reason)}`;
      kernels.set(line, [...(kernels.get(line) ?? []), kernel]);
    }
  }
  if (kernels.size === 0) return [''];
  const lines = [...kernels].map(([line, of]) => `- ${of.join(', ')}: ${line}`);
  return ['', 'Skipped:', '', ...lines, ''];
}

/** Interfaces and folders have other names each time, which say nothing. */
function withoutNamesOfTheRun(reason: string): string {
  return reason
    .replaceAll(/\/tmp\/ts-xdp-(\w+)-\w{6}\//g, '/tmp/$1/')
    .replaceAll(/\btx\w\w-(\w+)/g, 'interface $1');
}

/** In the widths that prettier gives it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`;
  const [first = [], ...others] = cells;
  return [line(first), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...others.map(line)];
}
