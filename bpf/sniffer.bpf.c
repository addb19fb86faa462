// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The packet sniffer: makes an event of each IP packet that arrives (XDP) or leaves (tc), and lets every packet pass.
 * docs/sniffer-object.md describes maps, events and rules.
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

#include "ts_xdp/event.h"
#include "sniffer/maps.h"
#include "packet/frame.h"
#include "packet/parse.h"
#include "sniffer/filter.h"
#include "sniffer/payload.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

enum outcome { OUTCOME_IGNORED, OUTCOME_FILTERED, OUTCOME_NO_SPACE, OUTCOME_SUBMITTED };

/*
 * Since 6.8, and only for programs bound to a device: in any other the verifier refuses the call even where it is never
 * reached (bpf_dev_bound_kfunc_check() in kernel/bpf/offload.c, called before code is followed). So one program has it
 * to itself; and it is weak, so that the others load where the kernel lacks it.
 */
extern int bpf_xdp_metadata_rx_vlan_tag(const struct xdp_md *context, __be16 *vlan_proto, __u16 *vlan_tci) __ksym __weak;

/* libbpf's headers have it since 1.2. */
#ifndef bpf_ksym_exists
#define bpf_ksym_exists(symbol) (!!(symbol))
#endif

static __always_inline __u64 wakeup_flags(void *ring)
{
	if (wakeup_bytes == 0)
		return 0;
	return bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) < wakeup_bytes ? BPF_RB_NO_WAKEUP : BPF_RB_FORCE_WAKEUP;
}

static __always_inline void fill_payload(const struct frame *frame, const struct packet *packet,
					 aligned_event_tail *tail, struct sniffer_stats *counters)
{
	__u32 length = packet->end - packet->payload_offset;
	__u32 limit = payload_limit;
	__u32 offset = forget_past(packet->payload_offset);

	if (limit > PAYLOAD_SIZE)
		limit = PAYLOAD_SIZE;
	if (length > limit)
		length = limit;
	tail->payload_len = length;
	/* The size of the copy must be known precisely, and every path up to here has made it in its own way. */
	length = forget_past(length);
	if (length < PAYLOAD_SIZE)
		clear_payload(tail->payload);
	if (length != 0 && copy_payload(frame, offset, tail->payload, length) != 0) {
		/* A record that is reserved is submitted, so that the counters agree with what a reader gets. */
		clear_payload(tail->payload);
		__sync_fetch_and_add(&counters->payload_unreadable, 1);
		tail->payload_len = 0;
	}
}

static __always_inline void fill_tail(const struct frame *frame, const struct packet *packet,
				      const struct interface_config *interface, aligned_event_tail *tail)
{
	__u32 ifindex = frame->ifindex;
	struct interface_name *name = bpf_map_lookup_elem(&iface_names, &ifindex);

	if (name)
		__builtin_memcpy(tail->source_interface, __builtin_assume_aligned(name, 8), INTERFACE_NAME_SIZE);
	else
		__builtin_memset(tail->source_interface, 0, INTERFACE_NAME_SIZE);
	tail->src_port = packet->src_port;
	tail->dst_port = packet->dst_port;
	tail->protocol = packet->protocol;
	tail->tcp_flags = packet->tcp_flags;
	tail->packet_len = frame->length;
	tail->ip_header_len = packet->ip_header_len;
	tail->l4_header_len = packet->l4_header_len;
	tail->timestamp = bpf_ktime_get_ns();
	tail->interface_mode = interface->mode;
	tail->is_wan_facing = interface->is_wan;
	tail->source_ifindex = ifindex;
}

static __always_inline enum outcome sniff_ipv4(const struct frame *frame, __u32 offset,
					       const struct interface_config *interface, struct sniffer_stats *counters)
{
	struct packet packet = {};
	struct ipv4_addresses addresses;
	struct ip_address own;
	aligned_simple_event *event;
	aligned_event_tail *tail;

	if (!parse_ipv4(frame, offset, &packet, &addresses))
		return OUTCOME_IGNORED;
	if (interface->mode == INTERFACE_MODE_HOST_BASED) {
		map_ipv4(&own, frame->hook == HOOK_TC_EGRESS ? addresses.source : addresses.destination);
		if (!is_local(&own))
			return OUTCOME_FILTERED;
	}
	if (!ports_wanted(&packet))
		return OUTCOME_FILTERED;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event)
		return OUTCOME_NO_SPACE;
	event->src_ip = bpf_ntohl(addresses.source);
	event->dst_ip = bpf_ntohl(addresses.destination);
	tail = TAIL_OF(event);
	fill_tail(frame, &packet, interface, tail);
	fill_payload(frame, &packet, tail, counters);
	bpf_ringbuf_submit(event, wakeup_flags(&events));
	return OUTCOME_SUBMITTED;
}

static __always_inline enum outcome sniff_ipv6(const struct frame *frame, __u32 offset,
					       const struct interface_config *interface, struct sniffer_stats *counters)
{
	struct packet packet = {};
	struct ipv6_facts facts;
	aligned_simple_event_v6 *event;
	aligned_event_tail *tail;

	if (!parse_ipv6(frame, offset, &packet, &facts))
		return OUTCOME_IGNORED;
	if (interface->mode == INTERFACE_MODE_HOST_BASED) {
		struct in6_addr *own = frame->hook == HOOK_TC_EGRESS ? &facts.source : &facts.destination;

		if (!is_local((struct ip_address *)own))
			return OUTCOME_FILTERED;
	}
	if (!ports_wanted(&packet))
		return OUTCOME_FILTERED;
	event = bpf_ringbuf_reserve(&events_v6, sizeof(*event), 0);
	if (!event)
		return OUTCOME_NO_SPACE;
	__builtin_memcpy(event->src_ip, &facts.source, sizeof(event->src_ip));
	__builtin_memcpy(event->dst_ip, &facts.destination, sizeof(event->dst_ip));
	event->vlan_proto = frame->vlan_proto;
	event->vlan_tci = frame->vlan_tci;
	event->hop_limit = facts.hop_limit;
	event->traffic_class = facts.traffic_class;
	event->flow_label = facts.flow_label;
	tail = TAIL_OF(event);
	fill_tail(frame, &packet, interface, tail);
	fill_payload(frame, &packet, tail, counters);
	bpf_ringbuf_submit(event, wakeup_flags(&events_v6));
	return OUTCOME_SUBMITTED;
}

static __always_inline enum outcome sniff_frame(struct frame *frame, struct sniffer_stats *counters)
{
	__u32 ifindex = frame->ifindex;
	struct interface_config *interface = bpf_map_lookup_elem(&iface_configs, &ifindex);
	__u32 offset;
	__be16 protocol;

	if (!interface || interface->mode == INTERFACE_MODE_DISABLED)
		return OUTCOME_IGNORED;
	protocol = parse_ethernet(frame, &offset);
	if (frame->vlan_proto)
		__sync_fetch_and_add(&counters->vlan, 1);
	if (protocol == bpf_htons(ETH_P_IP))
		return sniff_ipv4(frame, offset, interface, counters);
	if (protocol == bpf_htons(ETH_P_IPV6))
		return sniff_ipv6(frame, offset, interface, counters);
	return OUTCOME_IGNORED;
}

/*
 * Counts a frame and its one outcome, so that the sum holds whatever happened. Atomic although the entry is this CPU's
 * own: on PREEMPT_RT one packet's processing may interrupt another's between load and store.
 */
static __always_inline void sniff(struct frame *frame)
{
	__u32 index = 0;
	struct sniffer_stats *counters = bpf_map_lookup_elem(&stats, &index);
	enum outcome outcome;

	if (!counters)
		return;
	outcome = sniff_frame(frame, counters);
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

SEC("xdp")
int xdp_sniffer_enhanced(struct xdp_md *context)
{
	struct frame frame = {
		.context = context,
		.length = xdp_length(context),
		.ifindex = context->ingress_ifindex,
		.hook = HOOK_XDP,
	};

	sniff(&frame);
	return XDP_PASS;
}

/*
 * For interfaces whose frames span several buffers (jumbo frames): drivers refuse other programs there. The question
 * mark keeps libbpf from loading it unasked, for kernels before 5.18 refuse BPF_F_XDP_HAS_FRAGS.
 */
SEC("?xdp.frags")
int xdp_frags_sniffer(struct xdp_md *context)
{
	struct frame frame = {
		.context = context,
		.length = bpf_xdp_get_buff_len(context),
		.ifindex = context->ingress_ifindex,
		.hook = HOOK_XDP_FRAGS,
	};

	sniff(&frame);
	return XDP_PASS;
}

/* As before, but bound to one device (BPF_F_XDP_DEV_BOUND_ONLY, since 6.3), and so able to ask for a stripped VLAN tag. */
SEC("?xdp.frags")
int xdp_bound_sniffer(struct xdp_md *context)
{
	struct frame frame = {
		.context = context,
		.length = bpf_xdp_get_buff_len(context),
		.ifindex = context->ingress_ifindex,
		.hook = HOOK_XDP_FRAGS,
	};
	__be16 vlan_proto = 0;
	__u16 vlan_tci = 0;

	if (bpf_ksym_exists(bpf_xdp_metadata_rx_vlan_tag) &&
	    bpf_xdp_metadata_rx_vlan_tag(context, &vlan_proto, &vlan_tci) == 0) {
		frame.vlan_proto = bpf_ntohs(vlan_proto);
		frame.vlan_tci = vlan_tci;
	}
	sniff(&frame);
	return XDP_PASS;
}

/*
 * XDP sees only what arrives. TC_ACT_UNSPEC hands the packet to the next filter or tcx program of the chain as though
 * this one were not there, whereas TC_ACT_OK would end the chain (cls_bpf_classify(), tcx_run()).
 */
SEC("tc")
int tc_sniffer_egress(struct __sk_buff *context)
{
	struct frame frame = {
		.context = context,
		.length = context->len,
		.ifindex = context->ifindex,
		.hook = HOOK_TC_EGRESS,
	};

	if (context->vlan_present) {
		frame.vlan_proto = bpf_ntohs(context->vlan_proto);
		frame.vlan_tci = context->vlan_tci;
	}
	sniff(&frame);
	return TC_ACT_UNSPEC;
}
