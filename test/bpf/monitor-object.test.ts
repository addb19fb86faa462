/** The committed bpf/monitor.bpf.o against its sources and against the document of the original monitor. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { MapType } from '../../src/maps/index.ts';
import { ObjectFile } from '../../src/elf/index.ts';
import { BuiltObject } from '../helpers/built-object.ts';

const object = new BuiltObject('monitor');

object.testBuild(t, { instructions: 500 });

const tail = (base: number): string[] =>
  Object.entries({ src_port: 0, dst_port: 2, protocol: 4, packet_size: 8, timestamp: 16, flags: 24 }).map(
    ([name, offset]) => `${name} @${String(base + offset)}`,
  );

const PACKET_DATA = ['packet_data 40', 'src_ip @0', 'dst_ip @4', ...tail(8)];

t.test('the anchors lead from each ring to the struct of its events', (t) => {
  const kinds = 'CONST PTR CONST';
  t.same(object.anchors(), {
    ts_xdp_event_packet_ringbuf: { kinds, shape: PACKET_DATA },
    ts_xdp_event_packet_ringbuf6: {
      kinds,
      shape: ['packet_data_v6 64', 'src_ip @0', 'dst_ip @16', ...tail(32)],
    },
    ts_xdp_counters_packet_counters: {
      kinds,
      shape: [
        'packet_counters 40',
        ...['seen', 'ignored', 'filtered', 'no_space', 'submitted'].map(
          (name, index) => `${name} @${String(index * 8)}`,
        ),
      ],
    },
  });
  t.end();
});

const noCompiler = spawnSync('gcc', ['--version']).status === 0 ? false : 'gcc is not installed';

/** As the original declares it, and how a C compiler lays that out. */
const ORIGINAL = `
#include <stddef.h>
#include <stdio.h>
#include <linux/types.h>
struct packet_data {
  __u32 src_ip; __u32 dst_ip; __u16 src_port; __u16 dst_port; __u32 protocol; __u32 packet_size; __u64 timestamp; __u32 flags;
};
#define FIELD(name) printf(#name " @%zu\\n", offsetof(struct packet_data, name))
int main(void) {
  printf("packet_data %zu\\n", sizeof(struct packet_data));
  FIELD(src_ip); FIELD(dst_ip); FIELD(src_port); FIELD(dst_port);
  FIELD(protocol); FIELD(packet_size); FIELD(timestamp); FIELD(flags);
}
`;

t.test("struct packet_data is the original's, as a C compiler lays it out", { skip: noCompiler }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-layout-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  const [source, program] = [join(folder, 'layout.c'), join(folder, 'layout')];
  writeFileSync(source, ORIGINAL);
  execFileSync('gcc', ['-o', program, source]);
  t.same(execFileSync(program, { encoding: 'utf8' }).trimEnd().split('\n'), PACKET_DATA);
  t.end();
});

t.test("the maps have the original's names and sizes", (t) => {
  const { maps } = ObjectFile.open(object.path);
  const facts = [...maps.values()]
    .filter(({ name }) => !name.startsWith('.'))
    .map(({ name, type, keySize, valueSize, maxEntries }) => [name, type, keySize, valueSize, maxEntries]);
  t.same(facts, [
    ['packet_ringbuf', MapType.RingBuffer, 0, 0, 2 ** 24],
    ['packet_ringbuf6', MapType.RingBuffer, 0, 0, 2 ** 24],
    ['stats_map', MapType.PerCpuArray, 4, 8, 4],
    ['packet_counters', MapType.PerCpuArray, 4, 40, 1],
  ]);
  t.end();
});

t.test('the programs differ in the 15 characters of a name that the kernel keeps', (t) => {
  const programs = object.programs();
  t.same(programs, ['?xdp.frags capture_jumbo_packet_data', 'xdp capture_packet_data']);
  t.equal(new Set(programs.map((program) => program.split(' ')[1]?.slice(0, 15))).size, 2);
  t.end();
});
