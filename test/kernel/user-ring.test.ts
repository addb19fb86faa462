/** Records of a user ring buffer, handed to a program that sums them up. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { Collection, ObjectFile, UserRingBuffer } from '../../src/index.ts';
import { noBpftool } from '../helpers/bpftool.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { isKernelBefore } from '../helpers/lacking.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { runOften } from '../helpers/test-runs.ts';
import { thrown } from '../helpers/thrown.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() : 'user ring buffers need root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const SOURCE = `
#include "check.h"
struct { __uint(type, BPF_MAP_TYPE_USER_RINGBUF); __uint(max_entries, 4096); } commands SEC(".maps");
__u64 seen, sum;
static long take(struct bpf_dynptr *record, void *context)
{
	__u32 number = 0;
	if (bpf_dynptr_read(&number, sizeof(number), record, 0, 0) < 0)
		return 1;
	seen++;
	sum += number;
	return 0;
}
SEC("xdp") int drain(struct xdp_md *ctx)
{
	return bpf_user_ringbuf_drain(&commands, take, 0, 0);
}
char _license[] SEC("license") = "GPL";
`;

const compiler = new Compiler();
const path = compiler.source('user-ring', SOURCE);
const before = openDescriptors().length;
const noUserRing = isKernelBefore('6.1') && 'user ring buffers came with Linux 6.1';
t.teardown(() => {
  compiler.close();
});

/** Has the kernel read what is in the ring. */
function drain(collection: Collection): void {
  runOften(collection.program('drain'), { data: new Uint8Array(64), times: 1 });
}

t.test('a user ring buffer', { skip: noUserRing }, (t) => {
  using collection = Collection.load(ObjectFile.open(path));
  using ring = new UserRingBuffer(collection.map('commands'));
  const total = { seen: 0, sum: 0 };
  const check = (what: string): void => {
    drain(collection);
    t.equal(collection.variable('seen').get(), BigInt(total.seen), what);
    t.equal(collection.variable('sum').get(), BigInt(total.sum), what);
  };
  for (let number = 1; number <= 2000; number++) {
    const record = ring.reserve(12 + (number % 50));
    if (record === undefined) {
      t.ok(ring.pending > 4096 - 80, 'no room is told before it is needed');
      check('all of a full ring');
      t.equal(ring.pending, 0);
      number--;
      continue;
    }
    record.u32(0, number);
    record.u64(4, 5n);
    if (number % 7 === 0) record.discard();
    else {
      record.submit();
      total.seen++;
      total.sum += number;
    }
  }
  check('the rest');
  t.equal(ring.write(Uint8Array.of(9, 0, 0, 0)), true);
  total.seen++;
  total.sum += 9;
  check('bytes');
  const waiting = ring.reserve(8)!;
  const later = ring.reserve(8)!;
  later.u32(0, 50);
  later.submit();
  check('nothing passes a record that is being written');
  waiting.u32(0, 40);
  waiting.submit();
  total.seen += 2;
  total.sum += 90;
  check('then both');
  t.equal(
    thrown(() => {
      waiting.u8(0, 1);
    }).code,
    'CLOSED',
  );
  t.equal(
    thrown(() => {
      waiting.submit();
    }).code,
    'CLOSED',
  );
  const bounded = ring.reserve(5)!;
  t.equal(
    thrown(() => {
      bounded.u32(2, 1);
    }).code,
    'OUT_OF_BOUNDS',
  );
  bounded.discard();
  t.equal(
    thrown(() => ring.reserve(4090)).message,
    'Cannot reserve 4090 bytes in map commands: with its header a record has at most 4096',
  );
  ring.close();
  t.equal(thrown(() => ring.reserve(1)).code, 'CLOSED');
  using again = new UserRingBuffer(collection.map('commands'));
  t.equal(again.write(Uint8Array.of(1, 0, 0, 0)), true, 'another one goes on where that one ended');
  total.seen++;
  total.sum += 1;
  check('after another producer');
  t.end();
});

t.test('waiting for room in a user ring', { skip: noUserRing }, async (t) => {
  using collection = Collection.load(ObjectFile.open(path));
  using ring = new UserRingBuffer(collection.map('commands'));
  const fill = (): void => {
    while (ring.write(new Uint8Array(56))) continue;
  };
  drain(collection);
  fill();
  t.equal(ring.refused, 1);
  t.equal(ring.write(new Uint8Array(56)), false);
  t.equal(ring.reserveBlocking(56, { timeout: 2 }), undefined, 'nobody reads');
  t.equal(ring.refused, 3);

  const order: string[] = [];
  const reserved = async (length: number, name: string): Promise<void> => {
    const record = await ring.reserveWhenFree(length);
    order.push(name);
    record.discard();
  };
  const both = [reserved(2000, 'large'), reserved(8, 'small')];
  const abort = new AbortController();
  const aborted = ring.reserveWhenFree(8, { signal: abort.signal });
  abort.abort(new RangeError('never mind'));
  await t.rejects(aborted, { message: 'never mind' });
  await t.rejects(ring.reserveWhenFree(8, { signal: abort.signal }), { message: 'never mind' });
  await t.rejects(ring.reserveWhenFree(4090), {
    code: 'ARGUMENT_INVALID',
    message: 'Cannot reserve 4090 bytes in map commands: with its header a record has at most 4096',
  });
  await new Promise((resolve) => setImmediate(resolve));
  t.same(order, []);
  drain(collection);
  await Promise.all(both);
  t.same(order, ['large', 'small'], 'in the order of the calls');
  t.equal(ring.refused, 3, 'waiting is no refusal');
  const now = await ring.reserveWhenFree(8);
  now.discard();

  await t.test('a thread that blocks is woken', { skip: noBpftool }, async (t) => {
    drain(collection);
    fill();
    const { id } = collection.program('drain').info();
    const command = `sleep 0.1; head -c 64 /dev/zero | bpftool prog run id ${String(id)} data_in - repeat 1`;
    const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'ignore', 'inherit'] });
    const record = ring.reserveBlocking(2000, { timeout: 20_000 });
    t.equal(record?.length, 2000);
    record?.discard();
    await once(child, 'close');
  });
  fill();
  const late = ring.reserveWhenFree(2000);
  ring.close();
  await t.rejects(late, {
    code: 'CLOSED',
    message: 'Cannot use the user ring buffer commands: it is closed',
  });
  await t.rejects(ring.reserveWhenFree(8), { code: 'CLOSED' });
  t.equal(thrown(() => ring.reserveBlocking(8)).code, 'CLOSED');
  collection.close();
  t.equal(openDescriptors().length, before, 'nothing stays open');
});
