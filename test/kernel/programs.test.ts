/** Program handles: what the kernel says of them, runs on packets of the test's own, pins, copies. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmdirSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { BpfMap, BpfProgram, Collection, ObjectFile } from '../../src/index.ts';
import { programTypeName } from '../../src/programs/index.ts';
import { mountKernelFileSystem, unmount } from '../../src/sys/index.ts';
import { BPF_PROG_TYPE_NETFILTER, BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_XDP } from '../../src/uapi/index.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { isKernelBefore } from '../helpers/lacking.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { profiled } from '../helpers/profiled.ts';
import { uninterrupted } from '../helpers/test-runs.ts';
import { thrown } from '../helpers/thrown.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() : 'programs need root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const compiler = new Compiler();
const bpffs = mkdtempSync(join(tmpdir(), 'ts-xdp-bpffs-'));
mountKernelFileSystem('bpf', bpffs);
t.teardown(() => {
  compiler.close();
  unmount(bpffs);
  rmdirSync(bpffs);
});
const text = `#include "check.h"
  #include <linux/pkt_cls.h>
  __u32 runs;
  SEC("xdp") int first_byte(struct xdp_md *ctx) {
    __u8 *data = (void *)(long)ctx->data;
    runs++;
    if (data + 1 > (__u8 *)(long)ctx->data_end) return 1;
    data[0]++;
    return data[0] + (ctx->ingress_ifindex << 8);
  }
  SEC("xdp") int grow(struct xdp_md *ctx) { return bpf_xdp_adjust_tail(ctx, 100) ? __LINE__ : 0; }
  SEC("tc") int mark(struct __sk_buff *skb) { return skb->mark; }
  SEC("tp/sched/sched_switch") int no_run(void *ctx) { return 0; }
  char _license[] SEC("license") = "GPL";`;
const before = openDescriptors();
const objectPath = compiler.source('programs', text);
const collection = Collection.load(ObjectFile.open(objectPath));
const data = new Uint8Array(64).fill(41);

t.test('repeats are not cut short by a profiler', async (t) => {
  const program = collection.program('first_byte');
  const repeat = 5_000_000;
  collection.variable('runs').set(0);
  const samples = await profiled(() => program.testRun({ data, repeat }));
  t.equal(collection.variable('runs').get(), repeat);
  t.ok(samples > 0, 'samples were taken');
});

/** Waits until it is told to, and then sends Ctrl-C while the other thread is in the kernel. */
const interrupter = `
  const { parentPort, workerData } = require('node:worker_threads');
  parentPort.once('message', () => {
    Atomics.wait(workerData, 1, 0, 200);
    Atomics.store(workerData, 0, 1);
    process.kill(process.pid, 'SIGINT');
  });`;

t.test('repeats are cut short by Ctrl-C', async (t) => {
  const program = collection.program('first_byte');
  const sent = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(interrupter, { eval: true, workerData: sent });
  await once(worker, 'online');
  const received = once(process, 'SIGINT');
  // Waiting for a signal keeps no process alive, and the worker may be done before it is told of.
  const alive = setInterval(() => undefined, 1000);
  worker.postMessage('now');
  const runs: unknown[] = [];
  // Anything else that ends a run comes before.
  do runs.push(thrown(() => program.testRun({ data, repeat: 0xffff_ffff })));
  while (Atomics.load(sent, 0) === 0);
  t.match(runs.at(-1), {
    code: 'SYSCALL_FAILED',
    message:
      'Cannot run program first_byte: bpf(BPF_PROG_TEST_RUN) failed with EINTR (interrupted system call)',
  });
  await received;
  clearInterval(alive);
  await worker.terminate();
});

t.test('a run gives what the program returned and what became of the packet', (t) => {
  const program = collection.program('first_byte');
  const result = program.testRun({ data });
  t.equal(
    result.returnValue,
    42 + (1 << 8),
    'the kernel runs it on the loopback interface, unless told otherwise',
  );
  t.equal(result.data.length, 64);
  t.equal(result.data[0], 42);
  t.equal(data[0], 41, 'the packet that was given stays as it was');
  const { duration } = uninterrupted(() => {
    collection.variable('runs').set(0);
    return program.testRun({ data, repeat: 1000 });
  });
  t.equal(collection.variable('runs').get(), 1000);
  t.ok(duration < 1e6, 'nanoseconds of one run');
  const grown = collection.program('grow').testRun({ data });
  t.same([grown.returnValue, grown.data.length], [0, 164]);
  t.match(
    thrown(() => collection.program('grow').testRun({ data, dataCapacity: 100 })),
    { code: 'SYSCALL_FAILED', errnoName: 'ENOSPC' },
    'a packet that outgrows the room for it',
  );
  // struct __sk_buff: mark is its third word.
  const context = new Uint8Array(192);
  new DataView(context.buffer).setUint32(8, 4711, true);
  t.equal(collection.program('mark').testRun({ data, context }).returnValue, 4711);
  t.end();
});

t.test('what cannot be run says why', (t) => {
  const program = collection.program('first_byte');
  // Before 5.18 XDP programs ran with less than an Ethernet header (bpf_prog_test_run_xdp(), net/bpf/test_run.c).
  if (!isKernelBefore('5.18')) {
    t.match(
      thrown(() => program.testRun({ data: new Uint8Array(13) })),
      { code: 'SYSCALL_FAILED', errnoName: 'EINVAL' },
    );
  }
  t.match(
    thrown(() => collection.program('no_run').testRun({ data })),
    { code: 'UNSUPPORTED_FEATURE', feature: 'test run of tracepoint' },
  );
  for (const repeat of [-1, 1.5, Number.NaN, 2 ** 32]) {
    t.equal(
      thrown(() => program.testRun({ data, repeat })).message,
      `Cannot use ${repeat} as repeat: an integer from 0 to 4294967295 is needed`,
    );
  }
  t.equal(thrown(() => program.testRun({ data: 'text' as never })).code, 'ARGUMENT_INVALID');
  t.end();
});

t.test('what the kernel says of it is what bpftool shows', (t) => {
  for (const program of collection.programs.values()) {
    const info = program.info();
    const output = execFileSync('bpftool', ['-j', 'prog', 'show', 'id', String(program.id)], {
      encoding: 'utf8',
    });
    t.match(JSON.parse(output), {
      id: info.id,
      type: programTypeName(info.type),
      name: info.name,
      tag: info.tag,
      bytes_xlated: info.translatedSize,
      bytes_jited: info.jitedSize,
      btf_id: info.btfId,
    });
  }
  t.equal(programTypeName(BPF_PROG_TYPE_XDP), 'xdp');
  t.equal(programTypeName(BPF_PROG_TYPE_SCHED_CLS), 'sched_cls');
  t.equal(programTypeName(BPF_PROG_TYPE_NETFILTER), 'netfilter');
  t.equal(programTypeName(9999), 'type_9999');
  t.end();
});

t.test('programs and maps take their own pins back, and leave those of others', (t) => {
  using own = Collection.load(ObjectFile.open(objectPath));
  using other = Collection.load(ObjectFile.open(objectPath));
  const cases = [
    {
      what: 'program',
      of: (one: Collection) => one.program('first_byte'),
      id: (one: Collection) => one.program('first_byte').id,
    },
    {
      what: 'map',
      of: (one: Collection) => one.map('.bss'),
      id: (one: Collection) => one.map('.bss').info().id,
    },
  ] as const;
  for (const { what, of, id } of cases) {
    const pin = join(bpffs, `unpinned_${what}`);
    of(own).pin(pin);
    const { message, code } = thrown(() => {
      of(other).unpin(pin);
    });
    t.equal(code, 'PIN_NOT_FOUND');
    t.equal(
      message.replace(/^.*: (?=\w+ \d+ is pinned)/, ''),
      `${what} ${String(id(own))} is pinned there, and this is ${what} ${String(id(other))}`,
    );
    t.ok(existsSync(pin), 'it stays');
    of(own).unpin(pin);
    t.notOk(existsSync(pin));
    const again = thrown(() => {
      of(own).unpin(pin);
    });
    t.same(
      [again.code, again.message],
      ['PIN_NOT_FOUND', `Cannot open pinned ${what} ${pin}: there is no such file`],
    );
  }
  const pin = join(bpffs, 'of_another_kind');
  own.program('first_byte').pin(pin);
  t.equal(
    thrown(() => {
      own.map('.bss').unpin(pin);
    }).message,
    `Cannot open pinned map ${pin}: a program is pinned there`,
  );
  own.program('first_byte').unpin(pin);
  t.end();
});

t.test('by id, by pin, and as a copy it is the same program', (t) => {
  const program = collection.program('first_byte');
  const { id } = program;
  const byId = BpfProgram.fromId(id);
  const copy = program.duplicate();
  const path = join(bpffs, 'first_byte');
  program.pin(path);
  t.equal(thrown(() => { program.pin(path); }).message, `Cannot pin to ${path}: something is pinned there already`); // prettier-ignore
  const byPin = BpfProgram.fromPin(path);
  t.equal(
    thrown(() => BpfMap.fromPin(path)).message,
    `Cannot open pinned map ${path}: a program is pinned there`,
  );
  collection.close();
  t.equal(program.closed, true);
  t.equal(thrown(() => program.testRun({ data })).message, 'Cannot use program first_byte: it is closed');
  t.equal(thrown(() => program.duplicate()).code, 'CLOSED');
  for (const handle of [byId, copy, byPin]) {
    t.same([handle.id, handle.name, handle.type], [id, 'first_byte', BPF_PROG_TYPE_XDP]);
    t.equal(handle.testRun({ data }).data[0], 42);
    handle.close();
    handle.close();
  }
  unlinkSync(path);
  t.match(
    thrown(() => BpfProgram.fromPin(path)),
    { code: 'PIN_NOT_FOUND', message: `Cannot open pinned program ${path}: there is no such file` },
  );
  t.match(
    thrown(() => BpfProgram.fromId(id)),
    { code: 'SYSCALL_FAILED', errnoName: 'ENOENT' },
  );
  t.same(openDescriptors(), before);
  t.end();
});
