/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* From a frame to the facts about its IP packet. Everything numeric in host order. */
#ifndef PACKET_PARSE_H
#define PACKET_PARSE_H

#include "frame.h"

/* To be 1 where somebody asks which IPv6 packets are fragments: who does not keeps the code that was verified before. */
#ifndef PACKET_TELLS_FRAGMENTS
#define PACKET_TELLS_FRAGMENTS 0
#endif

#define MAX_VLAN_TAGS 2
/* RFC 8200 wants each kind at most once and destination options twice: 8 is more than a sane packet has. */
#define MAX_EXTENSION_HEADERS 8

#define IP_MORE_FRAGMENTS 0x2000
#define IP_FRAGMENT_OFFSET 0x1fff
#define IPV6_FRAGMENT_OFFSET 0xfff8
#define IPV6_MORE_FRAGMENTS 0x0001
#define TCP_HEADER_SIZE 20
#define UDP_HEADER_SIZE 8
#define ICMP_HEADER_SIZE 8
#define SCTP_HEADER_SIZE 12

struct packet {
	__u32 end; /* offset at which the IP packet ends within the frame, before any padding */
	__u32 payload_offset;
	__u16 ip_header_len;
	__u16 l4_header_len;
	__u16 src_port;
	__u16 dst_port;
	__u8 protocol;
	__u8 tcp_flags;
	__u8 ttl; /* of IPv4; the facts of an IPv6 packet have its hop limit */
	bool has_ports;
	bool is_fragment; /* the first one too; of IPv6 only with PACKET_TELLS_FRAGMENTS */
};

struct ipv4_addresses {
	__u32 source; /* network order, as the header has them */
	__u32 destination;
};

struct ipv6_facts {
	struct in6_addr source;
	struct in6_addr destination;
	__u32 flow_label;
	__u8 hop_limit;
	__u8 traffic_class;
};

struct vlan_tag {
	__be16 tci;
	__be16 next_protocol;
};

struct port_pair {
	__be16 source;
	__be16 destination;
};

/* The first 8 bytes of an IPv6 extension header; the last 6 mean this in a fragment header only. */
struct extension_header {
	__u8 next_header;
	__u8 length;
	__be16 fragment;
	__be32 identification;
};

static __always_inline bool is_vlan(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

/* The protocol behind Ethernet header and VLAN tags, in network order, and where its header starts; 0: no such frame. */
static __always_inline __be16 parse_ethernet(struct frame *frame, __u32 *offset)
{
	struct ethhdr ethernet;
	struct vlan_tag tag;
	__be16 protocol;

	if (!read_header(frame, 0, &ethernet, sizeof(ethernet)))
		return 0;
	protocol = ethernet.h_proto;
	*offset = sizeof(ethernet);
#pragma unroll
	for (int i = 0; i < MAX_VLAN_TAGS && is_vlan(protocol); i++) {
		if (!read_header(frame, *offset, &tag, sizeof(tag)))
			return 0;
		/* A tag in the frame's metadata was outside the ones still in the frame. */
		if (!frame->vlan_proto) {
			frame->vlan_proto = bpf_ntohs(protocol);
			frame->vlan_tci = bpf_ntohs(tag.tci);
		}
		protocol = tag.next_protocol;
		*offset += sizeof(tag);
	}
	*offset = forget_past(*offset);
	return protocol;
}

/*
 * Where the packet ends: at the IP length, not at the padding that Ethernet adds below 60 bytes. A length of 0 is a
 * segmentation offload or BIG TCP packet above 65,535 bytes (IPv4 since 6.3), or an IPv6 jumbogram: up to the frame's end.
 */
static __always_inline __u32 packet_end(const struct frame *frame, __u32 network_offset, __u32 ip_length)
{
	__u32 end = network_offset + ip_length;

	return ip_length == 0 || end > frame->length ? frame->length : end;
}

static __always_inline void parse_transport(const struct frame *frame, struct packet *packet)
{
	__u32 offset = packet->payload_offset;
	__u32 rest = packet->end - offset;
	__u32 header_len = 0;
	struct port_pair ports;
	__u8 offset_and_flags[2];

	switch (packet->protocol) {
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		if (rest >= ICMP_HEADER_SIZE)
			packet->l4_header_len = ICMP_HEADER_SIZE;
		break;
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
		/* The smallest first fragment has 8 bytes: ports are known before the header is whole. */
		if (rest < sizeof(ports) || !read_header(frame, offset, &ports, sizeof(ports)))
			return;
		packet->src_port = bpf_ntohs(ports.source);
		packet->dst_port = bpf_ntohs(ports.destination);
		packet->has_ports = true;
		header_len = packet->protocol == IPPROTO_SCTP ? SCTP_HEADER_SIZE : UDP_HEADER_SIZE;
		if (packet->protocol == IPPROTO_TCP) {
			if (rest < TCP_HEADER_SIZE ||
			    !read_header(frame, offset + 12, offset_and_flags, sizeof(offset_and_flags)))
				return;
			packet->tcp_flags = offset_and_flags[1];
			header_len = (offset_and_flags[0] >> 4) * 4;
			if (header_len < TCP_HEADER_SIZE)
				return;
		}
		if (header_len <= rest)
			packet->l4_header_len = header_len;
		break;
	}
	packet->payload_offset += packet->l4_header_len;
}

/* False where this is no IPv4 packet that can be read. */
static __always_inline bool parse_ipv4(const struct frame *frame, __u32 offset, struct packet *packet,
				       struct ipv4_addresses *addresses)
{
	struct iphdr ip;
	__u32 header_len, total_len;

	if (!read_header(frame, offset, &ip, sizeof(ip)))
		return false;
	header_len = ip.ihl * 4;
	total_len = bpf_ntohs(ip.tot_len);
	if (ip.version != 4 || header_len < sizeof(ip) || offset + header_len > frame->length)
		return false;
	if (total_len != 0 && total_len < header_len)
		return false;
	addresses->source = ip.saddr;
	addresses->destination = ip.daddr;
	packet->protocol = ip.protocol;
	packet->ttl = ip.ttl;
	packet->is_fragment = ip.frag_off & bpf_htons(IP_MORE_FRAGMENTS | IP_FRAGMENT_OFFSET);
	packet->ip_header_len = header_len;
	packet->end = packet_end(frame, offset, total_len);
	packet->payload_offset = offset + header_len;
	/* Only the first fragment has the transport header. */
	if (!(ip.frag_off & bpf_htons(IP_FRAGMENT_OFFSET)))
		parse_transport(frame, packet);
	return true;
}

static __always_inline bool is_extension_header(__u8 protocol)
{
	switch (protocol) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_FRAGMENT:
	case IPPROTO_AH:
	case IPPROTO_DSTOPTS:
	case IPPROTO_MH:
	case 139: /* Host Identity Protocol, RFC 7401 */
	case 140: /* Shim6, RFC 5533 */
		return true;
	default:
		return false;
	}
}

/*
 * Skips extension headers; false where the packet is a later fragment, which has no transport header. A chain that
 * ends too early or is too long stops at the header that could not be read, whose number `protocol` then is.
 */
static __always_inline bool skip_extension_headers(const struct frame *frame, struct packet *packet)
{
	struct extension_header header;
	__u32 offset = packet->payload_offset;
	__u8 protocol = packet->protocol;
	bool first_fragment = true;
	__u32 length;

	for (int i = 0; i < MAX_EXTENSION_HEADERS && is_extension_header(protocol); i++) {
		if (offset + sizeof(header) > packet->end || !read_header(frame, offset, &header, sizeof(header)))
			break;
		if (protocol == IPPROTO_FRAGMENT)
			length = sizeof(header);
		else if (protocol == IPPROTO_AH)
			length = (header.length + 2) * 4;
		else
			length = (header.length + 1) * 8;
		if (offset + length > packet->end)
			break;
		offset = forget_past(offset + length);
		/* An atomic fragment (RFC 6946) is whole: it has the header, and neither an offset nor more to come. */
		if (PACKET_TELLS_FRAGMENTS && protocol == IPPROTO_FRAGMENT)
			packet->is_fragment = header.fragment & bpf_htons(IPV6_FRAGMENT_OFFSET | IPV6_MORE_FRAGMENTS);
		first_fragment = protocol != IPPROTO_FRAGMENT || !(header.fragment & bpf_htons(IPV6_FRAGMENT_OFFSET));
		protocol = header.next_header;
		if (!first_fragment)
			break;
	}
	packet->ip_header_len += offset - packet->payload_offset;
	packet->payload_offset = offset;
	packet->protocol = protocol;
	return first_fragment;
}

/* False where this is no IPv6 packet that can be read. */
static __always_inline bool parse_ipv6(const struct frame *frame, __u32 offset, struct packet *packet,
				       struct ipv6_facts *facts)
{
	struct ipv6hdr ip;
	__u32 payload_len, first_word;

	if (!read_header(frame, offset, &ip, sizeof(ip)) || ip.version != 6)
		return false;
	__builtin_memcpy(&first_word, &ip, sizeof(first_word));
	first_word = bpf_ntohl(first_word);
	facts->traffic_class = first_word >> 20;
	facts->flow_label = first_word & 0xfffff;
	facts->hop_limit = ip.hop_limit;
	facts->source = ip.saddr;
	facts->destination = ip.daddr;

	payload_len = bpf_ntohs(ip.payload_len);
	packet->protocol = ip.nexthdr;
	packet->ip_header_len = sizeof(ip);
	packet->payload_offset = offset + sizeof(ip);
	/* "No next header" is the one case in which a length of 0 is the length. */
	packet->end = packet_end(frame, offset,
				 payload_len || ip.nexthdr == IPPROTO_NONE ? payload_len + sizeof(ip) : 0);
	if (skip_extension_headers(frame, packet))
		parse_transport(frame, packet);
	return true;
}

#endif
