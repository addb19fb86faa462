import t from 'tap';
import { splitUnixNanoseconds, WallClock } from '../../src/sys/index.ts';
import type { Clocks } from '../../src/sys/index.ts';

/** Clocks that stand still unless the test moves them; each reading of MONOTONIC takes `step` nanoseconds. */
class FakeClocks implements Clocks {
  now: bigint;
  boot: bigint;
  steps: bigint[];
  readings = 0;

  constructor({ now, boot, steps = [] }: { now: bigint; boot: bigint; steps?: bigint[] }) {
    this.now = now;
    this.boot = boot;
    this.steps = steps;
  }

  monotonic(): bigint {
    const value = this.now;
    this.now += this.steps.shift() ?? 0n;
    this.readings += 1;
    return value;
  }

  realtime(): bigint {
    return this.now + this.boot;
  }
}

// 2026-11-20T11:14:57.123456789Z less 1,000 s.
const boot = BigInt(Date.UTC(2026, 10, 20, 11, 14, 57)) * 1_000_000n + 123_456_789n - 1_000_000_000_000n;
const second = 1_000_000_000n;

t.test('times keep all nine digits of their nanoseconds', (t) => {
  const clock = new WallClock(new FakeClocks({ now: 1_000n * second, boot }));
  t.equal(clock.offset, boot);
  t.equal(clock.toIso(1_000n * second), '2026-11-20T11:14:57.123456789Z');
  t.equal(clock.toIso(1_000n * second - 123_456_789n), '2026-11-20T11:14:57.000000000Z');
  t.equal(clock.toIso(1_000n * second - 123_456_790n), '2026-11-20T11:14:56.999999999Z');
  t.equal(clock.toIso(1_000n * second + 876_543_212n), '2026-11-20T11:14:58.000000001Z');
  t.equal(clock.toUnixNanoseconds(1_000n * second + 1n), boot + 1_000n * second + 1n);
  t.end();
});

t.test('the offset is the middle of the narrowest of three brackets', (t) => {
  // Between the two readings of MONOTONIC: 5,000 ns, 100 ns, 900 ns; REALTIME is read at the end of each.
  const clocks = new FakeClocks({ now: 0n, boot, steps: [5_000n, 0n, 100n, 0n, 900n, 0n] });
  const clock = new WallClock(clocks);
  t.equal(clock.offset, boot + 50n, 'off by half of 100 ns, as REALTIME was read at the end of the bracket');
  t.equal(clock.uncertainty, 50n);
  t.equal(clocks.readings, 6);
  const single = new WallClock(new FakeClocks({ now: 0n, boot, steps: [5_001n] }), { attempts: 1 });
  t.equal(single.offset, boot + 2_501n);
  t.equal(single.uncertainty, 2_501n);
  t.end();
});

t.test('the offset is taken again once events are an interval younger, and not before', (t) => {
  const clocks = new FakeClocks({ now: 100n * second, boot });
  const clock = new WallClock(clocks);
  // A suspend of an hour: REALTIME went on, MONOTONIC did not.
  clocks.boot += 3_600n * second;
  clocks.now = 110n * second;
  t.equal(clock.toUnixNanoseconds(110n * second - 1n), boot + 110n * second - 1n, 'still the old offset');
  t.equal(clocks.readings, 6, 'no clock was read');
  t.equal(clock.toUnixNanoseconds(110n * second), boot + 3_710n * second);
  t.equal(clocks.readings, 12);
  t.equal(
    clock.toUnixNanoseconds(99n * second),
    boot + 3_699n * second,
    'an older event takes no new sample',
  );
  t.equal(clocks.readings, 12);

  const impatient = new WallClock(clocks, { interval: 1n, attempts: 1 });
  const before = clocks.readings;
  clocks.now += 1n;
  impatient.toUnixNanoseconds(clocks.now);
  t.equal(clocks.readings - before, 2);
  t.end();
});

t.test('against the clocks of this process', (t) => {
  // process.hrtime is CLOCK_MONOTONIC (uv_hrtime); Date.now is CLOCK_REALTIME in whole milliseconds.
  const clock = new WallClock({
    monotonic: () => process.hrtime.bigint(),
    realtime: () => BigInt(Date.now()) * 1_000_000n,
  });
  const earliest = BigInt(Date.now()) * 1_000_000n;
  const time = clock.toUnixNanoseconds(process.hrtime.bigint());
  const latest = BigInt(Date.now() + 1) * 1_000_000n;
  const tolerance = 1_000_000n + clock.uncertainty;
  t.ok(
    time >= earliest - tolerance && time <= latest + tolerance,
    `${String(earliest)} <= ${String(time)} <= ${String(latest)}`,
  );
  const iso = clock.toIso(process.hrtime.bigint());
  t.match(iso, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  t.ok(Math.abs(Date.parse(iso) - Date.now()) < 1_000);
  t.end();
});

t.test('a time is split towards the past, so that nanoseconds are never negative', (t) => {
  t.strictSame(splitUnixNanoseconds(1_500_000_000n), { seconds: 1n, nanoseconds: 500_000_000 });
  t.strictSame(splitUnixNanoseconds(0n), { seconds: 0n, nanoseconds: 0 });
  t.strictSame(splitUnixNanoseconds(-1n), { seconds: -1n, nanoseconds: 999_999_999 });
  t.strictSame(splitUnixNanoseconds(-second), { seconds: -1n, nanoseconds: 0 });
  t.end();
});
