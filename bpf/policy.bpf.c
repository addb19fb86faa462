// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The policy firewall: rules by addresses, destination port and protocol say which IPv4 packets may pass; what no rule
 * names is denied. docs/policy.md describes maps, order of rules and events.
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
#include "policy/maps.h"
#include "packet/frame.h"
#define PACKET_TELLS_FRAGMENTS 1
#include "packet/parse.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define NANOSECONDS_PER_SECOND 1000000000ULL

/* What was read of a packet and what was decided about it. */
struct decision {
	enum reason reason;
	bool by_rule;
	bool ignored;
	__u8 rule_shape;
	__u8 family;
	struct in6_addr source;
	struct in6_addr destination;
};

static __always_inline void count_rule(const struct policy_key *key, __u32 length)
{
	struct rule_counters *counters = bpf_map_lookup_elem(&rule_counters, key);

	if (!counters) {
		struct rule_counters none = {};

		/* The rule was written by somebody who knows nothing of counters. Another CPU's entry is as good. */
		bpf_map_update_elem(&rule_counters, key, &none, BPF_NOEXIST);
		counters = bpf_map_lookup_elem(&rule_counters, key);
		if (!counters)
			return;
	}
	__sync_fetch_and_add(&counters->packets, 1);
	__sync_fetch_and_add(&counters->bytes, length);
}

static __always_inline bool may_have_rules(__u32 shape)
{
	__u32 *used = bpf_map_lookup_elem(&rule_shapes, &shape);

	return used && *used;
}

/* The most specific rule decides; false where there is none. */
static __always_inline bool decide_by_rule(const struct frame *frame, const struct packet *packet,
					   const struct ipv4_addresses *addresses, struct decision *decision)
{
	for (int shape = SHAPES - 1; shape >= 0; shape--) {
		struct policy_key key = {};
		__u32 *action;

		/* Without a port it would find the rules for any port, before more specific ones. */
		if ((shape & SHAPE_PORT) && !packet->dst_port)
			continue;
		if (shape != SHAPE_ORIGINAL && !may_have_rules(shape))
			continue;
		key.source_ip = shape & SHAPE_SOURCE ? addresses->source : 0;
		key.dest_ip = shape & SHAPE_DESTINATION ? addresses->destination : 0;
		key.dest_port = shape & SHAPE_PORT ? bpf_htons(packet->dst_port) : 0;
		key.protocol = shape & SHAPE_PROTOCOL ? packet->protocol : 0;
		action = bpf_map_lookup_elem(&security_policies, &key);
		if (!action)
			continue;
		decision->reason = *action == ACTION_ALLOW ? REASON_NONE : REASON_RULE;
		decision->by_rule = true;
		decision->rule_shape = shape;
		count_rule(&key, frame->length);
		return true;
	}
	return false;
}

static __always_inline bool wants_ports(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE ||
	       protocol == IPPROTO_SCTP;
}

static __always_inline void decide_ipv4(const struct frame *frame, __u32 offset, const struct policy_settings *settings,
					struct packet *packet, struct decision *decision)
{
	struct ipv4_addresses addresses;
	bool without_ports;

	if (!parse_ipv4(frame, offset, packet, &addresses)) {
		decision->reason = REASON_MALFORMED;
		return;
	}
	decision->family = 4;
	decision->source.s6_addr32[0] = addresses.source;
	decision->destination.s6_addr32[0] = addresses.destination;
	without_ports = wants_ports(packet->protocol) && !packet->has_ports;
	if (without_ports && !packet->is_fragment) {
		decision->reason = REASON_MALFORMED;
		return;
	}
	if (decide_by_rule(frame, packet, &addresses, decision))
		return;
	if (settings->default_action != ACTION_ALLOW)
		decision->reason = without_ports ? REASON_FRAGMENT : REASON_DEFAULT;
}

/* Rules are of IPv4 alone. */
static __always_inline void decide_ipv6(const struct frame *frame, __u32 offset, const struct policy_settings *settings,
					struct packet *packet, struct decision *decision)
{
	struct ipv6_facts facts;

	if (!parse_ipv6(frame, offset, packet, &facts)) {
		decision->reason = REASON_MALFORMED;
		return;
	}
	decision->family = 6;
	decision->source = facts.source;
	decision->destination = facts.destination;
	if (settings->ipv6 == IPV6_AS_DEFAULT)
		decision->reason = settings->default_action == ACTION_ALLOW ? REASON_NONE : REASON_DEFAULT;
	else if (settings->ipv6 != IPV6_ALLOW)
		decision->reason = REASON_IPV6;
}

/* A flood of what is denied must neither cost much nor push what came before out of sight. */
static __always_inline bool within_budget(__u32 per_second, __u64 now)
{
	__u32 index = 0;
	struct denial_budget *budget = bpf_map_lookup_elem(&denial_budget, &index);

	if (!budget || !per_second)
		return false;
	if (now - budget->since >= NANOSECONDS_PER_SECOND) {
		budget->since = now;
		budget->used = 0;
	}
	if (budget->used >= per_second)
		return false;
	budget->used++;
	return true;
}

static __always_inline void log_denial(const struct frame *frame, const struct policy_settings *settings,
				       const struct packet *packet, const struct decision *decision,
				       struct policy_counters *counters)
{
	__u64 now = bpf_ktime_get_ns();
	struct denial *denial;

	if (!within_budget(settings->denials_per_second, now)) {
		__sync_fetch_and_add(&counters->unlogged, 1);
		__sync_fetch_and_add(&counters->filtered, 1);
		return;
	}
	denial = bpf_ringbuf_reserve(&denials, sizeof(*denial), 0);
	if (!denial) {
		__sync_fetch_and_add(&counters->no_space, 1);
		return;
	}
	__builtin_memset(denial, 0, sizeof(*denial));
	denial->timestamp = now;
	__builtin_memcpy(denial->source_ip, &decision->source, sizeof(denial->source_ip));
	__builtin_memcpy(denial->dest_ip, &decision->destination, sizeof(denial->dest_ip));
	denial->packet_size = frame->length;
	denial->ifindex = frame->ifindex;
	denial->source_port = packet->src_port;
	denial->dest_port = packet->dst_port;
	denial->protocol = packet->protocol;
	denial->family = decision->family;
	denial->reason = decision->reason;
	denial->rule_shape = decision->rule_shape;
	denial->dry_run = settings->dry_run;
	bpf_ringbuf_submit(denial, 0);
	__sync_fetch_and_add(&counters->submitted, 1);
}

static __always_inline int deny(const struct frame *frame, const struct policy_settings *settings,
				const struct packet *packet, const struct decision *decision,
				struct policy_counters *counters)
{
	switch (decision->reason) {
	case REASON_RULE:
		__sync_fetch_and_add(&counters->denied_by_rule, 1);
		break;
	case REASON_MALFORMED:
		__sync_fetch_and_add(&counters->denied_malformed, 1);
		break;
	default:
		__sync_fetch_and_add(&counters->denied_by_default, 1);
		break;
	}
	log_denial(frame, settings, packet, decision, counters);
	if (!settings->dry_run)
		return XDP_DROP;
	__sync_fetch_and_add(&counters->passed_dry_run, 1);
	return XDP_PASS;
}

static __always_inline int pass(const struct decision *decision, struct policy_counters *counters)
{
	if (decision->ignored) {
		__sync_fetch_and_add(&counters->ignored, 1);
		return XDP_PASS;
	}
	if (decision->by_rule)
		__sync_fetch_and_add(&counters->allowed_by_rule, 1);
	else
		__sync_fetch_and_add(&counters->allowed_by_default, 1);
	__sync_fetch_and_add(&counters->filtered, 1);
	return XDP_PASS;
}

static __always_inline int enforce(struct frame *frame)
{
	__u32 index = 0;
	struct policy_settings *settings = bpf_map_lookup_elem(&policy_settings, &index);
	struct policy_counters *counters = bpf_map_lookup_elem(&policy_counters, &index);
	struct decision decision = {};
	struct packet packet = {};
	__be16 protocol;
	__u32 offset;

	if (!settings || !counters)
		return XDP_DROP;
	/* First, so that whoever reads the parts before the whole never finds them to be more. */
	__sync_fetch_and_add(&counters->seen, 1);
	protocol = parse_ethernet(frame, &offset);
	if (protocol == bpf_htons(ETH_P_IP))
		decide_ipv4(frame, offset, settings, &packet, &decision);
	else if (protocol == bpf_htons(ETH_P_IPV6))
		decide_ipv6(frame, offset, settings, &packet, &decision);
	else if (is_vlan(protocol))
		/* More tags than are looked behind: IP could hide there. */
		decision.reason = REASON_MALFORMED;
	else
		decision.ignored = true;
	if (decision.reason == REASON_NONE)
		return pass(&decision, counters);
	return deny(frame, settings, &packet, &decision, counters);
}

SEC("xdp")
int security_enforce(struct xdp_md *context)
{
	struct frame frame = {
		.context = context,
		.length = xdp_length(context),
		.ifindex = context->ingress_ifindex,
		.hook = HOOK_XDP,
	};

	return enforce(&frame);
}

/*
 * For interfaces whose frames span several buffers (jumbo frames): drivers refuse the other program there. The question
 * mark keeps libbpf from loading it unasked, for kernels before 5.18 refuse BPF_F_XDP_HAS_FRAGS.
 */
SEC("?xdp.frags")
int enforce_jumbo_frames(struct xdp_md *context)
{
	struct frame frame = {
		.context = context,
		.length = bpf_xdp_get_buff_len(context),
		.ifindex = context->ingress_ifindex,
		.hook = HOOK_XDP_FRAGS,
	};

	return enforce(&frame);
}
