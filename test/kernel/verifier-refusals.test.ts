/**
 * What the running kernel says of refused programs is understood. With UPDATE_VERIFIER_LOGS=1 the logs become those of
 * test/fixtures/verifier-logs, which test/loader/verifier-log.test.ts reads.
 */
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { readVerifierLog } from '../../src/loader/verifier-log.ts';
import { notRoot, projectRoot } from '../helpers/cli.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { RefusedPrograms } from '../helpers/refused-programs.ts';
import { REFUSALS } from '../fixtures/verifier-logs/refusals.ts';

const missing = notRoot || whyNotCompile();
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}
const compiler = new Compiler();
t.teardown(() => {
  compiler.close();
});
const programs = new RefusedPrograms(compiler);
const updating = process.env['UPDATE_VERIFIER_LOGS'] === '1';
/** A million instructions, in tens of megabytes. */
const LONG = 'too_many_instructions';

t.test('every refusal has a summary, its rule and its place', (t) => {
  const before = openDescriptors();
  for (const name of programs.names) {
    if (name === LONG) continue;
    const error = programs.refuse(name);
    if (updating) writeFileSync(join(projectRoot, `test/fixtures/verifier-logs/${name}.log`), error.log);
    t.equal(error.rule, REFUSALS[name]?.rule, name);
    t.not(error.summary, '', name);
    if (REFUSALS[name]?.place !== undefined) {
      t.equal(basename(error.source?.file ?? ''), 'refusals.bpf.c', name);
      t.equal(error.message, `Cannot load program ${name}: ${error.summary} (at ${error.place ?? ''})`);
    }
    if (error.suggestion !== undefined) t.equal(error.hint, error.suggestion);
  }
  t.same(openDescriptors(), before);
  t.end();
});

t.test('a log of many megabytes is whole', (t) => {
  const error = programs.refuse(LONG);
  t.ok(error.log.length > 16 << 20, `${String(error.log.length)} bytes`);
  t.match(error.log.slice(0, 200), /^(.*\n)?0: R1=ctx\(\)/, 'it begins with the first instruction');
  t.match(error.log.slice(-200), /processed 1000001 insns .*\n$/, 'it ends with the last line');
  t.equal(error.rule, 'too-complex');
  t.equal(error.summary, 'BPF program is too large. Processed 1000001 insn');
  t.match(error.source?.text, /^(for|sum|UNTOUCHED)/);
  t.same(
    readVerifierLog(error.log.slice(error.log.indexOf('BPF program is too large')))?.summary,
    error.summary,
  );
  t.end();
});
