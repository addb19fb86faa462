/** What is closed is gone, what is not closed stays, and doing it a thousand times costs nothing. */
import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { attachXdp, Collection, ObjectFile } from '../../src/index.ts';
import { interfaceByName } from '../../src/netlink/index.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { TypescriptProcess } from '../helpers/typescript-process.ts';
import { withVethPair } from '../helpers/veth.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() : 'BPF needs root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const compiler = new Compiler();
// The kernel's names of the object's maps begin with it: a name that only this process has.
const objectName = `lc${process.pid.toString(36)}`;
const path = compiler.fixture('events', { name: `${objectName}.bpf.o` });
t.teardown(() => {
  compiler.close();
});

interface Shown {
  id: number;
  name?: string;
  map_ids?: number[];
}

/** The programs and maps in the kernel that come from this test's object, and nobody else's. */
function objectsInKernel(): number {
  const show = (kind: string): Shown[] => {
    const output = execFileSync('bpftool', ['-j', kind, 'show'], { encoding: 'utf8', maxBuffer: 1 << 26 });
    return JSON.parse(output) as Shown[];
  };
  const maps = show('map')
    .filter(({ name }) => name === `${objectName}.bss`)
    .map(({ id }) => id);
  const programs = show('prog').filter(({ map_ids: used = [] }) => used.some((id) => maps.includes(id)));
  return maps.length + programs.length;
}

/** The kernel frees them a while after they are closed. */
async function settledObjects(expected: number): Promise<number> {
  for (let attempt = 0; attempt < 100 && objectsInKernel() !== expected; attempt++) await delay(50);
  return objectsInKernel();
}

const CYCLES = 1000;
/** At once: most of a cycle is spent waiting for the kernel to detach. */
const PROCESSES = 4;

t.test(`${CYCLES} cycles of loading, attaching, reading and closing leave nothing`, async (t) => {
  const cycles = CYCLES / PROCESSES;
  const runOne = async (): Promise<void> => {
    await withVethPair(
      async ({ receiver, socket }) => {
        const child = new TypescriptProcess('cycles', [path, receiver.name, cycles], {
          nodeOptions: ['--expose-gc'],
        });
        t.teardown(() => child.kill());
        const report = JSON.parse(await child.line()) as Record<string, number>;
        t.equal(await child.ended(), 0);
        t.comment(report);
        t.match(report, { leaks: [], descriptors: 0 });
        // The kernel may send a frame of its own, which makes an event too.
        t.ok((report['events'] ?? 0) >= cycles * 6);
        // The address ranges of rings are never given back, and 2 MiB of them keep 4.6 kB of page tables.
        t.ok(
          (report['resident'] ?? Infinity) < 16 * 1024,
          'resident memory is within 16 MiB of where it was',
        );
        t.ok((report['tables'] ?? Infinity) < 24 * cycles, 'page tables grow by less than 24 kB a cycle');
        t.same(interfaceByName(socket, receiver.name).xdp.programs, {});
      },
      { namespace: 'current' },
    );
  };
  await Promise.all(Array.from({ length: PROCESSES }, runOne));
  t.equal(await settledObjects(0), 0, 'the kernel has none of the programs and maps');
});

t.test('an attachment that nobody refers to is not collected, and goes with the process', async (t) => {
  await withVethPair(
    async ({ receiver, socket }) => {
      const child = new TypescriptProcess('unreferenced-link', [path, receiver.name], {
        nodeOptions: ['--expose-gc'],
      });
      t.teardown(() => child.kill());
      t.same(JSON.parse(await child.line()), { collected: 1, live: [`xdp ${receiver.name}`] });
      t.ok(interfaceByName(socket, receiver.name).xdp.programs.native !== undefined, 'it is still attached');
      child.tell('end');
      t.equal(await child.ended(), 0);
      t.same(interfaceByName(socket, receiver.name).xdp.programs, {});
    },
    { namespace: 'current' },
  );
});

t.test('an attachment by netlink closes quietly where a link has its place by now', async (t) => {
  await withVethPair(
    ({ receiver, socket }) => {
      using collection = Collection.load(ObjectFile.open(path));
      const program = collection.program('produce');
      using copy = program.duplicate();
      using other = Collection.load(ObjectFile.open(path));
      for (const next of [copy, other.program('produce')]) {
        const first = attachXdp(program, { interface: receiver.name, via: 'netlink' });
        attachXdp(other.program('produce'), { interface: receiver.name, replace: true }).close();
        using _link = attachXdp(next, { interface: receiver.name, via: 'link' });
        first.close();
        t.equal(interfaceByName(socket, receiver.name).xdp.programs.native, next.id);
      }
      return Promise.resolve();
    },
    { namespace: 'current' },
  );
});
