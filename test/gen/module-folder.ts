/** Objects of the fixtures, compiled, and the modules that `ts-xdp gen` writes for them, in a folder of a test. */
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Test } from 'tap';
import { planGeneration, type GenOptions } from '../../src/cli/gen/plan.ts';
import { noClang, ObjectFolder } from '../helpers/object-source.ts';
import { skipFile } from '../helpers/skip-file.ts';
import { snifferObject } from '../helpers/sniffer-events.ts';
import { withoutTypes } from './typescript-program.ts';

export type Fixture = (typeof fixtures)[number];

const fixtures = [
  'gen/types',
  'gen/families',
  'gen/flexible',
  'typed-events',
  'loader/globals',
  'loader/maps',
  'btf/types',
] as const;

export const nameOf = (fixture: Fixture): string => fixture.replace('/', '-');

/** Every module, by its name without `.ts`. */
export const modules: readonly string[] = ['sniffer', ...fixtures.map(nameOf)];

export class ModuleFolder {
  readonly path: string;
  readonly objects = new ObjectFolder();

  /** Makes objects and modules, those of all fixtures or of some. */
  constructor(path: string, only: readonly string[] = modules) {
    this.path = path;
    for (const fixture of fixtures) {
      const name = nameOf(fixture);
      if (!only.includes(name)) continue;
      const source =
        fixture === 'btf/types'
          ? this.objects.compileFile('btf/types.c')
          : this.objects.compile(fixture, { name });
      copyFileSync(source, this.file(`${name}.bpf.o`));
    }
    if (only.includes('sniffer')) copyFileSync(snifferObject, this.file('sniffer.bpf.o'));
    for (const name of only) this.generate(`${name}.bpf.o`, { output: `${name}.ts` });
  }

  /** One for all of a test file, which is skipped without clang. */
  static of(t: Test, only?: readonly string[]): ModuleFolder {
    skipFile(t, noClang);
    const folder = new ModuleFolder(t.testdir({}), only);
    t.teardown(() => {
      folder.close();
    });
    return folder;
  }

  file(name: string): string {
    return join(this.path, name);
  }

  generate(object: string, options: GenOptions & { output: string }): string {
    const output = this.file(options.output);
    const text = planGeneration(this.file(object), { ...options, output }).generate();
    writeFileSync(output, text);
    return text;
  }

  /** A module as its user has it once compiled, without a look at its types. */
  async import<Module>(name: string): Promise<Module> {
    const plan = planGeneration(this.file(`${name}.bpf.o`), { output: this.file(`${name}.ts`) });
    writeFileSync(this.file(`${name}.js`), withoutTypes(plan.generate()));
    return (await import(pathToFileURL(this.file(`${name}.js`)).href)) as Module;
  }

  close(): void {
    this.objects.close();
  }
}
