/** Live statistics and what programs print. */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { BpfProgram } from '../../src/index.ts';
import { LiveStatistics, parseTraceLine } from '../../src/inspect/index.ts';
import { Cli, cliMain, notRoot, runCli } from '../helpers/cli.ts';
import { runHosted } from '../helpers/command-host.ts';
import { HolderWorld, pinOf } from '../helpers/holder-world.ts';
import { noClang } from '../helpers/object-source.ts';
import { runOften } from '../helpers/test-runs.ts';
import { needTracefs, TRACEFS, withoutTracefs } from '../helpers/tracefs.ts';

const skip = notRoot || noClang;
const SYSCTL = '/proc/sys/kernel/bpf_stats_enabled';

t.test('top counts the runs of a program, and the kernel counts only while it runs', { skip }, async (t) => {
  const world = new HolderWorld();
  const loaded = world.load();
  const program = BpfProgram.fromPin(pinOf(loaded, 'ingress_of_a_cgroup'));
  const setting = readFileSync(SYSCTL, 'utf8');
  const before = program.info().runCount;
  runOften(program, { data: new Uint8Array(64), times: 10 });
  if (setting === '0\n') t.equal(program.info().runCount, before, 'nobody counts');

  const statistics = LiveStatistics.open();
  runOften(program, { data: new Uint8Array(64), times: 1000 });
  const seen = statistics.sample().find(({ id }) => id === program.id);
  t.match(seen, { name: `${world.tag}_ingress_of_a_cgroup`, type: 'cgroup_skb' }, 'with its whole name');
  t.ok((seen?.runs ?? 0n) >= 1000n);
  t.ok((seen?.runTime ?? 0n) > 0n);
  t.equal(statistics.sample().find(({ id }) => id === program.id)?.runs, 0n, 'nothing since');
  statistics.close();
  t.equal(readFileSync(SYSCTL, 'utf8'), setting, 'the setting is as it was');

  const json = await runHosted(['top', '--interval', '50ms', '--count', '2', '--json']);
  t.same([json.code, json.stderr], [0, '']);
  const own = json.lines.filter(({ id }) => id === program.id);
  t.equal(own.length, 2, 'a line for each look');
  t.match(own[0], { type: 'program', runs: '0', runs_per_second: 0, average_ns: null, cpu_percent: 0 });
  const table = await runHosted(['top', '--interval', '50ms', '--count', '1']);
  t.match(table.stdout, /^ +ID {2}TYPE +RUNS\/S +AVERAGE NS +CPU % +RUNS {2}NAME\n/);
  t.match(
    table.stdout,
    new RegExp(`^ +${String(program.id)} {2}cgroup_skb .* ${world.tag}_ingress_of_a_cgroup$`, 'm'),
  );
  const terminal = execFileSync(
    'script',
    [
      '-qec',
      `stty rows 3 columns 30; exec ${process.execPath} ${cliMain} top --interval 50ms --count 2`,
      '/dev/null',
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [, first = '', second = ''] = terminal.split('\u001b[H\u001b[J');
  t.match(first.split('\r\n'), ['      ID  TYPE              RU', /^ +\d+ {2}[a-z_]+/, ''], 'fits its rows');
  t.ok(first.split('\r\n').every((line) => line.length <= 30));
  t.equal(second.split('\r\n')[0], '      ID  TYPE              RU', 'in the place of the first');
  const prefix = ['setpriv', '--inh-caps=-sys_admin', '--bounding-set=-sys_admin'];
  const refused = await runCli(['top'], { prefix });
  t.same(
    [refused.code, refused.stderr],
    [
      3,
      'error: Cannot count the runs of programs: CAP_SYS_ADMIN is missing\nhint: Run it as root, or give the process CAP_SYS_ADMIN.\n',
    ],
  );
  program.close();
  rmSync(loaded.directory, { recursive: true });
  world.close();
});

t.test('lines of the trace pipe', (t) => {
  const rest = { cpu: 1, time: '5120.318234', text: 'a: b' };
  const cases = [
    ['node-812     [001] d..2.  5120.318234: bpf_trace_printk: a: b', { task: 'node', pid: 812, ...rest }],
    [
      'tmux: server-7 [001] ..... 5120.318234: bpf_trace_printk: a: b',
      { task: 'tmux: server', pid: 7, ...rest },
    ],
    ['<...>-7 [001] 5120.318234: bpf_trace_printk: a: b', { task: '<...>', pid: 7, ...rest }],
    ['a-b-7 (    812) [001] d..2. 5120.318234: bpf_trace_printk: a: b', { task: 'a-b', pid: 7, ...rest }],
    [
      'bash-7 [001] ..... 5120.318234: tracing_mark_write: a: b',
      { task: 'bash', pid: 7, ...rest, text: 'tracing_mark_write: a: b' },
    ],
    ['CPU:1 [LOST 12 EVENTS]', undefined],
  ] as const;
  for (const [line, parsed] of cases) t.same(parseTraceLine(line), parsed, line);
  t.end();
});

t.test('trace follows the pipe; without tracefs it says how to mount it', { skip }, async (t) => {
  const refused = await new Cli(['trace'], { prefix: withoutTracefs }).ended;
  t.same(
    [refused.code, refused.stderr],
    [
      1,
      'error: Cannot read the trace pipe: tracefs is not mounted\nhint: mount it: mount -t tracefs nodev /sys/kernel/tracing\n',
    ],
  );
  needTracefs();
  const marker = `marked by ${String(process.pid)}`;
  const cli = new Cli(['trace', '--json']);
  await cli.until(({ lines }) => {
    writeFileSync(join(TRACEFS, 'trace_marker'), marker);
    return lines.some(({ text }) => String(text).includes(marker));
  });
  const { code, lines } = await cli.stop('SIGINT');
  t.equal(code, 0);
  t.match(
    lines.find(({ text }) => String(text).includes(marker)),
    {
      type: 'trace',
      task: /./,
      pid: process.pid,
      cpu: Number,
      time: /^\d+\.\d+$/,
      text: `tracing_mark_write: ${marker}`,
    },
  );
});

t.test('the stream of a program', { skip }, async (t) => {
  const world = new HolderWorld();
  const loaded = world.load();
  const { code, stdout, stderr } = await runHosted(['trace', 'prog', pinOf(loaded, 'called'), 'stderr']);
  const path = pinOf(loaded, 'called');
  if (code === 0) t.same([stdout, stderr], ['', ''], 'nothing was printed');
  else
    t.same(
      [code, stdout, stderr],
      [
        4,
        '',
        `error: Cannot read stderr of pinned program ${path}: this kernel has no streams of programs (since Linux 6.17)\n`,
      ],
    );
  const worded = await runHosted(['trace', 'prog', 'pinned', path, 'stderr']);
  t.same([worded.code, worded.stdout, worded.stderr], [code, stdout, stderr], 'as bpftool spells it');
  const wrong = await runHosted(['trace', 'prog', '1', 'stdin']);
  t.same([wrong.code, wrong.stderr], [2, 'error: stdin is no stream of a program: stdout and stderr are\n']);
  rmSync(loaded.directory, { recursive: true });
  world.close();
});
