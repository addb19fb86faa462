/** `ts-xdp load` on objects whose programs are of other kinds than XDP, and `collection.attachAll()`. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import t from 'tap';
import { BpfLink, Collection, ObjectFile } from '../../src/index.ts';
import { AttachWorld } from '../helpers/attach-world.ts';
import { Cli, notRoot, summaryOf } from '../helpers/cli.ts';
import { runHosted } from '../helpers/command-host.ts';
import { leftObjects, loadedObjects } from '../helpers/kernel-objects.ts';
import { isKernelBefore } from '../helpers/lacking.ts';
import { noClang, uniqueTag } from '../helpers/object-source.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { thrown } from '../helpers/thrown.ts';

const skip = notRoot || noClang;
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

t.test('every program whose section says how is attached, one line each', async (t) => {
  const cli = new Cli(['load', object, '--cgroup', world.cgroup, '--event', 'events=event', '--json']);
  const attached = await cli.until(({ lines }) => lines.length >= 3 && lines.slice(0, 3));
  t.match(attached, [
    {
      type: 'attached',
      kind: 'tracepoint',
      program: `${tag}_exec`,
      target: 'sched/sched_process_exec',
      via: 'link',
    },
    {
      type: 'attached',
      kind: 'raw_tracepoint',
      program: `${tag}_fork`,
      target: 'sched_process_fork',
      via: 'link',
    },
    { type: 'attached', kind: 'cgroup', program: `${tag}_connect`, target: world.cgroup, via: 'link' },
  ]);
  for (const line of attached) {
    t.type(line['program_id'], 'number');
    t.type(line['link_id'], 'number');
  }
  const child = spawnSync('/bin/true');
  const event = await cli.until(({ events }) => events.find(({ data }) => data?.['pid'] === child.pid));
  t.match(event.data, { pid: child.pid, comm: 'true' });
  const result = await cli.stop();
  t.equal(result.code, 0);
  t.match(summaryOf(result), { type: 'summary' });
  t.same(await leftObjects(tag), []);
});

t.test('one program by name, and as text', async (t) => {
  const { code, stdout } = await runHosted(['load', object, '--prog', `${tag}_exec`, '--duration', '200ms']);
  t.equal(code, 0);
  t.match(
    stdout,
    new RegExp(`^attached ${tag}_exec to sched/sched_process_exec \\(tracepoint, program \\d+\\)\n`),
  );
});

t.test('what the section leaves open is asked for', async (t) => {
  const cases: [args: string[], message: string][] = [
    [[], `load needs a cgroup for ${tag}_connect: --cgroup PATH`],
    [
      ['--prog', `${tag}_probe`],
      `load needs a target for ${tag}_probe, as its section uprobe leaves open a target: --target PATH:FUNCTION`,
    ],
    [['--prog', `${tag}_traffic`], 'load needs an interface: --iface NAME, or a --config that names one'],
  ];
  for (const [args, message] of cases) {
    const { code, lines } = await runHosted(['load', object, ...args, '--json']);
    t.equal(code, 2);
    t.match(lines.at(-1)?.error, { code: 'USAGE', message });
  }
  t.same(await leftObjects(tag), []);
});

t.test('--target, --pid and --iface', async (t) => {
  const probe = [
    'load',
    object,
    '--prog',
    `${tag}_probe`,
    '--target',
    `${world.traced}:traced_add`,
    '--json',
  ];
  const uprobe = new Cli([...probe, '--pid', String(process.pid)]);
  t.match(await uprobe.attached(), { kind: 'uprobe', target: `${world.traced}:traced_add` });
  t.equal((await uprobe.stop()).code, 0);
  const { receiver } = world.pair;
  const place = ['--iface', receiver.name, '--netns', world.netnsName];
  const tcx = new Cli(['load', object, '--prog', `${tag}_traffic`, ...place, '--json']);
  t.match(await tcx.attached(), { kind: 'tcx', target: `${receiver.name} (ingress)`, via: 'link' });
  t.equal((await tcx.stop()).code, 0);
});

t.test('--pin keeps links of every kind, and unload takes them away', async (t) => {
  if (isKernelBefore('5.15')) {
    t.comment('skipped: tracepoints have no links before Linux 5.15');
    return;
  }
  const directory = `${world.bpffs.path}/kinds`;
  const args = ['load', object, '--cgroup', world.cgroup, '--pin', directory, '--detach', '--json'];
  const { code, lines } = await runHosted(args);
  t.equal(code, 0);
  t.match(lines.at(-1), { type: 'pinned', directory });
  t.ok(loadedObjects(tag).length > 0, 'it outlives the command');
  t.equal((await runHosted(['unload', directory])).code, 0);
  t.same(await leftObjects(tag), []);
});

t.test('options that nothing of the object heeds are named, and are no error', async (t) => {
  const place = ['--iface', world.pair.receiver.name, '--netns', world.netnsName];
  const given = [...place, '--cgroup', '/', '--pid', '1', '--target', 'x', '--mode', 'generic', '--replace'];
  const exec = ['load', object, '--prog', `${tag}_exec`, '--duration', '50ms'];
  const { code, stderr } = await runHosted([...exec, ...given, '--pin-root', '/nonexistent']);
  t.equal(code, 0, stderr);
  const ignored = '--iface, --netns, --cgroup, --pid, --target, --mode, --replace, --pin-root';
  t.equal(stderr.split('\n')[0], `note: without effect on this object: ${ignored}`);
  const traffic = ['load', object, '--prog', `${tag}_traffic`, '--duration', '50ms', ...place];
  t.equal((await runHosted([...traffic, '--via', 'link', '--json'])).stderr.includes('--iface'), false);
});

t.test('--detach leaves what a link holds pinned, however XDP would be attached', async (t) => {
  const { code, lines, stderr } = await runHosted([
    ...['load', object, '--prog', `${tag}_connect`, '--cgroup', world.cgroup],
    ...['--via', 'netlink', '--detach', '--json'],
  ]);
  t.equal(code, 0, stderr);
  const directory = `/sys/fs/bpf/${tag}_sections`;
  t.match(lines.at(-1), { type: 'pinned', directory });
  using link = BpfLink.fromId(Number(lines[0]?.['link_id']));
  t.equal(link.attached, true, 'it outlives the command');
  t.equal((await runHosted(['unload', directory])).code, 0);
  t.equal(link.attached, false);
});

t.test('--detach refuses what cannot stay', async (t) => {
  const target = `${world.traced}:traced:round`;
  const directory = `${world.bpffs.path}/refused`;
  const args = ['load', world.object, '--prog', 'on_usdt', '--target', target];
  const { code, lines } = await runHosted([...args, '--detach', '--pin', directory, '--json']);
  t.equal(code, 1);
  t.match(lines.at(-1)?.error, {
    code: 'ARGUMENT_INVALID',
    message: `Cannot leave on_usdt attached to ${target}: a perf event of this process holds it, and goes with it`,
    hint: 'leave --detach out, and let the command run',
  });
  t.notOk(existsSync(directory));
});

t.test('attachAll() gives the links of all, or of none', async (t) => {
  const before = openDescriptors();
  const file = ObjectFile.open(object);
  {
    using collection = Collection.load(file);
    const links = collection.attachAll({ cgroup: world.cgroup });
    t.same(
      links.map(({ kind }) => kind),
      ['tracepoint', 'raw_tracepoint', 'cgroup'],
      'not the one for tail calls',
    );
    for (const link of links) link.close();
    t.match(
      thrown(() => collection.attachAll()),
      { message: `Cannot attach ${tag}_connect: it needs a cgroup` },
    );
    t.match(
      thrown(() => collection.attach(`${tag}_classifier`)),
      {
        code: 'ARGUMENT_INVALID',
        message: `Cannot attach ${tag}_classifier: it needs a direction, since its section tc names none`,
        hint: 'name it with the option "target": ingress|egress',
      },
    );
  }
  t.same(openDescriptors(), before);
  t.same(await leftObjects(tag), []);
});
