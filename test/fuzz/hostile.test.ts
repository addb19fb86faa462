/** Input that is well-formed, and made to cost far more than it weighs: it ends with a result or an error of ours. */
import t from 'tap';
import { Btf, BtfBuilder, createCodec, dedup, dumpC, rawText, sizeOf } from '../../src/btf/index.ts';
import { ObjectListing } from '../../src/cli/disasm/listing.ts';
import { checkNames } from '../../src/cli/disasm/run.ts';
import { objectReport } from '../../src/cli/inspect/report.ts';
import { ExecutableFile, findFunctions, ObjectFile, readUsdtProbes } from '../../src/elf/index.ts';
import { ObjectError } from '../../src/errors.ts';
import { matchesPattern } from '../../src/link/name-pattern.ts';
import { thrown } from '../helpers/thrown.ts';
import {
  alikeEnums,
  chainOf,
  alikeLongEnums,
  alikeStructs,
  cycle,
  doublingUnions,
  hugeDatasec,
  longEnumerators,
  longNames,
  namelessEnums,
  namelessUnions,
  nestedStructs,
  sameLongName,
  sharedChain,
  sharedFunction,
  sharedUnion,
} from './hostile-btf.ts';
import {
  manySymbolTables,
  probesAmongSections,
  sectionsWithOneLongName,
  symbolsWithOneLongName,
  versionsWithOneLongName,
} from './hostile-executables.ts';
import { manyPrograms, manySections } from './hostile-objects.ts';
import {
  exceptionCallbacks,
  externsOfOneName,
  largeSettings,
  largeVariables,
  manyMaps,
  manyProgramSections,
  manyRelocationSections,
  manyStructOps,
  programArrays,
  sameDataSections,
} from './hostile-sections.ts';
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
  const long = ObjectFile.parse(manyPrograms(1000, { length: 100, relocations: 100 }));
  t.equal(objectReport(long).core_relocations.length, 100_000, 'many relocations in many programs');
  const listing = new ObjectListing(long);
  const cores = [...long.programs.values()].map(
    (fn) => listing.list(fn).instructions.flatMap(({ core }) => core).length,
  );
  t.same(new Set(cores), new Set([100]));

  const chain = (count: number): ObjectFile => ObjectFile.parse(manyPrograms(count, { chained: true }));
  t.equal(objectReport(chain(500)).programs[0]?.calls.length, 499, 'programs that call each the next one');
  const tangle = thrown(() => objectReport(chain(1000)));
  t.ok(tangle instanceof ObjectError);
  t.match(
    tangle.message,
    /^Cannot follow the calls of program_\d+: the functions of the object call each other more than 262144 times$/,
  );

  const renamed = ObjectFile.parse(manyPrograms(1, { length: 60_000, names: 5000 }));
  t.equal(objectReport(renamed).programs.length, 5000, 'thousands of names of one long program');
  t.equal(
    thrown(() => {
      checkNames([...renamed.programs.values()]);
    }).message,
    'Cannot disassemble the object: other names of its functions repeat 299940000 instructions',
  );

  const object = ObjectFile.parse(manySections(65_000));
  t.equal(object.variables.size, 65_000, 'as many sections as there may be, with a variable each');
  t.equal(object.variable('variable_64999').section, '.data.64999');
  t.end();
});

t.test('objects in which everything refers to everything else', (t) => {
  const parse = (bytes: Uint8Array): ObjectFile => ObjectFile.parse(bytes);
  const message = (bytes: Uint8Array): string => thrown(() => parse(bytes)).message;
  t.equal(parse(manyProgramSections(65_000)).programs.size, 65_000, 'a section for each program');
  t.equal(parse(manyRelocationSections(30_000)).maps.size, 1, 'sections of relocations for one other');
  const same = parse(sameDataSections(60_000));
  t.same([...same.maps.keys(), ...same.variables.keys()], ['.data', 'variable'], 'sections of one name');
  t.equal(parse(externsOfOneName(100_000)).externs.size, 1, 'externs of a name that as many types have');
  t.equal(parse(largeSettings(20_000, 20_000)).map('.kconfig').valueSize, 80_000);
  t.equal(parse(exceptionCallbacks(100_000)).programs.size, 0, 'many tags of one function');

  t.equal(parse(manyMaps(20_000)).maps.size, 20_000, 'maps in one section');
  t.equal(parse(manyMaps(10, { described: 10_000 })).maps.size, 10, 'maps that BTF lists again and again');
  t.equal(
    message(manyMaps(10_000, { members: 10_000 })),
    'Cannot read map map_0: it has a member type twice',
  );
  t.equal(parse(programArrays(20_000, 1000)).map('map_19999').initialSlots.length, 1000);

  const ops = parse(manyStructOps(20_000, { programs: 5000 }));
  t.equal(ops.maps.size, 20_000, 'struct_ops maps and programs');
  t.equal(ops.program('program_4999').autoload, true);
  t.equal(
    parse(manyStructOps(1, { members: 50_000, programs: 1 })).map('map_0').structOps?.programs.size,
    50_000,
  );
  t.equal(
    message(manyStructOps(20_000, { members: 20_000, programs: 1, same: true })),
    'Cannot read struct_ops map map_0: it overlaps with another',
  );

  const { variables } = objectReport(parse(largeVariables(5000, 5000)));
  t.equal(variables.length, 5000, 'variables of as many members, all at the same place');
  t.type(variables[0]?.value, 'object');
  t.equal(variables.at(-1)?.value, null, 'no more values are shown than anybody reads');
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
  t.equal(dumpC(typedefs).split(';\n').length, 100_001);
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

  t.equal(
    message(() => dedup(Btf.parse(alikeStructs(4000)))),
    alike,
  );
  t.equal(
    message(() => dedup(Btf.parse(alikeStructs(100_000)))),
    alike,
  );
  t.equal(
    message(() => dedup(Btf.parse(alikeLongEnums(1500, 500)))),
    alike,
  );
  t.equal(
    message(() => dumpC(Btf.parse(namelessUnions(24)))),
    'Cannot write BTF type 26 in C: types without a name make its text too long',
  );
  t.equal(
    message(() => dumpC(Btf.parse(namelessEnums(6000)))),
    'Cannot write BTF type 3 in C: types without a name make its text too long',
  );
  t.equal(
    message(() => dumpC(Btf.parse(sharedUnion(60_000, 60)))),
    'Cannot write BTF type 3 in C: types without a name make its text too long',
  );
  for (const used of [
    sharedChain('pointer', 100_000),
    sharedChain('const', 100_000),
    sharedFunction(60_000, 60_000),
  ])
    t.match(
      message(() => dumpC(Btf.parse(used))),
      /: types without a name make its text too long$/,
    );
  t.equal(dumpC(Btf.parse(namelessUnions(10))).split('name name;').length, 2 ** 11 + 1);
  t.equal(dedup(Btf.parse(sameLongName(100_000, 100_000))).btf.typeCount, 3, 'one name of 100,000 types');
  t.equal(
    message(() => dumpC(Btf.parse(longEnumerators(5000, 4096)))),
    'Cannot read BTF type 2: its names are too long altogether',
  );

  const section = Btf.parse(hugeDatasec(200_000));
  t.ok(all(section) > 8_000_000, 'a section of 200,000 variables');
  t.equal(dedup(section).btf.typeCount, 4);

  const names = Btf.parse(longNames(50_000));
  for (let index = 0; index < 20; index++) names.findAll(`name${index}`);
  t.same(names.findAll('aaa'), [], 'names of a megabyte are looked through');
  const long = 'Cannot read a name of BTF: that at offset 1 is longer than 4096 bytes';
  for (const read of [() => dumpC(names), () => all(names)]) t.equal(message(read), long);
  const builder = new BtfBuilder();
  for (const build of [() => dedup(names), () => builder.append(names)])
    t.equal(
      message(build),
      'Cannot build BTF: its strings exceed the 16777215 bytes that may be referred to',
    );
  t.end();
});
