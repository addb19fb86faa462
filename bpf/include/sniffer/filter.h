/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* Which packets become events. docs/sniffer-object.md states the rules. */
#ifndef SNIFFER_FILTER_H
#define SNIFFER_FILTER_H

#include "maps.h"
#include "packet/parse.h"

static __always_inline bool has_port(void *ports, __u16 port)
{
	__u8 *listed = bpf_map_lookup_elem(ports, &port);

	return listed && *listed;
}

/* Either port is enough: a connection has one well-known port, and which of the two depends on the direction. */
static __always_inline bool ports_wanted(const struct packet *packet)
{
	struct filter_config *settings;
	__u32 index = 0;

	if (packet->has_ports) {
		if (has_port(&included_ports, packet->src_port) || has_port(&included_ports, packet->dst_port))
			return true;
		if (has_port(&excluded_ports, packet->src_port) || has_port(&excluded_ports, packet->dst_port))
			return false;
	}
	settings = bpf_map_lookup_elem(&filter_settings, &index);
	if (!settings || settings->reserved[0] != 1)
		return true;
	return settings->default_action != ACTION_DROP;
}

/* The address that makes a packet this host's own: where it goes on ingress, where it comes from on egress. */
static __always_inline bool is_local(const struct ip_address *address)
{
	__u8 *listed = bpf_map_lookup_elem(&local_addresses, address);

	return listed && *listed;
}

static __always_inline void map_ipv4(struct ip_address *mapped, __u32 address)
{
	__u32 words[4] = { 0, 0, bpf_htonl(0xffff), address };

	__builtin_memcpy(mapped, words, sizeof(words));
}

#endif
