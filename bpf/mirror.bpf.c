// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The mirror: gives a copy of each frame that an interface receives or sends to tunnel devices, whole and from the
 * Ethernet header on. The kernel encapsulates, segments, fragments and routes it. The frame itself goes its way.
 * docs/mirror.md describes maps and rules.
 *
 * It reads nothing of the kernel but what is UAPI, so it needs no vmlinux.h and no CO-RE, and loads on 5.10 and later.
 */
#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "mirror/maps.h"
#include "packet/frame.h"
#include "packet/parse.h"
#include "mirror/rules.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define VLAN_TAG_SIZE 4

/* On the wire a segmentation offload packet is several frames. */
static __always_inline __u32 frames_of(const struct __sk_buff *skb)
{
	__u32 segments = skb->gso_segs;

	return segments ? segments : 1;
}

/*
 * With the tag that the kernel has taken out of the frame, and with the headers of each segment where the kernel knows
 * them: on ingress wire_len has neither these nor the Ethernet header (sch_handle_ingress() in net/core/dev.c).
 */
static __always_inline __u32 bytes_of(const struct __sk_buff *skb, __u32 frames, bool arrives)
{
	return (arrives ? skb->len : skb->wire_len) + (skb->vlan_present ? frames * VLAN_TAG_SIZE : 0);
}

/* Atomic although the entry is this CPU's own: on PREEMPT_RT one packet's processing may interrupt another's. */
#define COUNT(field, frames)                                                                          \
	do {                                                                                          \
		__u32 first = 0;                                                                      \
		struct mirror_counters *counters = bpf_map_lookup_elem(&mirror_counters, &first);     \
		if (counters)                                                                         \
			__sync_fetch_and_add(&counters->field, (frames));                             \
	} while (0)

static __always_inline struct mirror_entry *entry_of(__u32 target)
{
	struct mirror_entry *entry = bpf_map_lookup_elem(&mirror_stats, &target);
	struct mirror_entry nothing = {};

	if (entry)
		return entry;
	/* Another CPU may be faster: then its entry is the one. */
	bpf_map_update_elem(&mirror_stats, &target, &nothing, BPF_NOEXIST);
	return bpf_map_lookup_elem(&mirror_stats, &target);
}

static __always_inline void copy_to(struct __sk_buff *skb, __u32 target, __u32 ifindex, bool arrives)
{
	__u32 frames = frames_of(skb);
	__u32 bytes = bytes_of(skb, frames, arrives);
	struct mirror_entry *entry = entry_of(target);
	long refused = bpf_clone_redirect(skb, ifindex, 0);

	if (!entry)
		return;
	if (refused) {
		__sync_fetch_and_add(&entry->stat.dcnt, frames);
		return;
	}
	__sync_fetch_and_add(&entry->stat.pcnt, frames);
	__sync_fetch_and_add(&entry->stat.bcnt, bytes);
}

static __always_inline void copy_to_all(struct __sk_buff *skb, __u32 mark, bool arrives)
{
	__u32 own_mark = skb->mark;

	for (__u32 index = 0; index < MAX_TARGETS; index++) {
		__u32 key = index;
		const struct mirror_target *target = bpf_map_lookup_elem(&mirror_targets, &key);

		if (!target || !target->ifindex)
			continue;
		skb->mark = (mark & MARK_MASK) | index;
		copy_to(skb, index, target->ifindex, arrives);
	}
	skb->mark = own_mark;
}

static __always_inline int mirror(struct __sk_buff *skb, bool arrives)
{
	struct frame frame = {
		.context = skb,
		.length = skb->len,
		.ifindex = skb->ifindex,
		.hook = HOOK_TC_EGRESS,
	};
	struct facts facts = {};
	__u32 first = 0;
	const struct mirror_config *config = bpf_map_lookup_elem(&mirror_config, &first);
	__u32 frames = frames_of(skb);

	if (!config || !config->mark)
		return TC_ACT_UNSPEC;
	COUNT(seen, frames);
	if (((skb->mark ^ config->mark) & MARK_MASK) == 0) {
		COUNT(tunnel, frames);
		return TC_ACT_UNSPEC;
	}
	if (arrives || config->filtered)
		read_facts(&frame, &facts);
	if (arrives && comes_from_a_mirror(&frame, config, &facts)) {
		COUNT(tunnel, frames);
		return TC_ACT_UNSPEC;
	}
	if (!config->enabled || !is_wanted(config, &facts)) {
		COUNT(filtered, frames);
		return TC_ACT_UNSPEC;
	}
	COUNT(mirrored, frames);
	copy_to_all(skb, config->mark, arrives);
	return TC_ACT_UNSPEC;
}

SEC("tc/ingress")
int mirror_ingress(struct __sk_buff *skb)
{
	return mirror(skb, true);
}

SEC("tc/egress")
int mirror_egress(struct __sk_buff *skb)
{
	return mirror(skb, false);
}

/* On the tunnel device: tells it where a copy goes, and lets nothing out that is none. */
SEC("tc/egress")
int mirror_encapsulate(struct __sk_buff *skb)
{
	__u32 first = 0;
	const struct mirror_config *config = bpf_map_lookup_elem(&mirror_config, &first);
	const struct mirror_target *target;
	struct bpf_tunnel_key key = {};
	__u32 index, flags = 0;

	if (!config || !config->mark || ((skb->mark ^ config->mark) & MARK_MASK))
		goto stranger;
	index = skb->mark & ~MARK_MASK;
	target = bpf_map_lookup_elem(&mirror_targets, &index);
	if (!target)
		goto stranger;
	key.tunnel_id = target->vni;
	if (target->family == FAMILY_IPV6) {
		flags = BPF_F_TUNINFO_IPV6;
		__builtin_memcpy(key.remote_ipv6, target->remote, sizeof(key.remote_ipv6));
	} else {
		__be32 remote;

		__builtin_memcpy(&remote, target->remote, sizeof(remote));
		key.remote_ipv4 = bpf_ntohl(remote);
		flags = BPF_F_ZERO_CSUM_TX;
	}
	key.tunnel_ttl = 64;
	if (bpf_skb_set_tunnel_key(skb, &key, sizeof(key), flags))
		goto stranger;
	return TC_ACT_UNSPEC;
stranger:
	COUNT(strangers, 1);
	return TC_ACT_SHOT;
}

/* On the tunnel device: it only sends, and lets nobody put frames into this host. */
SEC("tc/ingress")
int mirror_refuse(struct __sk_buff *skb __attribute__((unused)))
{
	COUNT(strangers, 1);
	return TC_ACT_SHOT;
}
