/** `ts-xdp unload prog|map|link`: takes away what others made, and says what is left. */
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { attachTcx, attachXdp, BpfProgram } from '../../src/index.ts';
import { notRoot, type CliResult } from '../helpers/cli.ts';
import { runHosted } from '../helpers/command-host.ts';
import { makeCgroup } from '../helpers/control-group.ts';
import { bpftool, HolderWorld, idOfPin, mapPinOf, pinOf } from '../helpers/holder-world.ts';
import { ip, leftObjects, xdpState } from '../helpers/kernel-objects.ts';
import { noClang } from '../helpers/object-source.ts';
import { withVethPair } from '../helpers/veth.ts';

const skip = notRoot || noClang;

function unload(...args: readonly string[]): Promise<CliResult> {
  return runHosted(['unload', ...args, '--json']);
}

t.test('XDP by ip, filters by tc, a cgroup by bpftool, slots and pins', { skip }, (t) =>
  withVethPair(async (pair) => {
    const world = new HolderWorld();
    const loaded = world.load();
    const netns = String(pair.namespaceName);
    const { name } = pair.receiver;
    const called = pinOf(loaded, 'called');
    const id = idOfPin('prog', called);
    ip(`link set dev ${name} xdpgeneric pinned ${called}`, netns);
    const xdp = await unload('prog', String(id));
    t.match(xdp.lines, [
      { type: 'removed', kind: 'pin', path: called },
      { type: 'detached', kind: 'xdp', interface: name, netns, mode: 'generic' },
      { type: 'detached', kind: 'map', map_type: 'prog_array', key: 5 },
      { type: 'left', holders: [] },
    ]);
    t.equal(xdp.code, 0);
    t.notOk(existsSync(called));
    t.equal(xdpState(name, netns).programId, undefined);

    const filter = pinOf(loaded, 'classifier');
    tc(netns, 'qdisc', 'add', 'dev', name, 'clsact');
    tc(
      netns,
      'filter',
      'add',
      'dev',
      name,
      'ingress',
      'chain',
      '3',
      'prio',
      '7',
      'bpf',
      'da',
      'pinned',
      filter,
    );
    tc(netns, 'filter', 'add', 'dev', name, 'egress', 'protocol', 'ip', 'bpf', 'da', 'pinned', filter);
    const program = BpfProgram.fromPin(filter);
    const link = attachTcx(program, { interface: name, netns: pair.netns, direction: 'egress' });
    const tcResult = await unload('prog', filter);
    t.match(tcResult.lines.slice(0, -1), [
      { type: 'removed', kind: 'pin', path: filter },
      { type: 'detached', kind: 'link', link_id: link.id, link_type: 'tcx' },
      { type: 'detached', kind: 'tc', chain: 3, priority: 7, direction: 'ingress' },
      { type: 'detached', kind: 'tc', direction: 'egress' },
    ]);
    t.match(
      tcResult.lines.at(-1),
      {
        type: 'left',
        holders: [
          { kind: 'process', pid: process.pid, fd: program.fd.value },
          { kind: 'link', link_id: link.id, holders: [{ kind: 'process', pid: process.pid }] },
        ],
      },
      'this process is left alone',
    );
    t.equal(tcResult.code, 1);
    t.equal(
      execFileSync('tc', ['-n', netns, 'filter', 'show', 'dev', name, 'ingress'], { encoding: 'utf8' }),
      '',
    );
    t.equal(
      execFileSync('tc', ['-n', netns, 'filter', 'show', 'dev', name, 'egress'], { encoding: 'utf8' }),
      '',
    );
    link.close();
    program.close();

    const cgroup = makeCgroup('unload');
    const ingress = pinOf(loaded, 'ingress_of_a_cgroup');
    bpftool('cgroup', 'attach', cgroup, 'ingress', 'pinned', ingress, 'multi');
    const ofCgroup = await unload('prog', ingress);
    t.match(ofCgroup.lines, [
      { type: 'removed', kind: 'pin' },
      { type: 'detached', kind: 'cgroup', path: cgroup, attach_type: 'cgroup_inet_ingress' },
      { type: 'left', holders: [] },
    ]);
    t.equal(bpftool('cgroup', 'show', cgroup).trim(), '');
    rmdirSync(cgroup);

    const inner = mapPinOf(loaded, 'inner');
    const map = await unload('map', inner);
    t.match(map.lines, [
      { type: 'removed', kind: 'pin', path: inner },
      { type: 'detached', kind: 'map', map_type: 'hash_of_maps', key: 0 },
      { type: 'left', holders: [{ kind: 'program', name: `${world.tag}_pass` }] },
    ]);
    t.equal(map.code, 1, 'a program holds its maps');

    const device = BpfProgram.fromPin(pinOf(loaded, 'pass'));
    const xdpLink = attachXdp(device, { interface: name, netns: pair.netns, modes: ['generic'] });
    const linkPin = join(loaded.directory, 'link');
    xdpLink.pin(linkPin);
    const linkId = String(xdpLink.id);
    xdpLink.leave();
    device.close();
    const ofLink = await runHosted(['unload', 'link', linkId]);
    t.equal(
      ofLink.stdout,
      `detached link ${linkId}\nremoved pin ${linkPin}\nnothing holds link ${linkId} any more\n`,
    );
    t.equal(xdpState(name, netns).programId, undefined);
    rmSync(loaded.directory, { recursive: true });
    t.same(await leftObjects(world.tag), []);
    world.close();
  }),
);

t.test('command lines that say too little', { skip }, async (t) => {
  const alone = await runHosted(['unload', 'prog']);
  t.same(
    [alone.code, alone.stderr],
    [2, 'error: unload prog needs an id, a name, a tag or a pin; a directory of that name is ./prog\n'],
  );
  const no = await runHosted(['unload', 'prog', 'id', 'x']);
  t.same([no.code, no.stderr], [2, 'error: x is no id: a whole number from 1 to 4294967295 is wanted\n']);
  const unknown = await runHosted(['unload', './prog']);
  t.same([unknown.code, unknown.stderr], [1, 'error: Cannot unload ./prog: there is no such directory\n']);
});

function tc(netns: string, ...args: readonly string[]): void {
  execFileSync('tc', ['-n', netns, ...args]);
}
