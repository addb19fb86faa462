/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* Which frames are copied, and which are the mirror's own. */
#ifndef MIRROR_RULES_H
#define MIRROR_RULES_H

/* What rules ask of a frame. Addresses in network order, IPv4 in the first 4 bytes. */
struct facts {
	__u8 source[16] __attribute__((aligned(4)));
	__u8 destination[16] __attribute__((aligned(4)));
	__u16 ether_type;
	__u8 family;
	struct packet packet;
};

static __always_inline void read_facts(struct frame *frame, struct facts *facts)
{
	__be16 protocol;
	__u32 offset = 0;

	protocol = parse_ethernet(frame, &offset);
	facts->ether_type = bpf_ntohs(protocol);
	if (protocol == bpf_htons(ETH_P_IP)) {
		struct ipv4_addresses addresses;

		if (!parse_ipv4(frame, offset, &facts->packet, &addresses))
			return;
		__builtin_memcpy(facts->source, &addresses.source, sizeof(addresses.source));
		__builtin_memcpy(facts->destination, &addresses.destination, sizeof(addresses.destination));
		facts->family = FAMILY_IPV4;
	} else if (protocol == bpf_htons(ETH_P_IPV6)) {
		struct ipv6_facts ipv6;

		if (!parse_ipv6(frame, offset, &facts->packet, &ipv6))
			return;
		__builtin_memcpy(facts->source, &ipv6.source, sizeof(ipv6.source));
		__builtin_memcpy(facts->destination, &ipv6.destination, sizeof(ipv6.destination));
		facts->family = FAMILY_IPV6;
	}
}

/*
 * A tunnel packet of this mirror's that arrives: two hosts that mirror to each other would copy each other's copies
 * forever. Later fragments have no port; copied they make one packet more, which has.
 */
static __always_inline bool comes_from_a_mirror(const struct frame *frame, const struct mirror_config *config,
						const struct facts *facts)
{
	__be32 vni;

	if (!config->port || facts->packet.protocol != IPPROTO_UDP || facts->packet.dst_port != config->port)
		return false;
	/* The VNI is the second word of the VXLAN header, less its last byte (RFC 7348). */
	if (!read_header(frame, facts->packet.payload_offset + 4, &vni, sizeof(vni)))
		return false;
	return bpf_ntohl(vni) >> 8 == config->vni;
}

static __always_inline bool is_within(const __u8 *address, const struct mirror_rule *rule)
{
	__u32 differing = 0;

#pragma unroll
	for (int offset = 0; offset < 16; offset += sizeof(__u32)) {
		__u32 have, want, mask;

		__builtin_memcpy(&have, address + offset, sizeof(have));
		__builtin_memcpy(&want, rule->address + offset, sizeof(want));
		__builtin_memcpy(&mask, rule->mask + offset, sizeof(mask));
		differing |= (have ^ want) & mask;
	}
	return differing == 0;
}

static __always_inline bool rule_takes(const struct mirror_rule *rule, const struct facts *facts)
{
	const struct packet *packet = &facts->packet;

	if (rule->ether_type && rule->ether_type != facts->ether_type)
		return false;
	if (rule->family && rule->family != facts->family)
		return false;
	if (rule->protocol && (!facts->family || rule->protocol != packet->protocol))
		return false;
	if (rule->port && !(packet->has_ports && (packet->src_port == rule->port || packet->dst_port == rule->port)))
		return false;
	return !rule->family || is_within(facts->source, rule) || is_within(facts->destination, rule);
}

static __always_inline bool is_wanted(const struct mirror_config *config, const struct facts *facts)
{
	if (!config->filtered)
		return true;
	for (__u32 index = 0; index < MAX_RULES; index++) {
		__u32 key = index;
		const struct mirror_rule *rule = bpf_map_lookup_elem(&mirror_rules, &key);

		if (rule && rule->used && rule_takes(rule, facts))
			return true;
	}
	return false;
}

#endif
