/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* What the sniffer puts into its two rings. The layouts are an interface: docs/sniffer-object.md lists them. */
#ifndef SNIFFER_EVENTS_H
#define SNIFFER_EVENTS_H

#define PAYLOAD_SIZE 512
#define INTERFACE_NAME_SIZE 16

/* An IPv4 packet. Addresses and ports in host order. */
struct simple_event {
	__u32 src_ip;
	__u32 dst_ip;
	__u16 src_port;
	__u16 dst_port;
	__u8 protocol;
	__u8 tcp_flags;
	__u32 packet_len;
	__u16 ip_header_len;
	__u16 l4_header_len;
	__u64 timestamp;
	__u16 payload_len;
	__u8 payload[PAYLOAD_SIZE];
	__u8 interface_mode;
	__u8 is_wan_facing;
	__u32 source_ifindex;
	char source_interface[INTERFACE_NAME_SIZE];
} __attribute__((packed));

/*
 * An IPv6 packet. Addresses in network order, as text form reads them; ports and numbers in host order. From src_port
 * to source_interface it repeats struct simple_event.
 */
struct simple_event_v6 {
	__u8 src_ip[16];
	__u8 dst_ip[16];
	__u16 src_port;
	__u16 dst_port;
	__u8 protocol; /* of the last header, extension headers skipped */
	__u8 tcp_flags;
	__u32 packet_len;
	__u16 ip_header_len; /* extension headers included */
	__u16 l4_header_len;
	__u64 timestamp;
	__u16 payload_len;
	__u8 payload[PAYLOAD_SIZE];
	__u8 interface_mode;
	__u8 is_wan_facing;
	__u32 source_ifindex;
	char source_interface[INTERFACE_NAME_SIZE];
	__u16 vlan_proto; /* 0x8100 or 0x88a8 of the outermost tag, 0 where there is none */
	__u16 vlan_tci;
	__u8 hop_limit;
	__u8 traffic_class;
	__u32 flow_label;
} __attribute__((packed));

/* The part that both events share, so that one function fills it. No event is of this type. */
struct event_tail {
	__u16 src_port;
	__u16 dst_port;
	__u8 protocol;
	__u8 tcp_flags;
	__u32 packet_len;
	__u16 ip_header_len;
	__u16 l4_header_len;
	__u64 timestamp;
	__u16 payload_len;
	__u8 payload[PAYLOAD_SIZE];
	__u8 interface_mode;
	__u8 is_wan_facing;
	__u32 source_ifindex;
	char source_interface[INTERFACE_NAME_SIZE];
} __attribute__((packed));

/* Ring records start at multiples of 8, and so does their tail: knowing that, clang stores words instead of bytes. */
typedef struct simple_event aligned_simple_event __attribute__((aligned(8)));
typedef struct simple_event_v6 aligned_simple_event_v6 __attribute__((aligned(8)));
typedef struct event_tail aligned_event_tail __attribute__((aligned(8)));

#define TAIL_OF(event) ((aligned_event_tail *)((void *)(event) + __builtin_offsetof(__typeof__(*(event)), src_port)))

#define ASSERT_OFFSET(type, field, offset) \
	_Static_assert(__builtin_offsetof(struct type, field) == (offset), #type "." #field " has moved")
#define ASSERT_TAIL_OFFSETS(type, base)                        \
	ASSERT_OFFSET(type, src_port, (base) + 0);             \
	ASSERT_OFFSET(type, dst_port, (base) + 2);             \
	ASSERT_OFFSET(type, protocol, (base) + 4);             \
	ASSERT_OFFSET(type, tcp_flags, (base) + 5);            \
	ASSERT_OFFSET(type, packet_len, (base) + 6);           \
	ASSERT_OFFSET(type, ip_header_len, (base) + 10);       \
	ASSERT_OFFSET(type, l4_header_len, (base) + 12);       \
	ASSERT_OFFSET(type, timestamp, (base) + 14);           \
	ASSERT_OFFSET(type, payload_len, (base) + 22);         \
	ASSERT_OFFSET(type, payload, (base) + 24);             \
	ASSERT_OFFSET(type, interface_mode, (base) + 536);     \
	ASSERT_OFFSET(type, is_wan_facing, (base) + 537);      \
	ASSERT_OFFSET(type, source_ifindex, (base) + 538);     \
	ASSERT_OFFSET(type, source_interface, (base) + 542)

ASSERT_TAIL_OFFSETS(event_tail, 0);
_Static_assert(sizeof(struct event_tail) == 558, "struct event_tail has changed size");

ASSERT_OFFSET(simple_event, src_ip, 0);
ASSERT_OFFSET(simple_event, dst_ip, 4);
ASSERT_TAIL_OFFSETS(simple_event, 8);
_Static_assert(sizeof(struct simple_event) == 566, "struct simple_event has changed size");

ASSERT_OFFSET(simple_event_v6, src_ip, 0);
ASSERT_OFFSET(simple_event_v6, dst_ip, 16);
ASSERT_TAIL_OFFSETS(simple_event_v6, 32);
ASSERT_OFFSET(simple_event_v6, vlan_proto, 590);
ASSERT_OFFSET(simple_event_v6, vlan_tci, 592);
ASSERT_OFFSET(simple_event_v6, hop_limit, 594);
ASSERT_OFFSET(simple_event_v6, traffic_class, 595);
ASSERT_OFFSET(simple_event_v6, flow_label, 596);
_Static_assert(sizeof(struct simple_event_v6) == 600, "struct simple_event_v6 has changed size");

#endif
