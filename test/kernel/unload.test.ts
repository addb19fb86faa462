/** What stays after `ts-xdp load` where that was asked for, and `ts-xdp unload`, which takes everything away. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { isOnFileSystem } from '../../src/sys/index.ts';
import { EtherType, Protocol, ethernet, ipv4, pattern, udp } from '../fixtures/frames.ts';
import { Cli, cliMain, notRoot } from '../helpers/cli.ts';
import { runHosted } from '../helpers/command-host.ts';
import { BpfFileSystem, ip, leftObjects, xdpState } from '../helpers/kernel-objects.ts';
import { noClang, ObjectFolder, uniqueTag } from '../helpers/object-source.ts';
import { snifferObject } from '../helpers/sniffer-events.ts';
import { withVethPair } from '../helpers/veth.ts';

const skip = notRoot || noClang;
const folder = new ObjectFolder();
const tag = uniqueTag();
const object = skip === false ? folder.compile('variants', { name: `${tag}_x`, defines: { TAG: tag } }) : '';
const bpffs = skip === false ? new BpfFileSystem() : undefined;
const mounted = bpffs?.path ?? '';
t.teardown(() => {
  folder.close();
  bpffs?.close();
});

t.test('--pin keeps links, programs and maps beyond the process', { skip }, (t) =>
  withVethPair(async (pair) => {
    const netns = String(pair.namespaceName);
    const { name } = pair.receiver;
    const devices = ['--iface', name, '--iface', pair.sender.name];
    for (const detach of [true, false]) {
      const pins = join(mounted, detach ? 'detached' : 'followed');
      const more = detach ? ['--detach'] : [];
      const cli = new Cli(['load', object, ...devices, '--netns', netns, '--pin', pins, ...more, '--json']);
      const pinned = await cli.line('pinned');
      t.same(pinned, { type: 'pinned', directory: pins });
      const { code, lines } = detach ? await cli.ended : await cli.stop('SIGINT');
      t.equal(code, 0);
      t.equal(lines.at(-1)?.type, detach ? 'pinned' : 'summary');
      const attached = lines.filter(({ type }) => type === 'attached');
      const state = xdpState(name, netns);
      t.equal(state.programId, attached[0]?.['program_id'], 'it is attached after the exit');
      t.same(readdirSync(pins).sort(), ['links', 'maps', 'programs']);
      t.same(readdirSync(join(pins, 'links')).sort(), [`xdp_${name}`, `xdp_${pair.sender.name}`].sort());
      t.same(readdirSync(join(pins, 'programs')), [`${tag}_pass`]);
      t.same(readdirSync(join(pins, 'maps')).sort(), ['_rodata', `${tag}_rules`, `${tag}_sums`].sort());
      const link = JSON.parse(
        execFileSync('bpftool', ['-j', 'link', 'show', 'pinned', join(pins, 'links', `xdp_${name}`)], {
          encoding: 'utf8',
        }),
      ) as { id: number; type: string; prog_id: number };
      t.match(
        link,
        { id: attached[0]?.['link_id'], type: 'xdp', prog_id: state.programId },
        'bpftool reads the pin',
      );

      const unload = await runHosted(['unload', pins, '--json']);
      t.equal(unload.code, 0);
      t.equal(unload.stderr, '');
      const removed = unload.lines.map(({ type, kind, path }) => [type, kind, path]);
      t.same(
        removed.sort(),
        [
          ['removed', 'link', join(pins, 'links', `xdp_${name}`)],
          ['removed', 'link', join(pins, 'links', `xdp_${pair.sender.name}`)],
          ['removed', 'map', join(pins, 'maps', '_rodata')],
          ['removed', 'map', join(pins, 'maps', `${tag}_rules`)],
          ['removed', 'map', join(pins, 'maps', `${tag}_sums`)],
          ['removed', 'program', join(pins, 'programs', `${tag}_pass`)],
        ].sort(),
      );
      t.ok(unload.lines.every(({ kind, link_id: id }) => (kind === 'link') === (typeof id === 'number')));
      t.notOk(existsSync(pins));
      t.equal(xdpState(name, netns).programId, undefined);
      t.same(await leftObjects(tag), []);
    }
  }),
);

const PINS = '/sys/fs/bpf';
const noPins =
  skip !== false || isOnFileSystem(PINS, 'bpf') ? skip : `no bpf file system is mounted at ${PINS}`;

t.test("--detach alone pins under the object's name", { skip: noPins }, (t) =>
  withVethPair(async (pair) => {
    const netns = String(pair.namespaceName);
    const { name } = pair.receiver;
    // The tag makes it a name that nobody else has there. bpffs takes no dots (bpf_lookup() in kernel/bpf/inode.c).
    const dotted = folder.compile('variants', { name: `${tag}.y`, defines: { TAG: tag } });
    const directory = `${PINS}/${tag}_y`;
    const place = ['--iface', name, '--netns', netns];
    const load = await runHosted(['load', dotted, ...place, '--detach', '--json']);
    t.equal(load.code, 0, load.stderr);
    t.same(load.lines.at(-1), { type: 'pinned', directory });
    t.equal(xdpState(name, netns).programId, load.lines[0]?.['program_id'], 'it outlives the command');
    t.same(readdirSync(join(directory, 'links')), [`xdp_${name}`]);
    const again = await runHosted(['load', dotted, ...place, '--detach', '--json']);
    t.equal(again.code, 1);
    t.match(again.lines.at(-1)?.error, { hint: `remove it with: ts-xdp unload ${directory}` });
    t.equal((await runHosted(['unload', directory])).code, 0);
    t.notOk(existsSync(directory));
    t.equal(xdpState(name, netns).programId, undefined);
    t.same(await leftObjects(tag), []);
  }),
);

t.test('what unload finds nothing to do about', { skip }, (t) =>
  withVethPair(async (pair) => {
    const netns = String(pair.namespaceName);
    const nothing = join(mounted, 'nothing');
    const rows = [
      {
        args: [nothing],
        error: {
          code: 'PIN_NOT_FOUND',
          message: `Cannot unload ${nothing}: there is no such directory`,
          subject: nothing,
        },
      },
      {
        args: [folder.path],
        error: {
          code: 'ARGUMENT_INVALID',
          message: `Cannot unload ${folder.path}: it is not in a bpf file system`,
          argument: 'directory',
        },
      },
      {
        args: ['--iface', pair.receiver.name, '--netns', netns],
        error: {
          code: 'PROGRAM_NOT_FOUND',
          message: `Cannot detach from ${pair.receiver.name}: no XDP program is attached there`,
          subject: pair.receiver.name,
        },
      },
      {
        args: ['--iface', 'nonesuch0', '--netns', netns],
        error: {
          code: 'INTERFACE_NOT_FOUND',
          message: 'Cannot find interface nonesuch0: there is none of that name',
          hint: `The interfaces here are lo, ${pair.sender.name}, ${pair.receiver.name}.`,
          subject: 'nonesuch0',
          available: ['lo', pair.sender.name, pair.receiver.name],
        },
      },
    ];
    for (const { args, error } of rows) {
      const [json, plain] = await Promise.all([
        runHosted(['unload', ...args, '--json']),
        runHosted(['unload', ...args]),
      ]);
      t.same([json.code, plain.code], [1, 1]);
      t.same(json.lines, [{ error }]);
      t.match(plain.stderr, `error: ${error.message}\n`);
      t.equal(plain.stdout, '');
    }
  }),
);

t.test('--detach by netlink stays, and unload --iface ends it', { skip }, (t) =>
  withVethPair(async (pair) => {
    const netns = String(pair.namespaceName);
    const { name, index } = pair.receiver;
    const place = ['--iface', name, '--netns', netns];
    for (const mode of ['native', 'generic']) {
      const load = await runHosted([
        'load',
        object,
        ...place,
        '--via',
        'netlink',
        '--mode',
        mode,
        '--detach',
        '--json',
      ]);
      t.equal(load.code, 0);
      const { program_id: program } = load.lines[0] ?? {};
      t.equal(xdpState(name, netns).programId, program);
      const command = `ts-xdp unload --iface ${name} --netns ${netns}`;
      t.equal(load.stderr, `note: ${name} is attached by netlink: it stays attached until "${command}"\n`);
      const printed = execFileSync(
        'bash',
        ['-c', `ts-xdp() { node '${cliMain}' "$@"; }; ${command} --json`],
        {
          encoding: 'utf8',
        },
      );
      t.same(JSON.parse(printed), {
        type: 'detached',
        kind: 'xdp',
        target: name,
        ifindex: index,
        mode,
        via: 'netlink',
        program_id: program,
        link_id: null,
      });
      t.equal(xdpState(name, netns).programId, undefined);
      t.same(await leftObjects(tag), []);
    }
  }),
);

t.test('unload --iface ends what other tools attached', { skip }, (t) =>
  withVethPair(async (pair) => {
    const netns = String(pair.namespaceName);
    const { name } = pair.receiver;
    const pin = join(mounted, 'by_bpftool');
    execFileSync('bpftool', ['prog', 'load', object, pin, 'type', 'xdp']);
    const attach = ['netns', 'exec', netns, 'bpftool', 'net', 'attach'];
    // iproute2 gives its namespaces a /sys of their own, which hides no bpf file system but /sys/fs/bpf.
    const others: [string, () => void][] = [
      ['bpftool', () => execFileSync('ip', [...attach, 'xdpdrv', 'pinned', pin, 'dev', name])],
      ['iproute2, generic', () => ip(`link set dev ${name} xdpgeneric pinned ${pin}`, netns)],
    ];
    for (const [who, action] of others) {
      action();
      const { programId } = xdpState(name, netns);
      t.type(programId, 'number', who);
      const unload = await runHosted(['unload', '--iface', name, '--netns', netns]);
      t.equal(unload.code, 0, unload.stderr);
      const mode = who === 'bpftool' ? 'native' : 'generic';
      t.equal(
        unload.stdout,
        `detached program ${String(programId)} from ${name} (${mode} mode, was held by netlink)\n`,
      );
      t.equal(xdpState(name, netns).programId, undefined);
    }
    const pinOnly = await runHosted(['unload', pin, '--json']);
    t.equal(pinOnly.code, 1);
    t.same(pinOnly.lines[0]?.error, {
      code: 'ARGUMENT_INVALID',
      message: `Cannot unload ${pin}: it is a pin, not a directory of pins`,
      hint: `give the directory that --pin made, or remove the pin: rm ${pin}`,
      argument: 'directory',
    });
    execFileSync('rm', [pin]);
    t.same(await leftObjects(tag), []);
  }),
);

t.test("unload --iface ends another process's link, which says so and ends in order", { skip }, (t) =>
  withVethPair(async (pair) => {
    const netns = String(pair.namespaceName);
    const { name } = pair.receiver;
    const place = ['--iface', name, '--netns', netns, '--json'];
    const other = new Cli(['load', snifferObject, ...place]);
    const attached = await other.attached();
    const unload = await runHosted(['unload', ...place]);
    t.equal(unload.code, 0);
    t.match(unload.lines[0], {
      via: 'link',
      link_id: attached['link_id'],
      program_id: attached['program_id'],
    });
    t.equal(xdpState(name, netns).programId, undefined);
    const socket = pair.openPacketSocket();
    const datagram = udp({ sourcePort: 1, destinationPort: 2 }, pattern(8));
    socket.send(ethernet(EtherType.Ipv4, ipv4({ protocol: Protocol.Udp }, datagram)));
    socket.close();
    const { code, lines, stderr } = await other.ended;
    t.equal(code, 1, stderr);
    t.match(lines.at(-2), { type: 'summary', events: 0 }, 'it got nothing any more');
    t.match(lines.at(-1)?.error, { code: 'ATTACH_CHANGED' });
  }),
);

t.test('a generic program of iproute2 keeps a native one out', { skip }, (t) =>
  withVethPair(async (pair) => {
    const netns = String(pair.namespaceName);
    const place = ['--iface', pair.receiver.name, '--netns', netns];
    const pin = join(mounted, 'two_modes');
    mkdirSync(pin);
    execFileSync('bpftool', ['prog', 'load', object, join(pin, 'one'), 'type', 'xdp']);
    ip(`link set dev ${pair.receiver.name} xdpgeneric pinned ${join(pin, 'one')}`, netns);
    const refused = await runHosted(['load', object, ...place, '--mode', 'native', '--json']);
    t.match(
      refused.lines[0]?.error,
      { code: 'ALREADY_ATTACHED' },
      'the kernel has native and generic exclude each other',
    );
    t.equal((await runHosted(['unload', ...place])).code, 0);
    t.equal((await runHosted(['unload', pin])).code, 0);
    t.same(await leftObjects(tag), []);
  }),
);
