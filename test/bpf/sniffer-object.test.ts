/** The committed bpf/sniffer.bpf.o against its sources, by the words of clang, llvm-objdump and bpftool. */
import t from 'tap';
import { BuiltObject } from '../helpers/built-object.ts';

const object = new BuiltObject('sniffer');

object.testBuild(t, { instructions: 5000 });

function tail(base: number): string[] {
  const offsets = {
    src_port: 0,
    dst_port: 2,
    protocol: 4,
    tcp_flags: 5,
    packet_len: 6,
    ip_header_len: 10,
    l4_header_len: 12,
    timestamp: 14,
    payload_len: 22,
    payload: 24,
    interface_mode: 536,
    is_wan_facing: 537,
    source_ifindex: 538,
    source_interface: 542,
  };
  return Object.entries(offsets).map(([name, offset]) => `${name} @${String(base + offset)}`);
}

t.test('the anchors lead from each ring to the struct of its events', (t) => {
  const kinds = 'CONST PTR CONST';
  t.same(object.anchors(), {
    ts_xdp_event_events: { kinds, shape: ['simple_event 566', 'src_ip @0', 'dst_ip @4', ...tail(8)] },
    ts_xdp_event_events_v6: {
      kinds,
      shape: [
        'simple_event_v6 600',
        'src_ip @0',
        'dst_ip @16',
        ...tail(32),
        'vlan_proto @590',
        'vlan_tci @592',
        'hop_limit @594',
        'traffic_class @595',
        'flow_label @596',
      ],
    },
    ts_xdp_counters_stats: {
      kinds,
      shape: [
        'sniffer_stats 56',
        ...['seen', 'ignored', 'filtered', 'no_space', 'submitted', 'vlan', 'payload_unreadable'].map(
          (name, index) => `${name} @${String(index * 8)}`,
        ),
      ],
    },
  });
  t.end();
});

t.test('the programs differ in the 15 characters of a name that the kernel keeps', (t) => {
  const programs = object.programs();
  t.same(programs, [
    '?xdp.frags xdp_bound_sniffer',
    '?xdp.frags xdp_frags_sniffer',
    'tc tc_sniffer_egress',
    'xdp xdp_sniffer_enhanced',
  ]);
  t.equal(new Set(programs.map((program) => program.split(' ')[1]?.slice(0, 15))).size, 4);
  t.end();
});
