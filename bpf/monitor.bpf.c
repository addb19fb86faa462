// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The packet monitor: counts each frame that arrives, makes an event of each IP packet, and lets everything pass.
 * docs/monitor.md describes maps, events and rules.
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
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "ts_xdp/event.h"
#include "monitor/maps.h"
#include "packet/frame.h"
#define PACKET_TELLS_FRAGMENTS 1
#include "packet/parse.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04

enum outcome { OUTCOME_IGNORED, OUTCOME_FILTERED, OUTCOME_NO_SPACE, OUTCOME_SUBMITTED };

static __always_inline __u32 flags_of(const struct packet *packet, __u8 hop_limit)
{
	__u32 flags = 0;

	if (packet->is_fragment)
		flags |= FLAG_FRAGMENT;
	if (hop_limit < LOW_TTL)
		flags |= FLAG_LOW_TTL;
	if (packet->tcp_flags & TCP_SYN)
		flags |= FLAG_SYN;
	if (packet->tcp_flags & TCP_FIN)
		flags |= FLAG_FIN;
	if (packet->tcp_flags & TCP_RST)
		flags |= FLAG_RST;
	return flags;
}

static __always_inline void fill_tail(const struct frame *frame, const struct packet *packet, __u8 hop_limit,
				      struct packet_tail *tail)
{
	/* The padding too: a record of the ring still holds what an earlier event left there. */
	__builtin_memset(tail, 0, sizeof(*tail));
	tail->src_port = packet->src_port;
	tail->dst_port = packet->dst_port;
	tail->protocol = packet->protocol;
	tail->packet_size = frame->length;
	tail->timestamp = bpf_ktime_get_ns();
	tail->flags = flags_of(packet, hop_limit);
}

static __always_inline enum outcome monitor_ipv4(const struct frame *frame, __u32 offset, struct packet *packet)
{
	struct ipv4_addresses addresses;
	struct packet_data *event;

	if (!parse_ipv4(frame, offset, packet, &addresses))
		return OUTCOME_IGNORED;
	if (!wants_events)
		return OUTCOME_FILTERED;
	event = bpf_ringbuf_reserve(&packet_ringbuf, sizeof(*event), 0);
	if (!event)
		return OUTCOME_NO_SPACE;
	event->src_ip = bpf_ntohl(addresses.source);
	event->dst_ip = bpf_ntohl(addresses.destination);
	fill_tail(frame, packet, packet->ttl, TAIL_OF(event));
	bpf_ringbuf_submit(event, 0);
	return OUTCOME_SUBMITTED;
}

static __always_inline enum outcome monitor_ipv6(const struct frame *frame, __u32 offset, struct packet *packet)
{
	struct ipv6_facts facts;
	struct packet_data_v6 *event;

	if (!parse_ipv6(frame, offset, packet, &facts))
		return OUTCOME_IGNORED;
	if (!wants_events)
		return OUTCOME_FILTERED;
	event = bpf_ringbuf_reserve(&packet_ringbuf6, sizeof(*event), 0);
	if (!event)
		return OUTCOME_NO_SPACE;
	__builtin_memcpy(event->src_ip, &facts.source, sizeof(event->src_ip));
	__builtin_memcpy(event->dst_ip, &facts.destination, sizeof(event->dst_ip));
	fill_tail(frame, packet, facts.hop_limit, TAIL_OF(event));
	bpf_ringbuf_submit(event, 0);
	return OUTCOME_SUBMITTED;
}

/* Atomic although the entry is this CPU's own: on PREEMPT_RT one packet's processing may interrupt another's. */
static __always_inline void count(__u32 entry)
{
	__u64 *counter = bpf_map_lookup_elem(&stats_map, &entry);

	if (counter)
		__sync_fetch_and_add(counter, 1);
}

static __always_inline void count_outcome(enum outcome outcome)
{
	__u32 index = 0;
	struct packet_counters *counters = bpf_map_lookup_elem(&packet_counters, &index);

	if (!counters)
		return;
	switch (outcome) {
	case OUTCOME_IGNORED:
		__sync_fetch_and_add(&counters->ignored, 1);
		break;
	case OUTCOME_FILTERED:
		__sync_fetch_and_add(&counters->filtered, 1);
		break;
	case OUTCOME_NO_SPACE:
		__sync_fetch_and_add(&counters->no_space, 1);
		break;
	case OUTCOME_SUBMITTED:
		__sync_fetch_and_add(&counters->submitted, 1);
		break;
	}
	__sync_fetch_and_add(&counters->seen, 1);
}

static __always_inline void monitor(struct frame *frame)
{
	struct packet packet = {};
	enum outcome outcome = OUTCOME_IGNORED;
	__u32 kind = STATS_OTHER;
	__be16 protocol;
	__u32 offset;

	/* First, so that whoever reads the parts before the whole never finds them to be more. */
	count(STATS_TOTAL);
	protocol = parse_ethernet(frame, &offset);
	if (protocol == bpf_htons(ETH_P_IP))
		outcome = monitor_ipv4(frame, offset, &packet);
	else if (protocol == bpf_htons(ETH_P_IPV6))
		outcome = monitor_ipv6(frame, offset, &packet);
	if (outcome != OUTCOME_IGNORED && packet.protocol == IPPROTO_TCP)
		kind = STATS_TCP;
	else if (outcome != OUTCOME_IGNORED && packet.protocol == IPPROTO_UDP)
		kind = STATS_UDP;
	count_outcome(outcome);
	count(kind);
}

SEC("xdp")
int capture_packet_data(struct xdp_md *context)
{
	struct frame frame = {
		.context = context,
		.length = xdp_length(context),
		.ifindex = context->ingress_ifindex,
		.hook = HOOK_XDP,
	};

	monitor(&frame);
	return XDP_PASS;
}

/*
 * For interfaces whose frames span several buffers (jumbo frames): drivers refuse the other program there. The question
 * mark keeps libbpf from loading it unasked, for kernels before 5.18 refuse BPF_F_XDP_HAS_FRAGS.
 */
SEC("?xdp.frags")
int capture_jumbo_packet_data(struct xdp_md *context)
{
	struct frame frame = {
		.context = context,
		.length = bpf_xdp_get_buff_len(context),
		.ifindex = context->ingress_ifindex,
		.hook = HOOK_XDP_FRAGS,
	};

	monitor(&frame);
	return XDP_PASS;
}
