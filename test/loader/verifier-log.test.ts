/** What is read from verifier logs, and how a log is got from the kernel whole. */
import { constants } from 'node:buffer';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { VerifierError } from '../../src/errors.ts';
import { loadWithLog } from '../../src/loader/load-log.ts';
import { readVerifierLog } from '../../src/loader/verifier-log.ts';
import { VERIFIER_RULES } from '../../src/loader/verifier-rules.ts';
import type { VerifierReport } from '../../src/loader/verifier-report.ts';
import { errno } from '../../src/sys/index.ts';
import { bpf_attr_prog_load } from '../../src/uapi/index.ts';
import { REFUSALS } from '../fixtures/verifier-logs/refusals.ts';
import { RecordingKernel } from '../helpers/recording-kernel.ts';
import { inProject } from '../helpers/project-root.ts';

const folder = inProject('test/fixtures/verifier-logs');

/** A report in the form of the table. */
function inShort({ rule, summary, source, instruction, registers }: VerifierReport): unknown {
  return {
    rule,
    summary,
    place: source && `${String(source.file)}:${String(source.line)}: ${source.text}`,
    instruction: instruction && [`${String(instruction.index)}:`, instruction.text ?? []].flat().join(' '),
    registers: registers.map(({ register, state }) => [register, state ?? []].flat().join('=')),
  };
}

t.test('logs of Linux 6.18', (t) => {
  const logs = readdirSync(folder).filter((name) => name.endsWith('.log'));
  t.same(logs.map((name) => name.slice(0, -'.log'.length)).sort(), Object.keys(REFUSALS).sort());
  for (const [name, expected] of Object.entries(REFUSALS)) {
    const report = readVerifierLog(readFileSync(join(folder, `${name}.log`), 'utf8'));
    t.same(report && inShort(report), expected, name);
    const suggestions = VERIFIER_RULES.filter((rule) => rule.name === expected.rule).map(
      (rule) => rule.suggestion,
    );
    t.ok(suggestions.includes(report?.suggestion), `${name}: a suggestion of its rule`);
  }
  t.end();
});

t.test('logs of other kernels', (t) => {
  const cases: [what: string, log: string, expected: unknown][] = [
    ['nothing', '', undefined],
    ['statistics alone', 'processed 3 insns (limit 1000000) max_states_per_insn 0\n', undefined],
    [
      'before Linux 6.9, without the place of a line',
      '; return data[20];\n2: (71) r0 = *(u8 *)(r1 +20)\nR1 !read_ok\nverification time 12 usec\nstack depth 0+8\n' +
        'processed 3 insns (limit 1000000)\n',
      {
        rule: 'uninitialised-register',
        summary: 'R1 !read_ok',
        place: 'undefined:undefined: return data[20];',
        instruction: '2: r0 = *(u8 *)(r1 +20)',
        registers: ['R1'],
      },
    ],
    [
      'of Linux 5.10, with states on lines of their own',
      'func#0 @0\n0: R1=ctx(id=0,off=0,imm=0) R10=fp0\n; return *value;\n3: (61) r0 = *(u32 *)(r6 +0)\n' +
        ' R0_w=inv0 R6_rw=map_value_or_null(id=2,off=0,ks=4,vs=8,imm=0) R10=fp0\n3: (79) r0 = *(u64 *)(r6 +0)\n' +
        "R6 invalid mem access 'map_value_or_null'\nprocessed 4 insns (limit 1000000)\n",
      {
        rule: 'null-check',
        summary: "R6 invalid mem access 'map_value_or_null'",
        place: 'undefined:undefined: return *value;',
        instruction: '3: r0 = *(u64 *)(r6 +0)',
        registers: ['R6=map_value_or_null(id=2,off=0,ks=4,vs=8,imm=0)'],
      },
    ],
    [
      'before the first instruction, without CAP_BPF',
      'back-edge from insn 1 to 0\nprocessed 0 insns (limit 131072)\n',
      {
        rule: 'loop',
        summary: 'back-edge from insn 1 to 0',
        place: undefined,
        instruction: '1:',
        registers: [],
      },
    ],
    [
      'about something that no rule is known for',
      '0: (95) exit\nthe moon is not in the right phase\nprocessed 1 insns (limit 1000000)\n',
      {
        rule: undefined,
        summary: 'the moon is not in the right phase',
        place: undefined,
        instruction: '0: exit',
        registers: [],
      },
    ],
  ];
  for (const [what, log, expected] of cases) {
    const report = readVerifierLog(log);
    t.same(report && inShort(report), expected, what);
  }
  t.end();
});

/** As kernel/bpf/diagnostics.c of Linux 7.3 writes it. */
const TERSE = '0: R1=ctx() R10=fp0\n0: (95) exit\nR0 !read_ok\n';
const END =
  '\nprocessed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0\n';

t.test('the reports of Linux 7.3', (t) => {
  const withoutLines = readVerifierLog(
    `${TERSE}\nVerification failed: Register Type Safety: Unreadable register\n\nReason:\n` +
      '  R0 has never been initialized on this path, so the verifier cannot use it as an input.\n\nAt:\n' +
      '  insn 0\n        | ^-- error: R0 is not readable\n  Instruction context:\n  >>> 0 | (95) exit\n\n' +
      'Causal path:\n  no retained diagnostic events on this path\n\nSuggestion:\n' +
      `  Initialize R0 on every path before this instruction.\n\n${END}`,
  );
  t.same(withoutLines, {
    summary: 'R0 has never been initialized on this path, so the verifier cannot use it as an input',
    reasons: ['R0 !read_ok'],
    instruction: { index: 0, text: 'exit' },
    source: undefined,
    registers: [{ register: 'R0', state: undefined }],
    rule: 'uninitialised-register',
    suggestion: 'Initialize R0 on every path before this instruction.',
  });

  const withLines = readVerifierLog(
    '0: R1=ctx() R10=fp0\n; return *value; @ a.bpf.c:12\n7: (79) r0 = *(u64 *)(r0 +0)   ; R0=map_value_or_null(id=1)\n' +
      "R0 invalid mem access 'map_value_or_null'\n\nVerification failed: Register Type Safety: Invalid dereference\n\n" +
      'Reason:\n  R0 may be NULL here (a nullable map value pointer). The program could dereference NULL on this\n' +
      '  path, so the verifier cannot prove this access is safe.\n\nAt:\n  count @ a.bpf.c:12:9\n' +
      '  Source context:\n      10 | __u64 *value = bpf_map_lookup_elem(&values, &key);\n  \n' +
      '  >>> 12 | \treturn *value;\n           |         ^-- error: invalid dereference\n  Instruction context:\n' +
      '      6 | (85) call bpf_map_lookup_elem#1\n  >>> 7 | (79) r0 = *(u64 *)(r0 +0)\n      8 | (95) exit\n\n' +
      'Causal path:\n  count @ a.bpf.c:10:17\n  Source context:\n  >>> 10 | __u64 *value = bpf_map_lookup_elem();\n' +
      '           | ^-- R0 becomes a nullable map value pointer\n  Instruction context:\n' +
      '  >>> 6 | (85) call bpf_map_lookup_elem#1\n\nSuggestion:\n  Compare R0 with NULL, and dereference it only\n' +
      `  where it is not.\n\n${END}`,
  );
  t.same(withLines, {
    summary:
      'R0 may be NULL here (a nullable map value pointer). The program could dereference NULL on this path, ' +
      'so the verifier cannot prove this access is safe',
    reasons: ["R0 invalid mem access 'map_value_or_null'"],
    instruction: { index: 7, text: 'r0 = *(u64 *)(r0 +0)' },
    source: { file: 'a.bpf.c', line: 12, text: 'return *value;' },
    registers: [{ register: 'R0', state: 'map_value_or_null(id=1)' }],
    rule: 'null-check',
    suggestion: 'Compare R0 with NULL, and dereference it only where it is not.',
  });

  const bare = readVerifierLog(`Verification failed: Policy: Operation is not allowed\n${END}`);
  t.match(bare, {
    summary: 'Policy: Operation is not allowed',
    rule: 'Policy: Operation is not allowed',
    instruction: undefined,
    source: undefined,
    suggestion: undefined,
  });
  t.end();
});

t.test('the message of a refusal', (t) => {
  const refusal = { program: 'p', errno: 13, errnoName: 'EACCES', summary: 'no', log: '' };
  const source = { file: 'a.c', line: 1, text: 'x' };
  t.equal(new VerifierError({ ...refusal, source }).message, 'Cannot load program p: no (at a.c:1: x)');
  const unplaced = { ...source, file: undefined, line: undefined };
  t.equal(new VerifierError({ ...refusal, source: unplaced }).message, 'Cannot load program p: no (at x)');
  t.equal(new VerifierError(refusal).message, 'Cannot load program p: no');
  t.end();
});

t.test('the log grows until all of it fits', (t) => {
  const [first, largest] = [65536, constants.MAX_STRING_LENGTH];
  const ask = ({ needed, tells }: { needed: number; tells: boolean }): [level: number, size: number][] => {
    const asked: [number, number][] = [];
    const kernel = new RecordingKernel((_, attribute) => {
      const { log_level: level, log_size: size } = bpf_attr_prog_load.decode(attribute);
      asked.push([level, size]);
      const length = level === 4 ? 100 : needed;
      if (tells) bpf_attr_prog_load.update(new DataView(attribute.buffer), 0, { log_true_size: length });
      return size < length ? -errno.ENOSPC : -errno.EACCES;
    });
    const call = {
      command: 'BPF_PROG_LOAD',
      attribute: bpf_attr_prog_load,
      fields: {},
      doing: 'try',
    } as const;
    t.equal(loadWithLog(kernel, { call, level: 1 }).result, -errno.EACCES);
    return asked;
  };
  t.same(ask({ needed: 100, tells: true }), [[1, first]]);
  t.same(
    ask({ needed: 40_000_000, tells: true }),
    [
      [1, first],
      [1, 40_004_096],
    ],
    'at once, where the kernel tells how much there is',
  );
  t.same(
    ask({ needed: 1_000_000, tells: false }),
    [
      [1, first],
      [1, 4 * first],
      [1, 16 * first],
    ],
    'step by step before Linux 6.4',
  );
  t.same(
    ask({ needed: largest + 1, tells: true }),
    [
      [1, first],
      [4, first],
    ],
    'the reason alone, where no string holds more',
  );
  t.end();
});
