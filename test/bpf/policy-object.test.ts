/** The committed bpf/policy.bpf.o against its sources and against the document of the original firewall. */
import t from 'tap';
import { MapType } from '../../src/maps/index.ts';
import { ObjectFile } from '../../src/elf/index.ts';
import { BuiltObject } from '../helpers/built-object.ts';

const object = new BuiltObject('policy');

object.testBuild(t, { instructions: 300 });

t.test('the anchors lead to the events and to the counters', (t) => {
  t.match(object.anchors(), {
    ts_xdp_event_denials: {
      kinds: 'CONST PTR CONST',
      shape: [
        'denial 64',
        'timestamp @0',
        'source_ip @8',
        'dest_ip @24',
        'packet_size @40',
        'ifindex @44',
        'source_port @48',
        'dest_port @50',
        'protocol @52',
        'family @53',
        'reason @54',
        'rule_shape @55',
        'dry_run @56',
        'reserved @57',
      ],
    },
    ts_xdp_counters_policy_counters: { shape: ['policy_counters 96', 'seen @0'] },
  });
  t.end();
});

t.test("the map of rules is the original's: 12 bytes of key, 4 of value, 100,000 entries", (t) => {
  const { maps } = ObjectFile.open(object.path);
  const facts = [...maps.values()]
    .filter(({ name }) => !name.startsWith('.'))
    .map(({ name, type, keySize, valueSize, maxEntries }) => [name, type, keySize, valueSize, maxEntries]);
  t.same(facts, [
    ['security_policies', MapType.Hash, 12, 4, 100_000],
    ['rule_counters', MapType.PerCpuHash, 12, 16, 100_000],
    ['rule_shapes', MapType.Array, 4, 4, 16],
    ['policy_settings', MapType.Array, 4, 8, 1],
    ['policy_counters', MapType.PerCpuArray, 4, 96, 1],
    ['denial_budget', MapType.PerCpuArray, 4, 16, 1],
    ['denials', MapType.RingBuffer, 0, 0, 2 ** 20],
  ]);
  t.end();
});

t.test('the programs differ in the 15 characters of a name that the kernel keeps', (t) => {
  t.same(object.programs(), ['?xdp.frags enforce_jumbo_frames', 'xdp security_enforce']);
  t.end();
});
