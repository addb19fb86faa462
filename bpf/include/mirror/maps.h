/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* Everything user space and the mirror share: maps and what is in them. docs/mirror.md lists them. */
#ifndef MIRROR_MAPS_H
#define MIRROR_MAPS_H

#define MAX_TARGETS 16
#define MAX_RULES 16

/*
 * What marks a copy until it has left: the upper 24 bits, the lower 8 being the target. It stays with the packet that the
 * tunnel makes of it, and with that one's fragments, as long as they are in this network namespace (skb_scrub_packet() in
 * net/core/skbuff.c, ip_copy_metadata() in net/ipv4/ip_output.c): so the mirror knows its own packets.
 */
#define MARK_MASK 0xffffff00

struct mirror_config {
	__u32 mark; /* 0: nothing is mirrored */
	__u32 vni; /* of the tunnels that this mirror sends */
	__u16 port; /* where they go to, host order; 0: not known, a device that was there already */
	__u8 enabled; /* 0: nothing is mirrored for the time being */
	__u8 filtered; /* 1: only what one of mirror_rules takes */
};

enum target_family { FAMILY_NONE = 0, FAMILY_IPV4 = 4, FAMILY_IPV6 = 6 };

/* Where copies go. */
struct mirror_target {
	__u32 ifindex; /* of the tunnel device; 0: no target */
	__u32 vni;
	__u8 remote[16]; /* network order; IPv4 in the first 4 bytes */
	__u8 family; /* FAMILY_NONE: the device knows by itself where to */
	__u8 reserved[3];
};

/* What is mirrored: a frame that has everything a rule names. 0 names nothing. */
struct mirror_rule {
	__u8 used;
	__u8 family; /* of the address: FAMILY_IPV4, FAMILY_IPV6 */
	__u8 protocol; /* the IP protocol */
	__u8 reserved;
	__u16 ether_type; /* host order, behind VLAN tags */
	__u16 port; /* host order; source or destination */
	__u8 address[16]; /* network order; source or destination, where `mask` has bits */
	__u8 mask[16];
};

/* As the device got them: pcnt and dcnt in frames, one for each segment of a segmentation offload packet. */
struct mirror_entry {
	struct {
		__u64 pcnt; /* given to the tunnel */
		__u64 bcnt; /* their bytes, without those of the tunnel */
		__u64 dcnt; /* refused: lost */
	} stat;
};

/* seen = tunnel + filtered + mirrored, in frames as above. */
struct mirror_counters {
	__u64 seen;
	__u64 tunnel; /* this mirror's own packets, on their way out or coming back */
	__u64 filtered; /* no rule takes them, or nothing is to be mirrored */
	__u64 mirrored; /* given to each target, whatever became of it */
	__u64 strangers; /* on the tunnel device, and not from here: neither seen nor sent */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mirror_config);
} mirror_config SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_TARGETS);
	__type(key, __u32);
	__type(value, struct mirror_target);
} mirror_targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_RULES);
	__type(key, __u32);
	__type(value, struct mirror_rule);
} mirror_rules SEC(".maps");

/* Keys are those of mirror_targets; an entry appears with its first frame, or where user space makes it before. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_TARGETS);
	__type(key, __u32);
	__type(value, struct mirror_entry);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} mirror_stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mirror_counters);
} mirror_counters SEC(".maps");

#endif
