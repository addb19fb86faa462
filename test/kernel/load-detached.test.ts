/** `ts-xdp load` whose programs somebody else detaches, by the tools that people have for it. */
import { mkdirSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { BpfLink } from '../../src/index.ts';
import { AttachWorld } from '../helpers/attach-world.ts';
import { bpftool, noBpftool } from '../helpers/bpftool.ts';
import { Cli, notRoot, pause, summaryOf, type JsonLine } from '../helpers/cli.ts';
import { runHosted } from '../helpers/command-host.ts';
import { ip, leftObjects } from '../helpers/kernel-objects.ts';
import { noClang, uniqueTag } from '../helpers/object-source.ts';
import { snifferObject } from '../helpers/sniffer-events.ts';

const skip = notRoot || noClang || noBpftool;
if (skip !== false) {
  t.plan(0, skip);
  process.exit(0);
}

const world = new AttachWorld();
t.teardown(() => {
  world.close();
});
const tag = uniqueTag();
const object = world.folder.compile('link/sections', { name: `${tag}_sections`, defines: { TAG: tag } });
const { name: eth, index: ifindex } = world.pair.receiver;
const place = ['--iface', eth, '--netns', world.netnsName, '--json'];
const traffic = ['load', object, '--prog', `${tag}_traffic`, ...place];

const detached = (cli: Cli): Promise<JsonLine> => cli.line('detached');

/** What tells an attachment, of both lines. */
function facts({ kind, program, target, via, program_id, link_id }: JsonLine): JsonLine {
  return { kind, program, target, via, program_id, link_id };
}

interface Case {
  readonly name: string;
  readonly args: readonly string[];
  readonly detach: (attached: JsonLine) => void;
  readonly target: string;
  readonly line?: JsonLine;
}

const byLink = ({ link_id }: JsonLine): void => {
  bpftool('link', 'detach', 'id', String(link_id));
};
const cases: readonly Case[] = [
  {
    name: 'XDP by link, by bpftool link detach',
    args: ['load', snifferObject, ...place],
    detach: byLink,
    target: eth,
    line: { ifindex },
  },
  {
    name: 'XDP by netlink, by ip link set xdp off',
    args: ['load', snifferObject, '--via', 'netlink', ...place],
    detach: () => {
      ip(`link set dev ${eth} xdp off`, world.netnsName);
    },
    target: eth,
    line: { ifindex },
  },
  {
    name: 'a cgroup, by bpftool link detach',
    args: ['load', object, '--prog', `${tag}_connect`, '--cgroup', world.cgroup, '--json'],
    detach: byLink,
    target: world.cgroup,
  },
  { name: 'tcx', args: traffic, detach: byLink, target: `${eth} (ingress)`, line: { ifindex } },
];

for (const { name, args, detach, target, line = {} } of cases) {
  t.test(`taken away: ${name}`, async (t) => {
    const cli = new Cli(args);
    let attached: JsonLine;
    try {
      attached = await cli.attached();
    } catch (error) {
      const refusal = cli.lines.at(-1)?.error;
      if (refusal?.code !== 'UNSUPPORTED_FEATURE') throw error;
      t.comment(`skipped: ${refusal.message}`);
      return;
    }
    detach(attached);
    t.same(await detached(cli), { type: 'detached', ...facts(attached), ...line, reason: 'taken_away' });
    const { code, lines, stderr } = await cli.ended;
    t.equal(code, 1);
    const program = String(attached['program']);
    t.match(stderr, `note: ${program} is no longer attached to ${target}: somebody else has detached it\n`);
    t.same(
      lines.slice(-2).map(({ type, error }) => error ?? type),
      [
        'summary',
        {
          code: 'ATTACH_CHANGED',
          message: `Cannot keep ${program} attached to ${target}: somebody else has detached it`,
          target,
        },
      ],
    );
  });
}

t.test('one of several: told, and the rest goes on until the last', async (t) => {
  const cli = new Cli(['load', object, '--cgroup', world.cgroup, '--json']);
  const attached = await cli.until(({ lines }) => lines.length >= 3 && lines.slice(0, 3));
  byLink(attached[2] ?? {});
  t.match(await detached(cli), { program: `${tag}_connect`, reason: 'taken_away' });
  await pause(100);
  const { code, lines } = await cli.stop();
  t.equal(code, 0, 'a signal ends it in order');
  t.match(summaryOf({ lines }), { type: 'summary' });
  t.same(await leftObjects(tag), []);
});

t.test('the cgroup is removed: it ends as with the last interface', async (t) => {
  const cgroup = join(dirname(world.cgroup), `${tag}-gone`);
  mkdirSync(cgroup);
  const args = ['load', object, '--prog', `${tag}_connect`, '--cgroup', cgroup];
  const [json, text] = [new Cli([...args, '--json']), new Cli(args)];
  const attached = await json.attached();
  await text.until(({ stdout }) => stdout.includes('attached'));
  rmdirSync(cgroup);
  const [{ code, lines, stderr }, asText] = await Promise.all([json.ended, text.ended]);
  t.same([code, asText.code], [0, 0], stderr);
  t.same(
    lines.find(({ type }) => type === 'detached'),
    { type: 'detached', ...facts(attached), reason: 'target_gone' },
  );
  summaryOf({ lines });
  t.equal(asText.stderr, `note: ${tag}_connect is no longer attached to ${cgroup}: the cgroup is gone\n`);
  t.match(asText.stdout, /^attached .*\n0 events in .*\n$/);
});

t.test('taken away with its pins: unload DIR ends the command that pinned', async (t) => {
  const directory = join(world.bpffs.path, 'pinned');
  const cli = new Cli(['load', snifferObject, ...place, '--pin', directory]);
  const attached = await cli.attached();
  await cli.line('pinned');
  using same = BpfLink.fromId(Number(attached['link_id']));
  t.equal(same.attached, true);
  t.equal((await runHosted(['unload', directory])).code, 0);
  t.equal(same.attached, false, 'whoever has the link sees it');
  const { code, lines } = await cli.ended;
  t.equal(code, 1);
  t.match(lines.at(-1)?.error, { code: 'ATTACH_CHANGED' });
});
