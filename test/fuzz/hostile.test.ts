/** Input that is well-formed, and made to cost far more than it weighs: it ends with a result or an error of ours. */
import t from 'tap';
import { Btf, BtfBuilder, createCodec, dedup, dumpC, rawText, sizeOf } from '../../src/btf/index.ts';
import { objectReport } from '../../src/cli/inspect/report.ts';
import { ExecutableFile, findFunctions, ObjectFile, readUsdtProbes } from '../../src/elf/index.ts';
import { matchesPattern } from '../../src/link/name-pattern.ts';
import { thrown } from '../helpers/thrown.ts';
import {
  alikeEnums,
  chainOf,
  cycle,
  doublingUnions,
  hugeDatasec,
  longNames,
  nestedStructs,
} from './hostile-btf.ts';
import {
  manySymbolTables,
  probesAmongSections,
  sectionsWithOneLongName,
  symbolsWithOneLongName,
  versionsWithOneLongName,
} from './hostile-executables.ts';
import { manyPrograms, manySections } from './hostile-objects.ts';
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

t.test('objects', (t) => {
  const report = objectReport(ObjectFile.parse(manyPrograms(1000)));
  t.equal(report.programs.length, 1000, 'a thousand programs in one section');
  t.equal(report.programs.at(-1)?.name, 'program_999');
  const related = objectReport(ObjectFile.parse(manyPrograms(500, { relocations: 2 })));
  t.equal(related.core_relocations.length, 1000, 'as many CO-RE relocations as instructions');
  t.equal(related.core_relocations.at(-1)?.spec, '<byte_off> [3] struct task_struct.pid (0:0 @ offset 0)');
  const unrelated = thrown(() => ObjectFile.parse(manyPrograms(1, { relocations: 1_000_000 })));
  t.equal(
    unrelated.message,
    'Cannot read .BTF.ext: section xdp has 1000000 CO-RE relocations for 2 instructions',
  );
  const object = ObjectFile.parse(manySections(65_000));
  t.equal(object.variables.size, 65_000, 'as many sections as there may be, with a variable each');
  t.equal(object.variable('variable_64999').section, '.data.64999');
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

t.test('types', (t) => {
  const message = (action: () => unknown): string => thrown(action).message;
  const all = (btf: Btf): number =>
    [...btf.ids()].reduce((length, id) => length + rawText(btf, id).length, 0);
  const typedefs = Btf.parse(chainOf('typedef', 100_000));
  t.equal(
    message(() => sizeOf(typedefs, 100_001)),
    'Cannot resolve BTF type 100001: it refers to itself, or through more than 32 types',
  );
  t.match(
    message(() => dumpC(typedefs)),
    /^Cannot write BTF type \d+ in C: it refers to itself$/,
  );
  t.equal(dedup(typedefs).btf.typeCount, 100_002);

  const nested = Btf.parse(nestedStructs(20_000));
  t.equal(
    message(() => createCodec(nested, 20_001)),
    'Cannot read and write values of BTF type 19969: it is nested too deeply',
  );
  const alike = 'Cannot deduplicate BTF: too many of its types are told apart only by what they lead to';
  t.equal(
    message(() => dedup(Btf.parse(alikeEnums(20_000)))),
    alike,
  );

  const unions = Btf.parse(doublingUnions(25));
  t.equal(
    message(() => createCodec(unions, 26)),
    'Cannot read and write values of BTF type 21: its 4 bytes would be 2097151 values',
  );

  const loops = Btf.parse(cycle());
  t.match(
    message(() => createCodec(loops, 2)),
    /: it contains itself$/,
  );
  t.equal(
    message(() => dedup(loops)),
    'Cannot deduplicate BTF type 5: it refers to itself',
  );

  const section = Btf.parse(hugeDatasec(200_000));
  t.ok(all(section) > 8_000_000, 'a section of 200,000 variables');
  t.equal(dedup(section).btf.typeCount, 4);

  const names = Btf.parse(longNames(50_000));
  for (let index = 0; index < 20; index++) names.findAll(`name${index}`);
  t.same(names.findAll('aaa'), [], 'names of a megabyte are looked through');
  const long = 'Cannot read a string of BTF: that at offset 1 is longer than 65536 bytes';
  for (const read of [() => dumpC(names), () => all(names)]) t.equal(message(read), long);
  const builder = new BtfBuilder();
  for (const build of [() => dedup(names), () => builder.append(names)])
    t.equal(
      message(build),
      'Cannot build BTF: its strings exceed the 16777215 bytes that may be referred to',
    );
  t.end();
});
