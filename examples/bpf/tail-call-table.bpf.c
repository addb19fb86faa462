// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * A program array that the object itself fills: which program is in which place is written beside the map, and the loader
 * puts it there once the programs are loaded. tail-calls.bpf.c has one that user space fills.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

int handle_syn(struct xdp_md *context);
int handle_ack(struct xdp_md *context);

enum { PACKET_SYN, PACKET_ACK };

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 10);
	__type(key, __u32);
	__array(values, int(struct xdp_md *));
} jmp_table SEC(".maps") = {
	.values = {
		[PACKET_SYN] = (void *)&handle_syn,
		[PACKET_ACK] = (void *)&handle_ack,
	},
};

__u64 syns;
__u64 acks;
/* What has no place in the table. */
__u64 others;

static __always_inline int kind_of(struct xdp_md *context)
{
	void *data_end = (void *)(long)context->data_end;
	struct ethhdr *ethernet = (void *)(long)context->data;
	struct iphdr *ip = (void *)(ethernet + 1);
	struct tcphdr *tcp = (void *)(ip + 1);

	/* Without IP options, to keep it short. */
	if ((void *)(tcp + 1) > data_end || ethernet->h_proto != bpf_htons(ETH_P_IP) || ip->ihl != 5 ||
	    ip->protocol != IPPROTO_TCP)
		return -1;
	if (tcp->syn)
		return PACKET_SYN;
	return tcp->ack ? PACKET_ACK : -1;
}

SEC("xdp")
int sort_packets(struct xdp_md *context)
{
	int kind = kind_of(context);

	if (kind >= 0)
		bpf_tail_call(context, &jmp_table, kind);
	__sync_fetch_and_add(&others, 1);
	return XDP_PASS;
}

SEC("xdp")
int handle_syn(struct xdp_md *context)
{
	__sync_fetch_and_add(&syns, 1);
	return XDP_PASS;
}

SEC("xdp")
int handle_ack(struct xdp_md *context)
{
	__sync_fetch_and_add(&acks, 1);
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual MIT/GPL";
