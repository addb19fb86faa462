/** An object that has changed since its module was generated is refused, with what has changed. */
import { pathToFileURL } from 'node:url';
import t from 'tap';
import type { TsXdpError } from '../../src/errors.ts';
import type * as library from '../../src/index.ts';
import { inProject } from '../helpers/project-root.ts';
import { ModuleFolder } from './module-folder.ts';

const folder = ModuleFolder.of(t, ['gen-types', 'gen-families']);
interface Loader {
  load(options: { object?: unknown; prepare?: () => void }): unknown;
}
const modulesOf = {
  'gen/types': folder.import<Loader>('gen-types'),
  'gen/families': folder.import<Loader>('gen-families'),
};

/** The error that a module refuses a changed object with, or that says that it would load it. */
async function refusal(
  fixture: 'gen/types' | 'gen/families',
  { defines, name }: { defines: Record<string, string>; name: string },
): Promise<TsXdpError> {
  const { load } = await modulesOf[fixture];
  // The class of the build, which is what the module imports.
  const build = (await import(pathToFileURL(inProject('dist/index.js')).href)) as typeof library;
  const object = build.ObjectFile.open(folder.objects.compile(fixture, { name, defines }));
  const passed = 'it would be loaded';
  try {
    load({
      object,
      prepare() {
        throw new Error(passed);
      },
    });
  } catch (error) {
    if (error instanceof build.LayoutError || (error as Error).message === passed) return error as TsXdpError;
    throw error;
  }
  throw new Error('it was loaded');
}

t.test('an object that has changed is refused before it is loaded', async (t) => {
  const hint = 'generate the module again: ts-xdp gen gen-types.bpf.o -o gen-types.ts';
  const refused = (defines: Record<string, string>, name: string): Promise<TsXdpError> =>
    refusal('gen/types', { defines, name });
  const moved = await refused({ CHANGED: '1' }, 'moved');
  t.equal(
    moved.message,
    'Cannot load gen-types.bpf.o: field after of struct moving is at byte 8 in the object and at byte 4 in the generated module',
  );
  t.equal(moved.hint, hint);
  t.same(moved.facts(), {
    typeId: undefined,
    struct: 'struct moving',
    field: 'after',
    expectedOffset: 4,
    foundOffset: 8,
  });
  const cases: readonly (readonly [string, string])[] = [
    ['NARROW', 'field total of struct packed is u32 in the object and s64 in the generated module'],
    ['BIT', 'field minus of struct bits is at bit 9 in the object and at bit 8 in the generated module'],
    ['GROWN', 'the size of struct point is 6 bytes in the object and 4 bytes in the generated module'],
    ['ADDED', 'field extra of struct words is in the object and not in the generated module'],
    ['GONE', 'field view of struct words is in the generated module and not in the object'],
    ['ENUMERATOR', 'enumerator VERDICT_BAD of enum verdict is 8 in the object and 7 in the generated module'],
    ['LIMIT', 'variable limit is u64 in the object and u32 in the generated module'],
  ];
  for (const [define, why] of cases) {
    const { message } = await refused({ [define]: '1' }, define.toLowerCase());
    t.equal(message, `Cannot load gen-types.bpf.o: ${why}`);
  }
});

t.test(
  'a map of another kind is refused, and one that differs in nothing that is called is not',
  async (t) => {
    const refused = (kind: string): Promise<TsXdpError> =>
      refusal('gen/families', { defines: { COUNTS: `BPF_MAP_TYPE_${kind}` }, name: `families-${kind}` });
    for (const kind of ['PERCPU_HASH', 'ARRAY']) {
      const { message } = await refused(kind);
      const why = `map counts is ${kind.toLowerCase()} in the object and hash in the generated module`;
      t.equal(message, `Cannot load gen-families.bpf.o: ${why}`);
    }
    for (const kind of ['HASH', 'LRU_HASH']) t.equal((await refused(kind)).message, 'it would be loaded');
  },
);

t.test('each use of a type is compared, not the first one alone', async (t) => {
  const cases: readonly (readonly [define: string, why: string])[] = [
    [
      'SWAPPED',
      'field source of struct address_pair is at byte 4 in the object and at byte 0 in the generated module',
    ],
    [
      'OTHER_ENUM',
      'enumerator STAGE_IN_ of enum stage is 7 in the object and missing in the generated module',
    ],
  ];
  for (const [define, why] of cases) {
    const { message } = await refusal('gen/families', {
      defines: { [define]: '1' },
      name: `families-${define}`,
    });
    t.equal(message, `Cannot load gen-families.bpf.o: ${why}`);
  }
});
