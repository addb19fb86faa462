/** Whatever is called, in whichever order and with whatever, the process lives and its errors are ours. */
import t from 'tap';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { TypescriptProcess } from '../helpers/typescript-process.ts';
import { withVethPair } from '../helpers/veth.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() : 'BPF needs root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const CALLS = 100_000;
/** At once: most of the time the kernel waits for its CPUs, to free what was closed. */
const PROCESSES = 4;

interface Report {
  counts: Record<string, number>;
  events: number;
  leaks: string[];
  left: string[];
}

t.test(`${CALLS} calls at random, in ${PROCESSES} processes`, async (t) => {
  const compiler = new Compiler();
  t.teardown(() => {
    compiler.close();
  });
  const path = compiler.fixture('events');
  const firstSeed = Number(process.env['TS_XDP_SEED'] ?? Date.now() & 0x3fff_ffff) || 1;
  t.comment(`TS_XDP_SEED=${firstSeed} repeats it`);
  const total: Record<string, number> = {};
  const runOne = async (seed: number): Promise<void> => {
    await withVethPair(
      async ({ receiver }) => {
        const child = new TypescriptProcess('random-calls', [path, receiver.name, seed, CALLS / PROCESSES], {
          nodeOptions: ['--expose-gc'],
        });
        t.teardown(() => child.kill());
        const { counts, events, leaks, left } = JSON.parse(await child.line()) as Report;
        t.equal(await child.ended(), 0, `seed ${seed}`);
        t.same(leaks, [], 'nothing was collected unclosed');
        t.same(left, [], 'no descriptor is left');
        for (const [kind, count] of Object.entries({ ...counts, events })) {
          total[kind] = (total[kind] ?? 0) + count;
        }
      },
      { namespace: 'current' },
    );
  };
  await Promise.all(Array.from({ length: PROCESSES }, (_, index) => runOne(firstSeed + index)));
  t.comment(total);
  t.ok((total['events'] ?? 0) > 1000, 'events came while it happened');
  t.ok((total['returned'] ?? 0) > CALLS / 10, 'many calls succeed');
  for (const code of ['CLOSED', 'ARGUMENT_INVALID', 'VALUE_INVALID', 'SYSCALL_FAILED', 'ALREADY_ATTACHED']) {
    t.ok((total[code] ?? 0) > 10, `${code} is met`);
  }
});
