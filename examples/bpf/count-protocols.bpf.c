// SPDX-License-Identifier: MIT OR GPL-2.0
/* Counts what an interface receives: packets and bytes for each protocol, on each CPU for itself. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct protocol {
	__u16 ethertype;
	/* Of the IP header; 0 for what is not IP. */
	__u16 ip_protocol;
};

struct traffic {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct protocol);
	__type(value, struct traffic);
} protocols SEC(".maps");

/* Packets of a protocol that the map had no room for. */
__u64 uncounted;

static __always_inline struct protocol protocol_of(void *data, void *data_end)
{
	struct protocol protocol = {};
	struct ethhdr *ethernet = data;
	struct ipv6hdr *ipv6 = data + sizeof(*ethernet);
	struct iphdr *ipv4 = data + sizeof(*ethernet);

	if ((void *)(ethernet + 1) > data_end)
		return protocol;
	protocol.ethertype = bpf_ntohs(ethernet->h_proto);
	if (protocol.ethertype == ETH_P_IP && (void *)(ipv4 + 1) <= data_end)
		protocol.ip_protocol = ipv4->protocol;
	if (protocol.ethertype == ETH_P_IPV6 && (void *)(ipv6 + 1) <= data_end)
		protocol.ip_protocol = ipv6->nexthdr;
	return protocol;
}

SEC("xdp")
int count_protocols(struct xdp_md *context)
{
	void *data = (void *)(long)context->data;
	void *data_end = (void *)(long)context->data_end;
	struct protocol protocol = protocol_of(data, data_end);
	struct traffic *traffic = bpf_map_lookup_elem(&protocols, &protocol);

	if (!traffic) {
		struct traffic none = {};

		/* Creates the entry for every CPU; one that another CPU made meanwhile is as good. */
		bpf_map_update_elem(&protocols, &protocol, &none, BPF_NOEXIST);
		traffic = bpf_map_lookup_elem(&protocols, &protocol);
	}
	if (traffic) {
		traffic->packets++;
		traffic->bytes += data_end - data;
	} else {
		__sync_fetch_and_add(&uncounted, 1);
	}
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual MIT/GPL";
