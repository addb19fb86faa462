/** Functions of a kernel module, called by programs: those of nf_conntrack, which put a connection in and find it again. */
import { existsSync } from 'node:fs';
import t from 'tap';
import { Collection, ObjectFile } from '../../src/index.ts';
import { isGuest } from '../helpers/clang.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { isKernelBefore } from '../helpers/lacking.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() : 'loading programs needs root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const SOURCE = `
#include "check.h"
struct bpf_ct_opts___local { __s32 netns_id, error; __u8 l4proto, dir, reserved[2]; };
struct nf_conn { unsigned long status; } __attribute__((preserve_access_index));
struct nf_conn___init { struct nf_conn ct; };
extern struct nf_conn___init *bpf_xdp_ct_alloc(struct xdp_md *, struct bpf_sock_tuple *, __u32,
					       struct bpf_ct_opts___local *, __u32) __ksym;
extern struct nf_conn *bpf_xdp_ct_lookup(struct xdp_md *, struct bpf_sock_tuple *, __u32,
					 struct bpf_ct_opts___local *, __u32) __ksym;
extern void bpf_ct_set_timeout(struct nf_conn___init *, __u32) __ksym;
extern struct nf_conn *bpf_ct_insert_entry(struct nf_conn___init *) __ksym;
extern void bpf_ct_release(struct nf_conn *) __ksym;
extern int bpf_ct_no_such_function(struct nf_conn *) __ksym __weak;

#define UDP 17
#define CONFIRMED (1 << 3)
__u16 port = 1;
__s32 error;

static __always_inline struct bpf_sock_tuple tuple_of(__u16 source)
{
	return (struct bpf_sock_tuple){.ipv4 = {.saddr = 1, .daddr = 2, .sport = source, .dport = 3}};
}

SEC("xdp") int find(struct xdp_md *ctx)
{
	struct bpf_ct_opts___local opts = {.netns_id = -1, .l4proto = UDP};
	struct bpf_sock_tuple tuple = tuple_of(port);
	struct nf_conn *connection =
		bpf_xdp_ct_lookup(ctx, &tuple, sizeof(tuple.ipv4), &opts, sizeof(opts));
	error = opts.error;
	if (!connection)
		return 0;
	int confirmed = !!(connection->status & CONFIRMED);
	bpf_ct_release(connection);
	return 1 + confirmed;
}

SEC("xdp") int insert(struct xdp_md *ctx)
{
	struct bpf_ct_opts___local opts = {.netns_id = -1, .l4proto = UDP};
	struct bpf_sock_tuple tuple = tuple_of(port);
	struct nf_conn___init *made =
		bpf_xdp_ct_alloc(ctx, &tuple, sizeof(tuple.ipv4), &opts, sizeof(opts));
	error = opts.error;
	if (!made)
		return 0;
	bpf_ct_set_timeout(made, 10000);
	struct nf_conn *connection = bpf_ct_insert_entry(made);
	if (!connection)
		return 1;
	if (bpf_ct_no_such_function)
		bpf_ct_no_such_function(connection);
	bpf_ct_release(connection);
	return 2;
}
char _license[] SEC("license") = "GPL";
`;

const compiler = new Compiler();
const path = compiler.source('module_kfuncs', SOURCE);
t.teardown(() => {
  compiler.close();
});

/** Guests load the module. */
const tooOld = isKernelBefore('6.0') && "nf_conntrack's functions for making connections came with Linux 6.0";
const absent =
  !isGuest && !existsSync('/sys/kernel/btf/nf_conntrack') && 'the module nf_conntrack is not loaded';

t.test('a connection is put in, and found', { skip: tooOld || absent }, (t) => {
  const before = openDescriptors();
  const collection = Collection.load(ObjectFile.open(path));
  const run = (name: string): number =>
    collection.program(name).testRun({ data: new Uint8Array(64) }).returnValue;
  const error = collection.variable('error');
  const port = collection.variable('port');
  port.set(process.pid & 0xffff);
  t.equal(run('find'), 0, 'there is none yet');
  t.equal(error.get(), -2, 'ENOENT');
  t.equal(run('insert'), 2);
  t.equal(error.get(), 0);
  t.equal(run('find'), 2, 'it is there, and confirmed');
  t.equal(run('insert'), 1, 'and not put in twice');
  collection.close();
  t.same(openDescriptors(), before, 'the BTF of the module is closed as well');
  t.end();
});
