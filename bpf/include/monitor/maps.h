/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* Everything user space and the monitor share: events, maps, constants set before loading. docs/monitor.md lists them. */
#ifndef MONITOR_MAPS_H
#define MONITOR_MAPS_H

#define FLAG_FRAGMENT 0x01
#define FLAG_LOW_TTL 0x02 /* IPv4's TTL or IPv6's hop limit is below LOW_TTL */
#define FLAG_SYN 0x10
#define FLAG_FIN 0x20
#define FLAG_RST 0x40

#define LOW_TTL 10

/* An IPv4 packet. Not packed: 40 bytes. Addresses and ports in host order. */
struct packet_data {
	__u32 src_ip;
	__u32 dst_ip;
	__u16 src_port;
	__u16 dst_port;
	__u32 protocol;
	__u32 packet_size; /* of the frame */
	__u64 timestamp; /* bpf_ktime_get_ns() */
	__u32 flags;
};

/* An IPv6 packet: addresses in network order, as text form reads them. From src_port on it repeats struct packet_data. */
struct packet_data_v6 {
	__u8 src_ip[16];
	__u8 dst_ip[16];
	__u16 src_port;
	__u16 dst_port;
	__u32 protocol; /* of the last header, extension headers skipped */
	__u32 packet_size;
	__u64 timestamp;
	__u32 flags;
};

/* The part that both events share, so that one function fills it. No event is of this type. */
struct packet_tail {
	__u16 src_port;
	__u16 dst_port;
	__u32 protocol;
	__u32 packet_size;
	__u64 timestamp;
	__u32 flags;
};

#define TAIL_OF(event) ((struct packet_tail *)((void *)(event) + __builtin_offsetof(__typeof__(*(event)), src_port)))

#define ASSERT_OFFSET(type, field, offset) \
	_Static_assert(__builtin_offsetof(struct type, field) == (offset), #type "." #field " has moved")
#define ASSERT_TAIL_OFFSETS(type, base)              \
	ASSERT_OFFSET(type, src_port, (base) + 0);   \
	ASSERT_OFFSET(type, dst_port, (base) + 2);   \
	ASSERT_OFFSET(type, protocol, (base) + 4);   \
	ASSERT_OFFSET(type, packet_size, (base) + 8); \
	ASSERT_OFFSET(type, timestamp, (base) + 16); \
	ASSERT_OFFSET(type, flags, (base) + 24)

ASSERT_TAIL_OFFSETS(packet_tail, 0);
_Static_assert(sizeof(struct packet_tail) == 32, "struct packet_tail has changed size");
ASSERT_OFFSET(packet_data, dst_ip, 4);
ASSERT_TAIL_OFFSETS(packet_data, 8);
_Static_assert(sizeof(struct packet_data) == 40, "struct packet_data has changed size");
ASSERT_OFFSET(packet_data_v6, dst_ip, 16);
ASSERT_TAIL_OFFSETS(packet_data_v6, 32);
_Static_assert(sizeof(struct packet_data_v6) == 64, "struct packet_data_v6 has changed size");

/* Entries of stats_map. Every frame is one of the last three, so they add up to the first. */
enum { STATS_TOTAL, STATS_TCP, STATS_UDP, STATS_OTHER, STATS_ENTRIES };

/* What became of the frames: stats_map has no room for it. The contract is TS_XDP_COUNTERS(). */
struct packet_counters {
	__u64 seen;
	__u64 ignored; /* no IP packet, or none that can be read */
	__u64 filtered; /* nobody wants events */
	__u64 no_space; /* the ring was full: lost */
	__u64 submitted;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24);
} packet_ringbuf SEC(".maps");

/* A ring of its own: in one ring a reader could tell the two structs apart by nothing but their size. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24);
} packet_ringbuf6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, STATS_ENTRIES);
	__type(key, __u32);
	__type(value, __u64);
} stats_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct packet_counters);
} packet_counters SEC(".maps");

TS_XDP_EVENT(packet_ringbuf, struct packet_data);
TS_XDP_EVENT(packet_ringbuf6, struct packet_data_v6);
TS_XDP_COUNTERS(packet_counters, struct packet_counters);

/* 0: nobody reads the rings, so frames are counted and make no events. Frozen before loading (.rodata). */
const volatile __u8 wants_events = 1;

#endif
