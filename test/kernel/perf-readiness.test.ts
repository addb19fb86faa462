/** perf_poll() tells of a sample once: it must not be told to the epoll set that is only just being made. */
import { readFile } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { Collection, ObjectFile, PerfBuffer, ReaderGroup } from '../../src/index.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() : 'perf buffers need root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const SOURCE = `
#include "check.h"
struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); __uint(key_size, 4); __uint(value_size, 4); } samples SEC(".maps");
SEC("xdp") int emit(struct xdp_md *ctx)
{
	__u32 number = 7;
	return bpf_perf_event_output(ctx, &samples, BPF_F_CURRENT_CPU, &number, sizeof(number)) < 0 ? __LINE__ : 0;
}
char _license[] SEC("license") = "GPL";
`;

const compiler = new Compiler();
const collection = Collection.load(ObjectFile.open(compiler.source('readiness', SOURCE)));
t.teardown(() => {
  collection.close();
  compiler.close();
});

type Buffer = PerfBuffer<Uint8Array>;

async function taken(items: AsyncIterable<unknown>, onItem: () => void): Promise<void> {
  for await (const _ of items) onItem();
}

const READERS: readonly [string, (buffer: Buffer, onSample: () => void) => Promise<void> | void][] = [
  [
    'listening',
    (buffer, onSample) => {
      buffer.listen(onSample);
    },
  ],
  ['an iteration', taken],
  [
    'a group that listens',
    (buffer, onSample) => {
      ReaderGroup.of({ buffer }).listen({ buffer: onSample });
    },
  ],
  ['an iteration over a group', (buffer, onSample) => taken(ReaderGroup.of({ buffer }), onSample)],
];

for (const [title, read] of READERS) {
  t.test(`${title}: a sample between two turns of the event loop`, async (t) => {
    using buffer = PerfBuffer.bytes(collection.map('samples'));
    let samples = 0;
    // A file's contents come in the poll phase, when what is watched from now on waits for the next one.
    await new Promise<void>((resolve, reject) => {
      readFile('/proc/self/status', (error) => {
        if (error) reject(error);
        void read(buffer, () => samples++);
        setImmediate(() => {
          t.equal(collection.program('emit').testRun({ data: new Uint8Array(64) }).returnValue, 0);
          resolve();
        });
      });
    });
    for (let waited = 0; samples === 0 && waited < 500; waited++) await pause(10);
    t.equal(samples, 1);
  });
}
