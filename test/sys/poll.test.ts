import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { ArgumentError, ClosedError } from '../../src/errors.ts';
import { Fd, systemKernel, trackLeaks, watchReadable } from '../../src/sys/index.ts';
import type { Leak, ReadableWatch } from '../../src/sys/index.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { thrown } from '../helpers/thrown.ts';
import { until } from '../helpers/until.ts';

const directory = mkdtempSync(join(tmpdir(), 'ts-xdp-poll-'));
t.teardown(() => {
  rmSync(directory, { recursive: true });
});

let pipes = 0;
/** Both ends of a pipe in one descriptor. */
function openPipe(): number {
  const path = join(directory, `pipe${String(pipes++)}`);
  execFileSync('mkfifo', [path]);
  return openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

t.test('a watch', async (t) => {
  await t.test('calls back as long as there is something to read, and not after close', async (t) => {
    const before = openDescriptors();
    const fd = new Fd(systemKernel(), openPipe(), 'test pipe');
    let calls = 0;
    const watch = watchReadable(fd, {
      onReadable: () => {
        calls++;
        if (calls === 3) readSync(fd.value, Buffer.alloc(16));
      },
      onError: (error) => t.fail(error.message),
    });
    await delay(20);
    t.equal(calls, 0);
    writeSync(fd.value, 'x');
    await until(() => calls >= 3);
    t.equal(calls, 3);
    writeSync(fd.value, 'x');
    watch.pause();
    await delay(20);
    t.equal(calls, 3, 'a paused watch is silent');
    watch.resume();
    await until(() => calls > 3);
    fd.close();
    t.equal(watch.closed, true, 'it closes with the descriptor');
    const last = calls;
    await delay(20);
    t.equal(calls, last);
    t.strictSame(openDescriptors(), before);
  });

  await t.test('stands beside another one of the same descriptor', async (t) => {
    const fd = openPipe();
    const seen = new Set<string>();
    const watches = ['first', 'second'].map((name) =>
      watchReadable(fd, { onReadable: () => void seen.add(name), onError: (error) => t.fail(error.message) }),
    );
    writeSync(fd, 'x');
    await until(() => seen.size === 2);
    t.strictSame([...seen].sort(), ['first', 'second']);
    closeSync(fd);
    await delay(10);
    for (const watch of watches) watch.close();
  });

  await t.test('survives every method after close, and close in its own callback', async (t) => {
    const fd = openPipe();
    writeSync(fd, 'x');
    const closed = new Promise<ReadableWatch>((resolve) => {
      const watch: ReadableWatch = watchReadable(fd, {
        onReadable: () => {
          watch.close();
          watch.resume();
          watch.pause();
          resolve(watch);
        },
        onError: (error) => t.fail(error.message),
      });
    });
    const watch = await closed;
    for (const method of ['pause', 'resume', 'ref', 'unref', 'close', 'pause', 'unref'] as const)
      watch[method]();
    await delay(10);
    t.equal(watch.closed, true);
    closeSync(fd);
  });

  await t.test('refuses what cannot be waited for', (t) => {
    const before = openDescriptors();
    const file = openSync(process.execPath, 'r');
    const callbacks = { onReadable: () => undefined, onError: () => undefined };
    t.equal(
      thrown(() => watchReadable(file, callbacks)).message,
      `Cannot wait for descriptor ${String(file)}: it is of a kind that is always ready, such as a regular file`,
    );
    closeSync(file);
    t.equal(
      thrown(() => watchReadable(file, callbacks)).message,
      `Cannot wait for descriptor ${String(file)}: fcntl failed with EBADF (bad file descriptor)`,
    );
    t.ok(thrown(() => watchReadable(2 ** 31, callbacks)) instanceof ArgumentError);
    t.ok(thrown(() => watchReadable(NaN, callbacks)) instanceof ArgumentError);
    const fd = new Fd(systemKernel(), openPipe(), 'test pipe');
    fd.close();
    t.throws(() => watchReadable(fd, callbacks), new ClosedError('test pipe'));
    t.strictSame(openDescriptors(), before);
    t.end();
  });

  await t.test('turns what a callback throws into an uncaught exception', async (t) => {
    const fd = openPipe();
    writeSync(fd, 'x');
    const caught = new Promise((resolve) => {
      const previous = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      process.once('uncaughtException', (error) => {
        for (const listener of previous) process.on('uncaughtException', listener);
        resolve(error);
      });
    });
    const thrownInside = new Error('from the callback');
    const watch: ReadableWatch = watchReadable(fd, {
      onReadable: () => {
        watch.close();
        throw thrownInside;
      },
      onError: () => undefined,
    });
    t.equal(await caught, thrownInside);
    closeSync(fd);
  });

  await t.test('runs the promises of its callback at once', async (t) => {
    const fd = openPipe();
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      const watch: ReadableWatch = watchReadable(fd, {
        onReadable: () => {
          watch.close();
          void Promise.resolve().then(() => order.push('promise'));
          // Without a queue of its own the callback leaves its promises to whatever the loop calls next, which is this.
          setImmediate(() => {
            order.push('immediate');
            setImmediate(resolve);
          });
        },
        onError: () => undefined,
      });
      writeSync(fd, 'x');
    });
    t.same(order, ['promise', 'immediate']);
    closeSync(fd);
  });

  await t.test('is not collected while it is open', async (t) => {
    const fd = openPipe();
    let calls = 0;
    // The only reference is dropped on the spot.
    watchReadable(fd, {
      onReadable: () => {
        calls++;
        readSync(fd, Buffer.alloc(16));
      },
      onError: (error) => t.fail(error.message),
    }).unref();
    for (let round = 0; round < 3; round++) {
      collectGarbage();
      await delay(5);
      writeSync(fd, 'x');
      await until(() => calls > round);
    }
    t.equal(calls, 3);
    closeSync(fd);
  });

  await t.test('survives 5,000 random calls in random order', async (t) => {
    const before = openDescriptors().length;
    let seed = 12345;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fff_ffff;
      return (seed >>> 8) % below;
    };
    const fds = Array.from({ length: 4 }, () => new Fd(systemKernel(), openPipe(), 'test pipe'));
    const watches: ReadableWatch[] = [];
    let calls = 0;
    const actions: (() => unknown)[] = [
      () =>
        watches.push(watchReadable(fds[random(4)]!, { onReadable: () => calls++, onError: () => undefined })),
      () => watches.at(random(watches.length + 1))?.close(),
      () => watches.at(random(watches.length + 1))?.close(),
      () => {
        watches.at(random(watches.length + 1))?.pause();
      },
      () => {
        watches.at(random(watches.length + 1))?.resume();
      },
      () => {
        watches.at(random(watches.length + 1))?.ref();
      },
      () => {
        watches.at(random(watches.length + 1))?.unref();
      },
      () => writeSync(fds[random(4)]!.value, 'x'),
      () => readSync(fds[random(4)]!.value, Buffer.alloc(100)),
      () => {
        if (random(20) > 0) return;
        const index = random(4);
        fds[index]!.close();
        fds[index] = new Fd(systemKernel(), openPipe(), 'test pipe');
      },
    ];
    let refused = 0;
    for (let step = 0; step < 5000; step++) {
      try {
        actions[random(actions.length)]!();
      } catch (error) {
        // An empty pipe says EAGAIN.
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        refused++;
      }
      if (step % 50 === 0) await delay(0);
      if (watches.length > 200) for (const watch of watches.splice(0, 100)) watch.close();
    }
    t.ok(calls > 0);
    t.ok(refused > 0);
    for (const fd of fds) fd.close();
    t.ok(watches.every((watch) => watch.closed));
    t.equal(openDescriptors().length, before);
  });
});

t.test('a handle that is lost unclosed is reported with its origin, and closed', async (t) => {
  const before = openDescriptors();
  const leaks: Leak[] = [];
  const stop = trackLeaks((leak) => leaks.push(leak));
  const kernel = systemKernel();
  (function loseOne(): void {
    new Fd(kernel, openPipe(), 'lost pipe');
    new Fd(kernel, openPipe(), 'closed pipe').close();
  })();
  for (let round = 0; round < 20 && leaks.length === 0; round++) {
    collectGarbage();
    await delay(5);
  }
  stop();
  t.equal(leaks.length, 1);
  t.match(leaks[0]!.resource, /^lost pipe \(descriptor \d+\)$/);
  t.match(leaks[0]!.createdAt, /loseOne/);
  t.strictSame(openDescriptors(), before);
});
