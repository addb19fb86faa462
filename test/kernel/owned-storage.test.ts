/** Maps whose entries belong to something else: an inode, a task, a cgroup, a queue's AF_XDP socket. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  attachCgroup,
  BpfMap,
  CgroupStorage,
  Collection,
  LocalStorage,
  MapType,
  ObjectFile,
  PerCpuMap,
  XskMap,
  openPidfd,
} from '../../src/index.ts';
import { findCgroupMount } from '../../src/link/index.ts';
import { Socket, socketConstants } from '../../src/sys/index.ts';
import { noBpftool } from '../helpers/bpftool.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { makeCgroup } from '../helpers/control-group.ts';
import { isKernelBefore } from '../helpers/lacking.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { thrown } from '../helpers/thrown.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() || noBpftool : 'maps need root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const { map_types: mapTypes } = JSON.parse(
  execFileSync('bpftool', ['--json', 'feature', 'probe', 'kernel'], { encoding: 'utf8' }),
) as { map_types: Readonly<Record<string, boolean>> };
const lacks = (type: string): string | false =>
  mapTypes[`have_${type}_map_type`] === true ? false : `this kernel has no ${type} maps`;

const compiler = new Compiler();
const before = openDescriptors();
t.teardown(() => {
  compiler.close();
});

const source = (type: string, flags = 'BPF_F_NO_PREALLOC'): string => `
#include "check.h"
#define BPF_MAP_TYPE_CGRP_STORAGE 32 /* newer than the headers of Debian 12 */
struct seen { __u32 count; __u64 last; };
struct { __uint(type, BPF_MAP_TYPE_${type}); __uint(map_flags, ${flags}); __type(key, int); __type(value, struct seen); } storage SEC(".maps");
char _license[] SEC("license") = "GPL";
`;

/** What every owner's storage does, whatever the owner is. */
function checkStorage(t: Test, { type, owner, other }: { type: string; owner: number; other: number }): void {
  using collection = Collection.load(ObjectFile.open(compiler.source(type.toLowerCase(), source(type))));
  const storage = new LocalStorage<{ count: number; last: bigint }>(collection.map('storage'));
  t.equal(storage.get(owner), undefined);
  t.match(
    thrown(() => {
      storage.set(owner, { count: 1 }, { mode: 'existing' });
    }),
    { errnoName: 'ENOENT' },
  );
  storage.set(owner, { count: 1, last: 2n ** 63n }, { mode: 'new' });
  t.same(storage.get(owner), { count: 1, last: 2n ** 63n });
  storage.set(owner, { count: 2, last: 3n });
  t.same(storage.get(owner), { count: 2, last: 3n });
  t.equal(storage.get(other), undefined, 'another owner has its own');
  t.match(
    thrown(() => {
      storage.set(owner, { count: -1 });
    }),
    { code: 'VALUE_INVALID' },
  );
  t.equal(storage.delete(owner), true);
  t.equal(storage.delete(owner), false);
  t.equal(storage.get(owner), undefined);
}

t.test('of inodes, by any descriptor of the file', { skip: lacks('inode_storage') }, (t) => {
  const paths = ['one', 'other'].map((name) => join(tmpdir(), `ts-xdp-inode-${process.pid}-${name}`));
  for (const path of paths) writeFileSync(path, '');
  const [owner = 0, other = 0] = paths.map((path) => openSync(path, 'r'));
  checkStorage(t, { type: 'INODE_STORAGE', owner, other });
  closeSync(owner);
  closeSync(other);
  for (const path of paths) rmSync(path);
  t.end();
});

t.test('of tasks, by a pidfd', { skip: lacks('task_storage') }, async (t) => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  const [owner, other] = [openPidfd(child.pid ?? 0), openPidfd(process.pid)];
  checkStorage(t, { type: 'TASK_STORAGE', owner: owner.value, other: other.value });
  using collection = Collection.load(ObjectFile.open(compiler.source('task_end', source('TASK_STORAGE'))));
  const storage = new LocalStorage(collection.map('storage'));
  storage.set(owner, { count: 1 });
  child.kill();
  await ended;
  t.equal(storage.get(owner), undefined, 'it goes with the process');
  t.match(
    thrown(() => {
      storage.set(owner, { count: 1 });
    }),
    { errnoName: 'ENOENT' },
  );
  t.match(
    thrown(() => storage.get(collection.map('storage').fd)),
    { errnoName: 'EBADF' },
    'a descriptor of another kind',
  );
  owner.close();
  other.close();
  t.match(
    thrown(() => openPidfd(child.pid ?? 0)),
    { errnoName: 'ESRCH', hint: 'It has ended, or is in another PID namespace.' },
  );
});

t.test('a cgroup that a test which was killed left behind is removed when the next one is made', (t) => {
  const mount = findCgroupMount();
  const { pid } = spawnSync('true');
  const left = join(mount, `ts-xdp-${String(pid)}-left`);
  const kept = [makeCgroup('kept'), join(mount, `ts-xdp-${String(pid)}x`)];
  mkdirSync(kept[1]!);
  mkdirSync(join(left, 'below'), { recursive: true });
  const own = makeCgroup('sweeping');
  t.equal(existsSync(left), false, 'with those below it');
  for (const path of kept)
    t.equal(existsSync(path), true, 'those of the living, and what has another name, stay');
  for (const path of [...kept, own]) rmdirSync(path);
  t.end();
});

/** Two cgroups of this test's own, until it ends. */
function makeCgroups(t: Test): readonly [string, string] {
  const [one, other] = ['one', 'other'].map((name) => {
    const path = makeCgroup(`storage-${name}`);
    t.teardown(() => {
      rmdirSync(path);
    });
    return path;
  });
  return [one ?? '', other ?? ''];
}

t.test(
  'of cgroups, by their directories',
  { skip: isKernelBefore('6.2') && 'storage of cgroups for any program came with Linux 6.2' },
  (t) => {
    const [owner = 0, other = 0] = makeCgroups(t).map((path) => openSync(path, 'r'));
    checkStorage(t, { type: 'CGRP_STORAGE', owner, other });
    closeSync(owner);
    closeSync(other);
    t.end();
  },
);

const attachedSource = `
#include "check.h"
#define STORAGE(NAME, TYPE, KEY) struct { __uint(type, BPF_MAP_TYPE_##TYPE); __type(key, KEY); __type(value, __u64); } NAME SEC(".maps");
STORAGE(apart, CGROUP_STORAGE, struct bpf_cgroup_storage_key)
STORAGE(shared, CGROUP_STORAGE, __u64)
STORAGE(per_cpu, PERCPU_CGROUP_STORAGE, struct bpf_cgroup_storage_key)
#define COUNT(NAME, SECTION)						\\
	SEC(SECTION) int NAME(struct __sk_buff *packet)			\\
	{								\\
		__u64 *seen = bpf_get_local_storage(&apart, 0);		\\
		__sync_fetch_and_add(seen, 1);				\\
		seen = bpf_get_local_storage(&per_cpu, 0);		\\
		*seen += 1;						\\
		return 1;						\\
	}
COUNT(leaves, "cgroup_skb/egress")
COUNT(arrives, "cgroup_skb/ingress")
#define SHARE(NAME, SECTION)						\\
	SEC(SECTION) int NAME(struct __sk_buff *packet)			\\
	{								\\
		__sync_fetch_and_add((__u64 *)bpf_get_local_storage(&shared, 0), 1);	\\
		return 1;						\\
	}
SHARE(share_leaves, "cgroup_skb/egress")
SHARE(share_arrives, "cgroup_skb/ingress")
char _license[] SEC("license") = "GPL";
`;

/** Sends so many datagrams to nobody, over the loopback of a network namespace of its own. */
function sendFrom(cgroup: string, count: number): void {
  const script = `echo $$ > ${cgroup}/cgroup.procs; ip link set lo up; for _ in $(seq ${String(count)}); do echo x > /dev/udp/127.0.0.1/9; done`;
  execFileSync('unshare', ['--net', 'bash', '--norc', '-c', script], { stdio: 'ignore' });
}

t.test('of cgroups and what is attached there', { skip: lacks('cgroup_storage') }, (t) => {
  const [INGRESS, EGRESS] = [0, 1];
  using collection = Collection.load(ObjectFile.open(compiler.source('attached_storage', attachedSource)));
  const [one, other] = makeCgroups(t);
  const id = (path: string): bigint => statSync(path, { bigint: true }).ino;
  const apart = new CgroupStorage<bigint>(collection.map('apart'));
  const shared = new CgroupStorage<bigint>(collection.map('shared'));
  const key = { cgroup: id(one), attachType: EGRESS };
  t.equal(apart.get(key), undefined, 'nothing is attached yet');
  t.match(
    thrown(() => {
      apart.set(key, 1n);
    }),
    { errnoName: 'ENOENT' },
  );
  const links = [
    ...['leaves', 'arrives', 'share_leaves', 'share_arrives'].map((name) =>
      attachCgroup(collection.program(name), { cgroup: one }),
    ),
    attachCgroup(collection.program('leaves'), { cgroup: other }),
  ];
  t.equal(apart.get(key), 0n);
  sendFrom(one, 3);
  const arrived = apart.get({ cgroup: id(one), attachType: INGRESS });
  t.equal(apart.get(key), 3n);
  t.equal(shared.get({ cgroup: id(one), attachType: undefined }), 3n + (arrived ?? 0n), 'one for both');
  t.equal(apart.get({ cgroup: id(other), attachType: EGRESS }), 0n, 'another cgroup has its own');
  apart.set(key, 2n ** 40n);
  sendFrom(one, 1);
  t.equal(apart.get(key), 2n ** 40n + 1n);
  const all = new Map(
    [...apart].map(([{ cgroup, attachType }, value]) => [`${cgroup} ${attachType ?? ''}`, value]),
  );
  t.equal(all.size, 3);
  t.equal(all.get(`${id(one)} ${EGRESS}`), 2n ** 40n + 1n);
  const perCpu = new PerCpuMap(collection.map('per_cpu'));
  t.equal(perCpu.sum({ cgroup_inode_id: id(one), attach_type: EGRESS }), 4n);
  t.equal(
    thrown(() => apart.get({ cgroup: 1n, attachType: undefined })).message,
    'Cannot find the storage of a cgroup in map apart: its keys have an attach type',
  );
  t.equal(
    thrown(() => shared.get({ cgroup: 1n, attachType: EGRESS })).message,
    'Cannot find the storage of a cgroup in map shared: its keys have no attach type',
  );
  t.match(
    thrown(() => new CgroupStorage(collection.map('per_cpu'))),
    { code: 'ARGUMENT_INVALID' },
  );
  for (const link of links) link.close();
  t.end();
});

t.test('queues of AF_XDP sockets', { skip: lacks('xskmap') }, (t) => {
  const [AF_XDP, SOL_XDP, XDP_RX_RING] = [44, 283, 2];
  const { AF_INET, SOCK_DGRAM, SOCK_RAW } = socketConstants;
  using map = BpfMap.create({
    type: MapType.XskMap,
    keySize: 4,
    valueSize: 4,
    maxEntries: 2,
    name: 'queues',
  });
  const queues = new XskMap(map);
  using other = Socket.open({ domain: AF_INET, type: SOCK_DGRAM, protocol: 0, description: 'socket' });
  t.match(
    thrown(() => {
      queues.set(0, other.fd);
    }),
    { errnoName: 'EOPNOTSUPP' },
    'a socket of another kind',
  );
  using socket = Socket.open({
    domain: AF_XDP,
    type: SOCK_RAW,
    protocol: 0,
    description: 'socket of XDP',
  });
  // Kernels of the time of 4.18 take it only with a ring to receive by (xsk_map_update_elem() in net/xdp/xskmap.c).
  socket.setOption({ level: SOL_XDP, name: XDP_RX_RING }, 64);
  queues.set(1, socket.fd);
  t.match(
    thrown(() => {
      queues.set(2, socket.fd);
    }),
    { errnoName: 'E2BIG' },
  );
  const redirect = `
#include "check.h"
struct { __uint(type, BPF_MAP_TYPE_XSKMAP); __uint(max_entries, 2); __type(key, __u32); __type(value, __u32); } queues SEC(".maps");
SEC("xdp") int to_socket(struct xdp_md *ctx) { return bpf_redirect_map(&queues, 1, XDP_PASS); }
char _license[] SEC("license") = "GPL";
`;
  const object = ObjectFile.open(compiler.source('to_socket', redirect));
  using collection = Collection.load(object, { maps: new Map([['queues', map]]) });
  const [XDP_PASS, XDP_REDIRECT] = [2, 4];
  const run = (): number => collection.program('to_socket').testRun({ data: new Uint8Array(64) }).returnValue;
  t.equal(run(), XDP_REDIRECT);
  t.equal(queues.delete(1), true);
  t.equal(run(), XDP_PASS, 'nobody listens any more');
  t.end();
});

t.test('nothing stays open', (t) => {
  t.same(
    openDescriptors().filter((one) => one.includes('bpf')),
    before.filter((one) => one.includes('bpf')),
  );
  t.end();
});
