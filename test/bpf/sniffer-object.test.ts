/** The committed bpf/sniffer.bpf.o against its sources, by the words of clang, llvm-objdump and bpftool. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { BPF_FLAGS, buildBpf, compileBpf, compilerVersion, hashSources } from '../../scripts/build-bpf.ts';
import type { BuildRecord } from '../../scripts/build-bpf.ts';
import { projectRoot as root } from '../helpers/project-root.ts';

const source = 'bpf/sniffer.bpf.c';
const object = join(root, 'bpf/sniffer.bpf.o');
const record = JSON.parse(readFileSync(`${object}.json`, 'utf8')) as BuildRecord;

function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
}

/** Every instruction and relocation, without the line that names the file. */
function instructions(path: string): string[] {
  return run('llvm-objdump', ['-d', '-r', path])
    .split('\n')
    .filter((line) => !line.includes('file format'));
}

/** Why this machine cannot compile the object as it was compiled; `false` where it can. */
function otherCompiler(): string | false {
  try {
    const here = compilerVersion();
    return here === record.compiler ? false : `built by ${record.compiler}, here is ${here}`;
  } catch (error) {
    return `no clang: ${String(error)}`;
  }
}

interface BtfMember {
  name: string;
  bits_offset: number;
}

interface BtfRecord {
  id: number;
  kind: string;
  name: string;
  size?: number;
  type_id?: number;
  members?: BtfMember[];
  vars?: { type_id: number }[];
}

const btf = (JSON.parse(run('bpftool', ['-j', 'btf', 'dump', 'file', object])) as { types: BtfRecord[] })
  .types;

function btfType(id: number | undefined): BtfRecord {
  const type = btf.find((candidate) => candidate.id === id);
  if (type === undefined) throw new Error(`BTF of the object has no type ${String(id)}`);
  return type;
}

/** `simple_event@0 src_ip@0 …`: the struct's size and its members' offsets. */
function shape(struct: BtfRecord): string[] {
  return [
    `${struct.name} ${String(struct.size)}`,
    ...(struct.members ?? []).map(({ name, bits_offset }) => `${name} @${String(bits_offset / 8)}`),
  ];
}

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

t.test('the object was built from the sources that lie beside it', (t) => {
  t.equal(hashSources(source, root), record.sourceSha256, 'run npm run build:bpf and commit the result');
  t.same(record.flags, BPF_FLAGS);
  t.same(buildBpf({ root, ifStale: true }), [], 'nothing is stale');
  t.end();
});

t.test('compiled again by the same compiler it has the same instructions', { skip: otherCompiler() }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-bpf-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  const again = join(folder, 'sniffer.bpf.o');
  compileBpf(source, { output: again, root });
  const committed = instructions(object);
  t.ok(committed.length > 5000, 'there are instructions to compare');
  t.same(instructions(again), committed);
  t.end();
});

t.test('no path of the machine that built it is in the object', (t) => {
  const text = readFileSync(object, 'latin1');
  const paths = [...text.matchAll(/[\w.-]*(?:\/[\w.-]+)+\.[ch]\b/g)].map(([path]) => path);
  t.ok(paths.includes('./bpf/sniffer.bpf.c'), 'source lines keep the path within the project');
  t.same(
    paths.filter((path) => !path.startsWith('./bpf/')),
    [],
  );
  t.end();
});

t.test('the anchors lead from each ring to the struct of its events', (t) => {
  const section = btf.find(({ kind, name }) => kind === 'DATASEC' && name === '.ts_xdp');
  const anchored = Object.fromEntries(
    (section?.vars ?? []).map(({ type_id }) => {
      const variable = btfType(type_id);
      const kinds: string[] = [];
      let target = btfType(variable.type_id);
      for (; target.kind !== 'STRUCT'; target = btfType(target.type_id)) kinds.push(target.kind);
      return [variable.name, { kinds: kinds.join(' '), shape: shape(target) }];
    }),
  );
  const kinds = 'CONST PTR CONST';
  t.same(anchored, {
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
  const names = [...run('llvm-objdump', ['-t', object]).matchAll(/ F (\S+)\s+[0-9a-f]+ (\S+)$/gm)];
  t.same(names.map(([, section, name]) => `${String(section)} ${String(name)}`).sort(), [
    '?xdp.frags xdp_bound_sniffer',
    '?xdp.frags xdp_frags_sniffer',
    'tc tc_sniffer_egress',
    'xdp xdp_sniffer_enhanced',
  ]);
  t.equal(new Set(names.map(([, , name]) => name?.slice(0, 15))).size, 4);
  t.end();
});
