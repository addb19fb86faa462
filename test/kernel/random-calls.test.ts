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

t.test(`${CALLS} calls at random`, async (t) => {
  const compiler = new Compiler();
  t.teardown(() => {
    compiler.close();
  });
  const path = compiler.fixture('events');
  const seed = Number(process.env['TS_XDP_SEED'] ?? (Date.now() & 0x7fff_ffff) | 1);
  t.comment(`seed ${seed}; repeat it with TS_XDP_SEED=${seed}`);
  await withVethPair(
    async ({ receiver }) => {
      const child = new TypescriptProcess('random-calls', [path, receiver.name, seed, CALLS]);
      t.teardown(() => child.kill());
      const report = JSON.parse(await child.line()) as { counts: Record<string, number>; events: number };
      t.equal(await child.ended(), 0);
      t.comment(report);
      const { counts, events } = report;
      t.ok(events > 1000, 'events came while it happened');
      t.ok((counts['returned'] ?? 0) > CALLS / 10, 'many calls succeed');
      for (const code of [
        'CLOSED',
        'ARGUMENT_INVALID',
        'VALUE_INVALID',
        'SYSCALL_FAILED',
        'ALREADY_ATTACHED',
      ]) {
        t.ok((counts[code] ?? 0) > 10, `${code} is met`);
      }
    },
    { namespace: 'current' },
  );
});
