/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* Everything user space and the sniffer share: maps, the values in them, constants set before loading. */
#ifndef SNIFFER_MAPS_H
#define SNIFFER_MAPS_H

#include "events.h"

#define INTERFACE_MODE_DISABLED 0
#define INTERFACE_MODE_HOST_BASED 1 /* only packets of this host's own addresses */
#define INTERFACE_MODE_GATEWAY 2 /* every packet */

struct interface_config {
	__u32 ifindex;
	__u8 mode;
	__u8 is_wan;
	__u8 reserved[2];
};
_Static_assert(sizeof(struct interface_config) == 8, "struct interface_config has changed size");

/* What to do with a packet that no port rule names. ACTION_DROP means "make no event": the packet always passes. */
#define ACTION_DROP 0
#define ACTION_CAPTURE 1

struct filter_config {
	__u8 default_action;
	/* reserved[0] = 1 says that user space wrote this entry: an array's entry that nobody wrote reads as ACTION_DROP. */
	__u8 reserved[7];
};
_Static_assert(sizeof(struct filter_config) == 8, "struct filter_config has changed size");

struct interface_name {
	char name[INTERFACE_NAME_SIZE];
};

/* An IPv6 address, or an IPv4 one as ::ffff:a.b.c.d, in network order. */
struct ip_address {
	__u8 bytes[16];
};

struct sniffer_stats {
	__u64 seen;
	__u64 ignored; /* no IP packet, or none that can be read, or the interface is not to be watched */
	__u64 filtered; /* an IP packet that mode or ports exclude */
	__u64 no_space; /* the ring was full: lost */
	__u64 submitted;
	/* The rest informs only. */
	__u64 vlan; /* frames with a VLAN tag, in the frame or in its metadata */
	__u64 payload_unreadable; /* events submitted without payload because copying it failed */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u16);
	__type(value, __u8);
} excluded_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u16);
	__type(value, __u8);
} included_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct filter_config);
} filter_settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

/* A ring of its own: a ring with two kinds of records would need a discriminator, which simple_event has no room for. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events_v6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct interface_config);
} iface_configs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct interface_name);
} iface_names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct ip_address);
	__type(value, __u8);
} local_addresses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sniffer_stats);
} stats SEC(".maps");

TS_XDP_EVENT(events, struct simple_event);
TS_XDP_EVENT(events_v6, struct simple_event_v6);
TS_XDP_COUNTERS(stats, struct sniffer_stats);

/*
 * Constants: .rodata is frozen before the programs are loaded, so the verifier knows their values and removes the
 * branches they exclude (bpf_map_direct_read() in check_mem_access(), since 5.5).
 */

/* 1: copy payload with bpf_xdp_load_bytes(), which Linux 5.18 has. 0: with a loop, for kernels before. */
const volatile __u8 use_load_bytes = 1;
/* How many bytes of payload an event carries at most, up to 512. */
const volatile __u16 payload_limit = PAYLOAD_SIZE;
/*
 * 0: the kernel wakes a reader whenever it has caught up, which is the quickest and the dearest. Otherwise readers are
 * woken only when this many bytes wait in a ring, so they must also look into the ring now and then of their own.
 */
const volatile __u32 wakeup_bytes = 0;

#endif
