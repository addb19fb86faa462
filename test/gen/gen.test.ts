/** The text of the modules that `ts-xdp gen` writes. */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { planGeneration } from '../../src/cli/gen/plan.ts';
import { ObjectFile } from '../../src/elf/index.ts';
import { generateModule } from '../../src/gen/index.ts';
import { snifferObject } from '../helpers/sniffer-events.ts';
import { ModuleFolder } from './module-folder.ts';
import { withoutTypes } from './typescript-program.ts';

const folder = ModuleFolder.of(t, ['sniffer', 'gen-types']);

t.test('comments have the types of C and what decl tags say', (t) => {
  const text = readFileSync(folder.file('gen-types.ts'), 'utf8');
  t.match(
    text,
    `/** \`struct tagged\`, 8 bytes. what the tests look for. */
export interface Tagged {
  /** \`int\` at byte 0. in seconds. */
  member: number;
  /** \`int\` at byte 4. */
  plain: number;
}`,
  );
  t.match(text, '  /** `__u64` in `.bss`. how often. */\n  readonly counter: TypedVariable<bigint>;');
  t.match(text, '  /** Section `?xdp`. Loaded only when chosen by the option `programs`. */');
  const lines = '[number, number, number]';
  t.match(text, `  readonly lines: HashMap<${lines}, LineT, Input<${lines}>, Input<LineT>>;`);
  t.match(text, '  readonly verdicts: PerCpuMap<number, Verdict, Input<number>, Input<Verdict>>;');
  t.match(text, '  readonly untyped: HashMap<Uint8Array, Uint8Array, Input<Uint8Array>, Input<Uint8Array>>;');
  t.end();
});

t.test('the same object makes the same text, wherever that is', (t) => {
  const here = readFileSync(folder.file('sniffer.ts'), 'utf8');
  t.equal(folder.generate('sniffer.bpf.o', { output: 'sniffer.ts' }), here);
  const before = process.cwd();
  process.chdir(folder.path);
  t.teardown(() => {
    process.chdir(before);
  });
  t.equal(planGeneration('sniffer.bpf.o', { output: 'sniffer.ts' }).generate(), here);
  t.match(here, '// To generate it again, in this folder: ts-xdp gen sniffer.bpf.o -o sniffer.ts\n');
  t.match(
    planGeneration('sniffer.bpf.o', { output: 'sub dir/it.ts', package: '@me/bpf' }).generate(),
    '// To generate it again, in this folder: ts-xdp gen ../sniffer.bpf.o --package @me/bpf -o it.ts\n',
  );
  t.match(
    planGeneration('sniffer.bpf.o', { output: 'sub dir/it.ts', package: '@me/bpf' }).generate(),
    "} from '@me/bpf/gen-runtime';",
  );
  t.end();
});

t.test('the embedded object is the one that it was generated from', async (t) => {
  const text = folder.generate('sniffer.bpf.o', { output: 'embedded.ts', embed: true });
  writeFileSync(folder.file('embedded.js'), withoutTypes(text));
  const { openObject } = (await import(pathToFileURL(folder.file('embedded.js')).href)) as {
    openObject: () => ObjectFile;
  };
  const [embedded, original] = [openObject(), ObjectFile.open(snifferObject)];
  t.same([...embedded.programs.keys()], [...original.programs.keys()]);
  t.same(embedded.btf?.bytes, original.btf?.bytes);
  t.equal(embedded.name, 'sniffer');
});

t.test('an object for machines of the other byte order is refused', (t) => {
  const object = ObjectFile.open(folder.objects.compile('gen/types', { name: 'big', target: 'bpfeb' }));
  const source = { kind: 'beside', path: './big.bpf.o' } as const;
  t.throws(() => generateModule(object, { source, objectName: 'big.bpf.o', regenerate: '' }), {
    message: 'Cannot generate a module for big.bpf.o: it is big-endian',
    code: 'OBJECT_FOREIGN_ENDIAN',
  });
  t.end();
});
