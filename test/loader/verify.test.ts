/** What a verifier's log says of its work, kernel by kernel; verdicts that need no kernel. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { ObjectFile } from '../../src/elf/index.ts';
import { verifyObject, verifyPrograms } from '../../src/loader/index.ts';
import { readVerifierStatistics } from '../../src/loader/verifier-statistics.ts';
import { errno } from '../../src/sys/index.ts';
import * as uapi from '../../src/uapi/index.ts';
import { loadingKernel } from '../helpers/loading-kernel.ts';
import { thrown } from '../helpers/thrown.ts';
import { inProject } from '../helpers/project-root.ts';

t.test('statistics', (t) => {
  const cases: [what: string, log: string, found: ReturnType<typeof readVerifierStatistics>][] = [
    ['no log', '', undefined],
    ['a refusal before verification', 'invalid func unknown#5\n', undefined],
    ['4.9 says the instructions alone', 'processed 12 insns\n', undefined],
    ['4.19 says no states', 'processed 12 insns (limit 131072), stack depth 0+8\n', undefined],
    [
      '5.2 and later',
      'verification time 1234 usec\nstack depth 16+0+8\n' +
        'processed 120 insns (limit 1000000) max_states_per_insn 3 total_states 14 peak_states 9 mark_read 4\n',
      {
        instructions: 120,
        totalStates: 14,
        peakStates: 9,
        maxStatesPerInstruction: 3,
        duration: 1234,
        stackDepths: [16, 0, 8],
      },
    ],
    [
      'without mark_read',
      'stack depth 0\nprocessed 2 insns (limit 1000000) max_states_per_insn 0 total_states 1 peak_states 1\n',
      {
        instructions: 2,
        totalStates: 1,
        peakStates: 1,
        maxStatesPerInstruction: 0,
        duration: undefined,
        stackDepths: [0],
      },
    ],
    [
      'of a refused program, without its times',
      '0: R1=ctx() R10=fp0\nR0 !read_ok\n' +
        'processed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0\n',
      {
        instructions: 1,
        totalStates: 0,
        peakStates: 0,
        maxStatesPerInstruction: 0,
        duration: undefined,
        stackDepths: [],
      },
    ],
    [
      'a line of C that looks like them is none',
      '; processed 5 insns (limit 1) max_states_per_insn 1 total_states 1 peak_states 1\n',
      undefined,
    ],
  ];
  for (const [what, log, found] of cases) t.same(readVerifierStatistics(log), found, what);
  t.end();
});

const sniffer = readFileSync(inProject('bpf/sniffer.bpf.o'));
const object = (): ObjectFile => ObjectFile.parse(sniffer, { name: 'sniffer' });

t.test('every program is loaded alone, with those of optional sections, and closed again', (t) => {
  const kernel = loadingKernel(({ command }) => (command === uapi.BPF_PROG_LOAD ? -errno.EINVAL : 0));
  const seen: string[] = [];
  for (const { program, errno: number, refusedBy } of verifyPrograms(object(), { kernel })) {
    t.equal(kernel.openDescriptors.size, 0, 'one is over before the next begins');
    t.match({ number, refusedBy }, { number: errno.EINVAL, refusedBy: 'kernel' });
    seen.push(program);
  }
  t.same(seen, [...object().programs.keys()]);
  t.end();
});

t.test('the whole object is a verdict of its own', (t) => {
  const kernel = loadingKernel(({ command }) => (command === uapi.BPF_MAP_CREATE ? -errno.ENOMEM : 0));
  t.match(verifyObject(object(), { kernel }), { errno: errno.ENOMEM, refusedBy: 'kernel' });
  t.equal(kernel.openDescriptors.size, 0);
  const denied = loadingKernel(({ command }) => (command === uapi.BPF_MAP_CREATE ? -errno.EPERM : 0));
  t.match(verifyObject(object(), { kernel: denied }), {
    errno: errno.EPERM,
    refusedBy: 'kernel',
    error: { code: 'PERMISSION_DENIED' },
  });
  t.end();
});

t.test('a name that is none is refused before anything is loaded', (t) => {
  const kernel = loadingKernel();
  t.equal(
    thrown(() => [...verifyPrograms(object(), { kernel, programs: ['xdp_sniffer_enhanced', 'none'] })])
      .message,
    'Cannot find program none: the object has none of that name',
  );
  t.equal(kernel.calls.length, 0);
  t.end();
});
