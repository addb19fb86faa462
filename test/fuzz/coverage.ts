import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export interface LineCoverage {
  readonly covered: number;
  readonly total: number;
}

interface Summary {
  readonly [file: string]: { readonly lines: { readonly covered: number; readonly total: number } };
}

/** The folders whose files take what others have written. */
const FOLDERS = [
  'asm',
  'btf',
  'cli',
  'dispatcher',
  'elf',
  'gen',
  'inspect',
  'link',
  'loader',
  'maps',
  'netlink',
  'repl',
  'ringbuf',
  'sniffer',
  'sys',
];

/** Lines of the parsers that the workers ran, by the data that V8 left in a folder. c8 comes with tap. */
export function lineCoverage(root: string, folder: string): Map<string, LineCoverage> {
  const report = join(folder, 'report');
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      ...[join(root, 'node_modules/.bin/c8'), 'report', '--temp-directory', folder, '--reports-dir', report],
      ...[
        '--reporter',
        'json-summary',
        '--exclude-after-remap',
        '--include',
        'src/**',
        '--exclude',
        'test/**',
      ],
    ],
    { cwd: root, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`Cannot read the coverage: ${stderr}`);
  const summary = JSON.parse(readFileSync(join(report, 'coverage-summary.json'), 'utf8')) as Summary;
  const files = Object.entries(summary).flatMap(([path, { lines }]): [string, LineCoverage][] => {
    const file = relative(root, path);
    return FOLDERS.some((name) => file.startsWith(`src/${name}/`)) ? [[file, lines]] : [];
  });
  return new Map(files.sort(([a], [b]) => (a < b ? -1 : 1)));
}
