// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * One program sorts packets by their IP protocol and jumps to the handler that user space has put in its place:
 * handlers are exchanged one by one while the first program stays attached.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u32);
} handlers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

__u64 unhandled;

static __always_inline int protocol_of(struct xdp_md *context)
{
	void *data_end = (void *)(long)context->data_end;
	struct ethhdr *ethernet = (void *)(long)context->data;
	struct iphdr *ip = (void *)(ethernet + 1);

	if ((void *)(ip + 1) > data_end || ethernet->h_proto != bpf_htons(ETH_P_IP))
		return -1;
	return ip->protocol;
}

SEC("xdp")
int dispatch(struct xdp_md *context)
{
	int protocol = protocol_of(context);

	if (protocol >= 0)
		bpf_tail_call(context, &handlers, protocol);
	/* Only where there is no handler: a tail call that succeeds does not come back. */
	__sync_fetch_and_add(&unhandled, 1);
	return XDP_PASS;
}

static __always_inline void count(struct xdp_md *context)
{
	__u32 protocol = protocol_of(context);
	__u64 *packets = bpf_map_lookup_elem(&counts, &protocol);

	if (packets)
		__sync_fetch_and_add(packets, 1);
}

/* The handlers are in sections of dispatch's type, as a tail call demands, and are attached to nothing themselves. */
SEC("xdp")
int count_and_pass(struct xdp_md *context)
{
	count(context);
	return XDP_PASS;
}

SEC("xdp")
int count_and_drop(struct xdp_md *context)
{
	count(context);
	return XDP_DROP;
}

char _license[] SEC("license") = "Dual MIT/GPL";
