import t from 'tap';
import { featureCommands } from '../../src/cli/commands/feature.ts';
import { Feature } from '../../src/features/index.ts';
import { surveyFeatures } from '../../src/inspect/index.ts';
import { effectiveCapabilities, withoutCapabilities } from '../../src/sys/index.ts';
import { bpftoolJson, noBpftool } from '../helpers/bpftool.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { runCommand } from '../helpers/run-command.ts';

type Answers = Record<string, boolean | null>;
interface Probe {
  readonly system_config?: Record<string, string | number | null>;
  readonly syscall_config: Answers;
  readonly program_types: Answers;
  readonly map_types: Answers;
  readonly helpers: Record<string, string[]>;
  readonly misc: Answers;
  readonly features?: { key: string; name: string; since: string; supported: boolean | null }[];
  readonly unknown?: { kind: string; name: string; reason: string }[];
}

const notRoot = process.getuid?.() === 0 ? false : 'needs root';

async function probe(...words: readonly string[]): Promise<Probe> {
  return (await runCommand(featureCommands, ['probe', ...words])).document as unknown as Probe;
}

/** What both show, and both know an answer to. */
function common(ours: Answers, theirs: Answers): [Answers, Answers] {
  const names = Object.keys(theirs).filter((name) => ours[name] !== null);
  const pick = (answers: Answers): Answers =>
    Object.fromEntries(names.map((name) => [name, answers[name] ?? null]));
  return [pick(ours), pick(theirs)];
}

t.test('feature probe', { skip: notRoot }, async (t) => {
  const before = openDescriptors();
  const { document, text } = await runCommand(featureCommands, ['probe']);
  const ours = document as unknown as Probe;
  t.strictSame(openDescriptors(), before, 'nothing stays open');

  t.test('says what bpftool says', { skip: noBpftool }, (t) => {
    const theirs = bpftoolJson('feature', 'probe') as unknown as Probe;
    const settings = Object.keys(theirs.system_config ?? {});
    t.ok(settings.length > 30);
    for (const name of settings) t.equal(ours.system_config?.[name], theirs.system_config?.[name], name);
    t.strictSame(ours.syscall_config, theirs.syscall_config);
    t.strictSame(...common(ours.map_types, theirs.map_types));
    t.strictSame(...common(ours.misc, theirs.misc));
    // It tries fentry for tracing, which machines refuse that have the other kinds of it.
    const { have_tracing_prog_type: tracing, ...others } = ours.program_types;
    t.ok(tracing === true || theirs.program_types['have_tracing_prog_type'] === false);
    t.strictSame(...common({ ...others, have_tracing_prog_type: null }, theirs.program_types));
    t.strictSame(
      Object.keys(theirs.program_types).filter((name) => !(name in ours.program_types)),
      [],
      'no type of programs is left out',
    );
    t.end();
  });

  t.test('lists helpers as bpftool does', { skip: noBpftool }, (t) => {
    const { helpers } = bpftoolJson('feature', 'probe') as unknown as Probe;
    // Before 7.5 it does not know what Linux says since 6.14 of a helper that is not for a type, and takes all for good.
    const credulous = helpers['kprobe_available_helpers']?.includes('bpf_skb_store_bytes') ?? false;
    const known = new Set(
      (bpftoolJson('feature', 'list_builtins', 'helpers') as string[]).filter(
        (name) => name !== 'bpf_unspec',
      ),
    );
    for (const [field, theirs] of Object.entries(helpers)) {
      const found = (ours.helpers[field] ?? []).filter((name) => known.has(name));
      const differing = credulous ? found.filter((name) => !theirs.includes(name)) : [];
      if (credulous) t.strictSame(differing, [], `${field}: none that it does not have`);
      else t.strictSame(found, theirs, field);
    }
    t.end();
  });

  t.test('tells helpers by the type of the program', (t) => {
    const has = (type: string, helper: string): boolean =>
      ours.helpers[`${type}_available_helpers`]?.includes(helper) ?? false;
    const truths: readonly [type: string, helper: string, boolean][] = [
      ['xdp', 'bpf_xdp_adjust_head', true],
      ['xdp', 'bpf_redirect_map', true],
      ['xdp', 'bpf_skb_load_bytes', false],
      ['xdp', 'bpf_get_stackid', false],
      ['sched_cls', 'bpf_skb_store_bytes', true],
      ['sched_cls', 'bpf_xdp_adjust_head', false],
      ['socket_filter', 'bpf_skb_load_bytes', true],
      ['socket_filter', 'bpf_redirect', false],
      ['kprobe', 'bpf_probe_read_user', true],
      ['kprobe', 'bpf_skb_store_bytes', false],
      ['sk_msg', 'bpf_msg_redirect_map', true],
      ['cgroup_skb', 'bpf_sysctl_get_name', false],
      ['cgroup_sysctl', 'bpf_sysctl_get_name', true],
      ['sk_reuseport', 'bpf_sk_select_reuseport', true],
      ['xdp', 'bpf_trace_printk', false],
    ];
    for (const [type, helper, expected] of truths)
      t.equal(has(type, helper), expected, `${helper} in ${type}`);
    t.ok(
      ours.unknown?.some(({ kind, name }) => kind === 'helpers' && name === 'tracing'),
      'those of tracing depend on what it attaches to, which is said',
    );
    t.strictSame(ours.helpers['tracing_available_helpers'], []);
    t.end();
  });

  t.test('has the features of the library', (t) => {
    t.strictSame(
      ours.features?.map(({ key }) => key),
      Object.keys(Feature),
    );
    const ringBuffer = ours.features?.find(({ key }) => key === 'RingBuffer');
    t.match(ringBuffer, { name: 'ring buffer maps', since: '5.8' });
    t.equal(ringBuffer?.supported, ours.map_types['have_ringbuf_map_type']);
    t.end();
  });

  t.test('in full also asks for helpers that the kernel warns of', async (t) => {
    const full = await probe('full');
    t.ok(full.helpers['xdp_available_helpers']?.includes('bpf_trace_printk'));
    t.equal(
      (full.helpers['xdp_available_helpers'] ?? []).length,
      (ours.helpers['xdp_available_helpers'] ?? []).length + 2,
    );
  });

  t.test('of the driver of a network card', { skip: noBpftool }, async (t) => {
    const theirs = bpftoolJson('feature', 'probe', 'dev', 'lo') as unknown as Probe;
    const { unknown, misc, ...sections } = await probe('dev', 'lo');
    t.strictSame(unknown, []);
    const { misc: theirMisc, ...theirSections } = theirs;
    t.strictSame(sections, theirSections, 'is what bpftool says');
    t.strictSame(...common(misc, theirMisc));
    await t.rejects(probe('dev', 'no-such-device'), { code: 'INTERFACE_NOT_FOUND' });
    await t.rejects(probe('kernel', 'dev', 'lo'), {
      message: 'feature probe takes kernel or dev INTERFACE, not both',
    });
  });

  t.test('as a process without capabilities', { skip: noBpftool }, async (t) => {
    const theirs = bpftoolJson('feature', 'probe', 'unprivileged') as unknown as Probe;
    const without = await probe('unprivileged');
    t.strictSame(without.program_types, { ...without.program_types, ...theirs.program_types });
    t.strictSame(without.map_types, { ...without.map_types, ...theirs.map_types });
    t.equal(without.system_config?.['bpf_jit_harden'], theirs.system_config?.['bpf_jit_harden']);
    t.notOk(Object.values(without.program_types).includes(null), 'what is not permitted is not there');
  });

  t.test('as text says since when Linux has what is missing', (t) => {
    t.match(text, /^program types$/m);
    t.match(text, /^ {2}yes {6}xdp$/m);
    t.match(text, /^ {2}helpers tracing: they depend on what the program attaches to$/m);
    for (const [line] of text.matchAll(/^ {2}no .*$/gm)) t.match(line, / \(since \d+\.\d+\)$/, line);
    t.end();
  });
});

t.test('feature list asks no kernel', async (t) => {
  const { document, text } = await runCommand(featureCommands, ['list']);
  const lists = document as Record<string, { name: string; since: string | null }[]>;
  t.strictSame(Object.keys(lists), ['prog_types', 'map_types', 'attach_types', 'helpers', 'features']);
  t.ok(Object.values(lists).every((entries) => entries.every(({ since }) => since !== null)));
  t.match(text, /^ {2}5\.8 {4}ringbuf$/m);
  t.test('and names what bpftool names', { skip: noBpftool }, (t) => {
    for (const group of ['prog_types', 'map_types', 'attach_types', 'helpers']) {
      const names = new Set(lists[group]?.map(({ name }) => name));
      const theirs = bpftoolJson('feature', 'list_builtins', group) as string[];
      t.strictSame(
        theirs.filter((name) => !names.has(name) && !name.endsWith('unspec')),
        [],
        group,
      );
    }
    t.end();
  });
  const { document: one } = await runCommand(featureCommands, ['list', 'map_types']);
  t.strictSame(one, { map_types: lists['map_types'] });
  await t.rejects(runCommand(featureCommands, ['list', 'colours']), {
    message: 'feature list knows no colours: prog_types, map_types, attach_types, helpers, features',
  });
});

t.test('going without capabilities', { skip: notRoot }, (t) => {
  const before = effectiveCapabilities();
  t.ok(before.size > 0);
  t.equal(
    withoutCapabilities(() => effectiveCapabilities().size),
    0,
  );
  t.strictSame(effectiveCapabilities(), before, 'gives them back');
  t.throws(() =>
    withoutCapabilities(() => {
      throw new Error('in between');
    }),
  );
  t.strictSame(effectiveCapabilities(), before, 'also after an error');
  t.throws(
    () => withoutCapabilities(() => surveyFeatures()),
    { code: 'PERMISSION_DENIED' },
    'who may not ask is told so',
  );
  t.end();
});
