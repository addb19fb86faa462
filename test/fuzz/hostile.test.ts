/** Input that is well-formed, and made to cost far more than it weighs: it ends with a result or an error of ours. */
import t from 'tap';
import { ExecutableFile, findFunctions, readUsdtProbes } from '../../src/elf/index.ts';
import { matchesPattern } from '../../src/link/name-pattern.ts';
import { thrown } from '../helpers/thrown.ts';
import {
  manySymbolTables,
  probesAmongSections,
  sectionsWithOneLongName,
  symbolsWithOneLongName,
  versionsWithOneLongName,
} from './hostile-executables.ts';
import { sourceOf } from './targets/executable.ts';

/** What came of it: the message, or how many there are. */
function outcome(action: () => readonly unknown[]): string | number {
  try {
    return action().length;
  } catch (error) {
    return (error as Error).message;
  }
}

t.test('programs and libraries', (t) => {
  const open = (bytes: Uint8Array): ExecutableFile => new ExecutableFile(sourceOf(bytes));
  const functions = (bytes: Uint8Array): string | number =>
    outcome(() => findFunctions(open(bytes), { test: (name) => name !== '' }));
  const probes = (bytes: Uint8Array): string | number => outcome(() => readUsdtProbes(open(bytes)));
  t.equal(
    thrown(() => open(sectionsWithOneLongName())).message,
    'Cannot read mutant: its names overlap',
    'sections that share a name of a megabyte',
  );
  t.equal(functions(symbolsWithOneLongName()), 'Cannot read mutant: its names overlap');
  t.equal(functions(versionsWithOneLongName()), 'Cannot read mutant: its names overlap');
  t.equal(functions(manySymbolTables()), 1, 'the first of 60,000 tables of 50,000 equal symbols');
  t.equal(
    probes(probesAmongSections(1170)),
    'Cannot read the probes of mutant: probe : is in no executable segment',
  );
  t.equal(probes(probesAmongSections(1171)), 'Cannot read mutant: it has 1171 program headers');
  t.end();
});

t.test('patterns of names take no longer than their lengths multiplied', (t) => {
  const cases: [pattern: string, name: string, matches: boolean][] = [
    ['*a'.repeat(30), `${'a'.repeat(50_000)}b`, false],
    [`${'*a'.repeat(30)}*`, `${'a'.repeat(50_000)}b`, true],
    ['tcp_*', 'tcp_connect', true],
    ['tcp_*', 'udp_tcp_', false],
    ['*_?end*g', 'tcp_sendmsg', true],
    ['tcp_sendms?', 'tcp_sendmsg', true],
    ['tcp_sendmsg?', 'tcp_sendmsg', false],
    ['a.c', 'abc', false],
    ['*', '', true],
    ['', 'x', false],
    ['a*b*', 'ab', true],
  ];
  for (const [pattern, name, matches] of cases)
    t.equal(matchesPattern(pattern, name), matches, `${pattern} and ${name}`.slice(0, 60));
  t.end();
});
