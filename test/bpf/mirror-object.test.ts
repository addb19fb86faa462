/** The committed bpf/mirror.bpf.o against its sources, and what user space counts on. */
import t from 'tap';
import { ObjectFile } from '../../src/elf/index.ts';
import { MapType } from '../../src/maps/index.ts';
import { BuiltObject } from '../helpers/built-object.ts';

const object = new BuiltObject('mirror');

object.testBuild(t, { instructions: 500 });

t.test('the maps have the names, sizes and pins that the documentation says', (t) => {
  const { maps } = ObjectFile.open(object.path);
  const facts = [...maps.values()]
    .filter(({ name }) => !name.startsWith('.'))
    .map(({ name, type, valueSize, maxEntries, pinByName }) => [
      name,
      type,
      valueSize,
      maxEntries,
      pinByName,
    ]);
  t.same(facts, [
    ['mirror_config', MapType.Array, 12, 1, false],
    ['mirror_targets', MapType.Array, 28, 16, false],
    ['mirror_counters', MapType.PerCpuArray, 40, 1, false],
    ['mirror_rules', MapType.Array, 40, 16, false],
    ['mirror_stats', MapType.Hash, 24, 16, true],
  ]);
  t.end();
});

t.test('the programs differ in the 15 characters of a name that the kernel keeps', (t) => {
  const programs = object.programs();
  t.same([...programs].sort(), [
    'tc/egress mirror_egress',
    'tc/egress mirror_encapsulate',
    'tc/ingress mirror_ingress',
    'tc/ingress mirror_refuse',
  ]);
  t.equal(new Set(programs.map((program) => program.split(' ')[1]?.slice(0, 15))).size, 4);
  t.end();
});
