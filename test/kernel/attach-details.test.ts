/** What is particular to single kinds of attachment: order, cookies, arguments, iterators, cgroups, and refusals. */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import {
  attachCgroup,
  attachIterator,
  attachKprobe,
  attachNetfilter,
  attachRawTracepoint,
  attachTc,
  attachTcx,
  attachTracepoint,
  attachTracing,
  attachUprobe,
  attachUprobeMulti,
  attachUsdt,
  BpfLink,
  type Collection,
  IteratorLink,
  liveLinks,
  PermissionError,
} from '../../src/index.ts';
import { clsactSide, listBpfFilters } from '../../src/netlink/index.ts';
import { AttachWorld } from '../helpers/attach-world.ts';
import { notRoot } from '../helpers/cli.ts';
import { isKernelBefore, skipWhole, whyNotHere } from '../helpers/lacking.ts';
import { noClang } from '../helpers/object-source.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { thrown } from '../helpers/thrown.ts';

const skip = notRoot || noClang;
if (skip !== false) {
  t.plan(0, skip);
  process.exit(0);
}

const world = new AttachWorld();
const before = openDescriptors();
t.teardown(() => {
  world.close();
});
const { pair } = world;
const { netns } = pair;
const receiver = pair.receiver.name;

t.test('tcx programs run in the order that each asked for', (t) =>
  world.withPrograms(t, ['on_step_a', 'on_step_b', 'on_step_c', 'on_step_d'], (collection) => {
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => collection.program(`on_step_${name}`)) as [
      never,
      never,
      never,
      never,
    ];
    const place = { interface: receiver, netns };
    const run = (): string => {
      collection.variable('trail_length').set(0);
      world.sendFrame();
      const length = Number(collection.variable('trail_length').get());
      return String.fromCharCode(
        ...(collection.variable('trail').get() as unknown as number[]).slice(0, length),
      );
    };
    using first = attachTcx(a, place);
    using second = attachTcx(b, { ...place, before: first });
    using third = attachTcx(c, { ...place, before: 'first' });
    t.equal(run(), 'cba');
    second.close();
    t.equal(run(), 'ca');
    using after = attachTcx(b, { ...place, after: collection.program('on_step_c') });
    t.equal(run(), 'cba', 'next to a program');
    after.close();
    using byId = attachTcx(b, { ...place, after: { linkId: first.id } });
    t.equal(run(), 'cab', 'next to a link by its id');
    byId.close();
    using byProgramId = attachTcx(b, { ...place, before: { programId: collection.program('on_step_a').id } });
    t.equal(run(), 'cba', 'next to a program by its id');
    byProgramId.close();

    const refusals: [options: object, code: string, message: string][] = [
      [
        { before: 'first', after: 'last' },
        'ARGUMENT_INVALID',
        'Cannot attach: "before" and "after" exclude each other',
      ],
      [
        { before: d },
        'ATTACH_REFUSED',
        `Cannot attach on_step_b to ${receiver} (ingress): the neighbour that it is to run next to is not attached there`,
      ],
      [
        { expectedRevision: 1n },
        'ATTACH_CHANGED',
        `Cannot attach on_step_b to ${receiver} (ingress): the programs there have changed since the expected revision`,
      ],
    ];
    for (const [options, code, message] of refusals) {
      t.match(
        thrown(() => attachTcx(b, { ...place, ...options })),
        { code, message },
      );
    }
    t.match(
      thrown(() => attachTcx(a, place)),
      { code: 'ALREADY_ATTACHED', target: `${receiver} (ingress)` },
      'a program has one place',
    );
    third.close();
  }),
);

const COOKIE = 0x1122_3344_5566_7788n;
/** Raw tracepoints have cookies since 6.10. */
const fewCookies = isKernelBefore('6.10');

t.test('a cookie tells attachments apart', (t) =>
  world.withPrograms(
    t,
    [
      ...(fewCookies ? [] : ['on_raw_tp_cookie', 'on_tp_btf_cookie']),
      ...['on_tracepoint', 'on_uprobe', 'on_uretprobe'],
    ],
    (collection) => {
      const cookie = COOKIE;
      const cases: [name: string, attach: () => BpfLink | { close(): void }, fire: () => void][] = [
        [
          'raw_tp_cookie',
          () =>
            attachRawTracepoint(collection.program('on_raw_tp_cookie'), { tracepoint: 'sys_enter', cookie }),
          () => process.hrtime(),
        ],
        ['tp_btf_cookie', () => attachTracing(collection.program('on_tp_btf_cookie'), { cookie }), () => 0],
        [
          'tracepoint',
          () =>
            attachTracepoint(collection.program('on_tracepoint'), {
              tracepoint: 'raw_syscalls/sys_enter',
              cookie,
            }),
          () => 0,
        ],
        [
          'uprobe',
          () =>
            attachUprobe(collection.program('on_uprobe'), {
              path: world.traced,
              function: 'traced_add',
              cookie,
            }),
          () => {
            collection.variable('only_pid').set(0);
            world.runTraced();
          },
        ],
      ];
      for (const [name, attach, fire] of fewCookies ? cases.slice(2) : cases) {
        collection.variable('last_cookie').set(0n);
        const link = attach();
        fire();
        t.equal(collection.variable('last_cookie').get(), COOKIE, name);
        // Links of probes tell it since 6.9, those of raw tracepoints and of BTF tracepoints since 6.17.
        const silent = isKernelBefore(name.endsWith('_cookie') ? '6.17' : '6.9');
        if (link instanceof BpfLink && !silent)
          t.match(link.info(), { cookie: COOKIE }, 'and the kernel tells it');
        link.close();
      }
      t.end();
    },
  ),
);

t.test('USDT: arguments, cookie, semaphore', (t) =>
  world.withPrograms(t, ['on_usdt'], (collection) => {
    const maps = {
      specs: collection.map('__bpf_usdt_specs'),
      instructions: collection.map('__bpf_usdt_ip_to_spec_id'),
    };
    const probe = { path: world.traced, provider: 'traced', name: 'round', maps };
    t.equal(world.runTraced(), '9 0\n', 'nobody listens');
    const link = attachUsdt(collection.program('on_usdt'), { ...probe, cookie: 77n });
    t.equal(world.runTraced(), '9 1\n', 'the semaphore says that somebody listens');
    t.same(
      (collection.variable('last_arguments').get() as unknown as bigint[]).map((one) =>
        BigInt.asIntN(64, one),
      ),
      [-3n, 3n * 1_000_000_007n, 7n],
    );
    t.equal(collection.variable('last_cookie').get(), 77n);
    t.equal(collection.variable('usdt_hits').get(), 3);
    link.close();
    t.equal(world.runTraced(), '9 0\n');
    // Specs are given back: more attachments one after the other than the map has room for.
    for (let count = 0; count < maps.specs.maxEntries + 3; count++) {
      attachUsdt(collection.program('on_usdt'), { ...probe, cookie: BigInt(count) }).close();
    }
    t.match(
      thrown(() => attachUsdt(collection.program('on_usdt'), { ...probe, name: 'square' })),
      {
        code: 'SYMBOL_NOT_FOUND',
        message: `Cannot attach on_usdt to traced:square: ${world.traced} offers no such probe`,
      },
    );
    t.end();
  }),
);

t.test('iterators are read as text, bytes and a stream', (t) =>
  world.withPrograms(t, ['on_iter_task', 'on_iter_task_next'], async (collection) => {
    using tasks = attachIterator(collection.program('on_iter_task'));
    const own = `task ${String(process.pid)}\n`;
    t.ok(tasks.text().includes(own), 'this process is among the tasks');
    t.ok(tasks.text().startsWith('task '), 'every reading begins anew');
    const chunks: Buffer[] = [];
    for await (const chunk of tasks.stream()) chunks.push(chunk as Buffer);
    t.ok(Buffer.concat(chunks).toString().includes(own));
    t.equal([...tasks.bytes()][0]?.constructor, Uint8Array);
    t.match(tasks.info(), { kind: 'iter', target: 'task' });
    tasks.update(collection.program('on_iter_task_next'));
    t.match(tasks.text(), /^x+$/, 'another program reads the same objects');

    using mine = attachIterator(collection.program('on_iter_task'), { task: { pid: process.pid } });
    const lines = mine.text();
    t.equal(lines.replaceAll(own, ''), '', 'the threads of one process');
    t.ok(lines.length > own.length);

    const elements = collection.map('elements');
    t.match(
      thrown(() => attachIterator(collection.program('on_iter_task'), { map: elements, task: { pid: 1 } })),
      { message: 'Cannot attach an iterator to more than one of a map, a task and a cgroup' },
    );
  }),
);

t.test('an iterator over the elements of a map', async (t) => {
  try {
    await world.withPrograms(t, ['on_iter_elements'], (collection) => {
      const elements = collection.map('elements');
      elements.set(5, 50);
      elements.set(6, 60);
      using ofMap = attachIterator(collection.program('on_iter_elements'), { map: elements });
      t.same(ofMap.text().trim().split('\n').sort(), ['5 is 50', '6 is 60']);
      t.match(ofMap.info(), { kind: 'iter', target: 'bpf_map_elem', mapId: elements.info().id });
      const path = `${world.bpffs.path}/iterator`;
      ofMap.pin(path);
      t.equal(
        execFileSync('cat', [path], { encoding: 'utf8' }).split('\n').length,
        3,
        'a pin is read as a file',
      );
      using again = IteratorLink.fromPin(path);
      t.equal(again.text().split('\n').length, 3);
      execFileSync('rm', [path]);

      t.match(
        thrown(() => attachIterator(collection.program('on_iter_elements'))),
        {
          code: 'ATTACH_REFUSED',
          message:
            'Cannot attach on_iter_elements to what it iterates over: it walks over the elements of a map, and none is given',
        },
      );
    });
  } catch (error) {
    // Some hardened kernels refuse these programs to root too, before verification.
    const missing = whyNotHere(error, { mayForbid: error instanceof PermissionError });
    if (missing === undefined) throw error;
    skipWhole(t, missing);
  }
});

t.test('tc by netlink, by the word of tc', (t) =>
  world.withPrograms(t, ['on_classifier', 'on_classifier_next'], (collection) => {
    const [program, other] = [collection.program('on_classifier'), collection.program('on_classifier_next')];
    const place = { interface: receiver, direction: 'ingress', netns } as const;
    interface Shown {
      readonly pref: number;
      readonly kind: string;
      readonly options?: {
        readonly handle?: string;
        readonly bpf_name?: string;
        readonly 'direct-action'?: boolean;
      };
    }
    const shown = (): Shown[] =>
      (
        JSON.parse(
          execFileSync('tc', ['-n', world.netnsName, '-j', 'filter', 'show', 'dev', receiver, 'ingress'], {
            encoding: 'utf8',
          }) || '[]',
        ) as Shown[]
      ).filter(({ options }) => options?.handle !== undefined);
    const link = attachTc(program, { ...place, priority: 7, handle: 0x21 });
    t.match(shown(), [{ pref: 7, kind: 'bpf', options: { handle: '0x21', bpf_name: 'on_classifier' } }]);
    t.match(link.info(), { priority: 7, handle: 0x21, programId: program.id, directAction: true });
    t.match(
      thrown(() => attachTc(other, { ...place, priority: 7, handle: 0x21 })),
      {
        code: 'ALREADY_ATTACHED',
        message: `Cannot attach on_classifier_next to ${receiver} (ingress): another filter has priority 7 and handle 33`,
      },
    );
    t.match(
      thrown(() => attachTc(other, { ...place, replace: true })),
      { code: 'ARGUMENT_INVALID' },
    );
    const replacing = attachTc(other, { ...place, priority: 7, handle: 0x21, replace: true });
    t.equal(link.info()?.programId, other.id);
    link.close();
    t.equal(shown().length, 1, 'what took its place is not taken away');
    const chosen = attachTc(program, place);
    t.ok(chosen.priority > 0 && chosen.handle > 0, 'the kernel chooses');
    t.equal(
      listBpfFilters(pair.socket, { ifindex: pair.receiver.index, parent: clsactSide('ingress') }).length,
      2,
    );
    chosen.close();
    replacing.close();
    t.same(shown(), []);
    const stays = attachTc(program, { ...place, priority: 9, handle: 1 });
    stays.leave();
    t.equal(shown().length, 1, 'left, it stays');
    attachTc(program, { ...place, priority: 9, handle: 1, replace: true }).close();
    t.same(shown(), []);
    t.end();
  }),
);

t.test('refusals say what is missing', (t) =>
  world.withPrograms(
    t,
    [
      'on_connect4',
      'on_connect4_next',
      'on_tracepoint',
      'on_raw_tp',
      'on_uprobe',
      'on_filter',
      'on_filter_next',
    ],
    (collection) => {
      const program = (name: string): ReturnType<Collection['program']> => collection.program(`on_${name}`);
      const elsewhere = { cgroup: '/nowhere-at-all' };
      const mount = world.cgroup.slice(0, world.cgroup.lastIndexOf('/'));
      using filter = attachNetfilter(program('filter'), {
        family: 'ipv4',
        hook: 'input',
        priority: 3,
        netns,
      });
      t.equal(filter.closed, false);
      const cases: [attach: () => unknown, code: string, message: string][] = [
        [
          () => attachCgroup(program('connect4'), elsewhere),
          'CGROUP_NOT_FOUND',
          `Cannot open cgroup /nowhere-at-all: there is neither /nowhere-at-all nor ${mount}/nowhere-at-all`,
        ],
        [
          () => attachCgroup(program('connect4'), { cgroup: world.cgroup, mode: 'single' }),
          'ARGUMENT_INVALID',
          'Cannot attach by link with "mode" or "replace": a bpf_link is always "multi"',
        ],
        [
          () => attachTracepoint(program('tracepoint'), { tracepoint: 'sched/nothing' }),
          'TRACEPOINT_NOT_FOUND',
          'Cannot attach on_tracepoint to sched/nothing: this kernel has no tracepoint sched/nothing',
        ],
        [
          () => attachTracepoint(program('tracepoint'), { tracepoint: 'nothing' }),
          'ARGUMENT_INVALID',
          'Cannot attach on_tracepoint: nothing is no tracepoint',
        ],
        [
          () => attachRawTracepoint(program('raw_tp'), { tracepoint: 'nothing' }),
          'ATTACH_REFUSED',
          'Cannot attach on_raw_tp to nothing: the kernel has no tracepoint of that name',
        ],
        [
          () => attachUprobe(program('uprobe'), { path: world.traced, function: 'nothing' }),
          'SYMBOL_NOT_FOUND',
          `Cannot find nothing in ${world.traced}: it defines no such function`,
        ],
        [
          () => attachUprobe(program('uprobe'), { path: '/proc/version', function: 'main' }),
          'ELF_NOT_ELF',
          'Cannot read /proc/version: it is not an ELF file',
        ],
        [
          () => attachUprobe(program('uprobe'), { path: world.traced }),
          'ARGUMENT_INVALID',
          `Cannot attach to ${world.traced}: neither a function nor an offset is given`,
        ],
        [
          () => attachUprobeMulti(program('uprobe'), { path: world.traced, functions: 'nothing*' }),
          'SYMBOL_NOT_FOUND',
          `Cannot find nothing* in ${world.traced}: no function matches it`,
        ],
        [
          () =>
            attachNetfilter(program('filter_next'), { family: 'ipv4', hook: 'input', priority: 3, netns }),
          'ALREADY_ATTACHED',
          'Cannot attach on_filter_next to netfilter ipv4 input at priority 3: another program has that priority',
        ],
        [
          () => attachKprobe(program('uprobe'), { function: 'vfs_read', offset: 4, onReturn: true }),
          'ARGUMENT_INVALID',
          'Cannot attach on_uprobe to the return of vfs_read at an offset',
        ],
        [
          () => attachTcx(program('raw_tp'), { interface: receiver, direction: 'ingress', netns }),
          'ARGUMENT_INVALID',
          'Cannot attach on_raw_tp to an interface (ingress): it is of type raw_tracepoint, and sched_cls is needed',
        ],
      ];
      for (const [attach, code, message] of cases) t.match(thrown(attach), { code, message });
      const single = attachCgroup(program('connect4'), {
        cgroup: world.cgroup,
        via: 'prog_attach',
        mode: 'single',
      });
      t.match(
        thrown(() => attachCgroup(program('connect4_next'), { cgroup: world.cgroup })),
        {
          code: 'ATTACH_REFUSED',
          message: `Cannot attach on_connect4_next to ${world.cgroup}: a program is attached there, or above, that suffers no other beside it`,
        },
        'a single program suffers no other',
      );
      single.close();
      t.end();
    },
  ),
);

// Before 6.0 bpftool 7 lists nothing: it asks for a kind of attachment that is not there, and gives up.
const noList = isKernelBefore('6.0') && 'bpftool lists no cgroup programs on this kernel';
t.test('cgroups: several, one in the place of another, and one that stays', { skip: noList }, (t) =>
  world.withPrograms(t, ['on_connect4', 'on_connect4_next'], (collection) => {
    const [program, next] = [collection.program('on_connect4'), collection.program('on_connect4_next')];
    const { cgroup } = world;
    const count = (): number =>
      (
        JSON.parse(
          execFileSync('bpftool', ['-j', 'cgroup', 'show', cgroup], { encoding: 'utf8' }).trim() || '[]',
        ) as unknown[]
      ).length;
    const first = attachCgroup(program, { cgroup, via: 'prog_attach' });
    t.equal(count(), 1, 'by the word of bpftool');
    t.match(
      thrown(() => attachCgroup(program, { cgroup, via: 'prog_attach' })).code,
      /ATTACH_REFUSED|ALREADY_ATTACHED/,
      'the same program twice',
    );
    const replacing = attachCgroup(next, { cgroup, via: 'prog_attach', replace: program });
    t.equal(count(), 1);
    first.close();
    t.equal(count(), 1, 'what took its place is not taken away');
    replacing.leave();
    t.equal(count(), 1, 'left, it stays');
    attachCgroup(program, { cgroup, via: 'prog_attach', replace: next }).close();
    t.equal(count(), 0);
    t.end();
  }),
);

t.test('nothing is left', (t) => {
  t.same(liveLinks(), []);
  t.same(openDescriptors(), before);
  t.end();
});
