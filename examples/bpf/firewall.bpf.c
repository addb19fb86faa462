// SPDX-License-Identifier: MIT OR GPL-2.0
/* Drops packets from the IPv4 networks of a blocklist, and counts them by network. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* What a trie of longest prefixes wants of its keys: the length in bits, then the most significant byte first. */
struct network {
	__u32 prefix_length;
	__u8 address[4];
};

struct rule {
	__u64 dropped;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, struct network);
	__type(value, struct rule);
} blocklist SEC(".maps");

SEC("xdp")
int firewall(struct xdp_md *context)
{
	void *data_end = (void *)(long)context->data_end;
	struct ethhdr *ethernet = (void *)(long)context->data;
	struct iphdr *ip = (void *)(ethernet + 1);
	struct network source = { .prefix_length = 32 };
	struct rule *rule;

	if ((void *)(ip + 1) > data_end || ethernet->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	__builtin_memcpy(source.address, &ip->saddr, sizeof(source.address));
	rule = bpf_map_lookup_elem(&blocklist, &source);
	if (!rule)
		return XDP_PASS;
	__sync_fetch_and_add(&rule->dropped, 1);
	return XDP_DROP;
}

char _license[] SEC("license") = "Dual MIT/GPL";
