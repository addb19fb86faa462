/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* Everything user space and the policy firewall share: rules, settings, counters, denials. docs/policy.md lists them. */
#ifndef POLICY_MAPS_H
#define POLICY_MAPS_H

#define MAX_POLICIES 100000

/*
 * Addresses and port in network order. 0 is any. The first three fields are the original's; its two bytes of padding,
 * which it had to zero, are `protocol` and `reserved`, so a key of the original still means what it meant.
 */
struct policy_key {
	__u32 source_ip;
	__u32 dest_ip;
	__u16 dest_port;
	__u8 protocol;
	__u8 reserved; /* 0, or nothing matches */
};

/* The value of a rule, u32 as the original has it. Every other value denies. */
enum { ACTION_DENY, ACTION_ALLOW };

/* Which fields of a rule are not any. The higher number wins, which is the order of lookups. */
#define SHAPE_SOURCE 8
#define SHAPE_DESTINATION 4
#define SHAPE_PORT 2
#define SHAPE_PROTOCOL 1
#define SHAPES 16
/* The original's: looked up always, the others where rule_shapes says that there may be such rules. */
#define SHAPE_ORIGINAL (SHAPE_SOURCE | SHAPE_DESTINATION | SHAPE_PORT)

enum { IPV6_AS_DEFAULT, IPV6_ALLOW, IPV6_DENY };

/* All zero is what the original does: deny, and for IPv6 as for other IP. Only logging is off. */
struct policy_settings {
	__u8 default_action;
	__u8 dry_run; /* 1: what would be denied is counted and logged as such, and passes */
	__u8 ipv6;
	__u8 reserved;
	__u32 denials_per_second; /* at most as many events on each CPU; 0: none */
};

struct rule_counters {
	__u64 packets;
	__u64 bytes;
};

/*
 * seen = ignored + allowed_by_rule + allowed_by_default + denied_by_rule + denied_by_default + denied_malformed,
 * and what was denied = unlogged + no_space + submitted. The first five are the contract of TS_XDP_COUNTERS().
 */
struct policy_counters {
	__u64 seen;
	__u64 ignored; /* not IP: passes */
	__u64 filtered; /* allowed, or denied and not logged */
	__u64 no_space; /* denied, and the ring was full */
	__u64 submitted; /* denied and logged */
	__u64 allowed_by_rule;
	__u64 allowed_by_default;
	__u64 denied_by_rule;
	__u64 denied_by_default;
	__u64 denied_malformed;
	__u64 unlogged; /* denied, and over the rate */
	__u64 passed_dry_run; /* of what was denied */
};

enum reason {
	REASON_NONE, /* allowed */
	REASON_RULE,
	REASON_DEFAULT,
	REASON_FRAGMENT, /* by default: a fragment without ports, which only rules without a port match */
	REASON_MALFORMED,
	REASON_IPV6, /* by the setting for IPv6 */
};

struct denial {
	__u64 timestamp; /* bpf_ktime_get_ns() */
	__u8 source_ip[16]; /* network order; of IPv4 the first 4 bytes */
	__u8 dest_ip[16];
	__u32 packet_size; /* of the frame */
	__u32 ifindex;
	__u16 source_port; /* host order; 0 where there are none */
	__u16 dest_port;
	__u8 protocol;
	__u8 family; /* 4, 6, or 0 where the packet could not be read */
	__u8 reason;
	__u8 rule_shape; /* of the rule, for REASON_RULE */
	__u8 dry_run; /* 1: it passed */
	__u8 reserved[7];
};

#define ASSERT_OFFSET(type, field, offset) \
	_Static_assert(__builtin_offsetof(struct type, field) == (offset), #type "." #field " has moved")

ASSERT_OFFSET(policy_key, dest_ip, 4);
ASSERT_OFFSET(policy_key, dest_port, 8);
ASSERT_OFFSET(policy_key, protocol, 10);
_Static_assert(sizeof(struct policy_key) == 12, "struct policy_key has changed size");
_Static_assert(sizeof(struct policy_settings) == 8, "struct policy_settings has changed size");
_Static_assert(sizeof(struct denial) == 64, "struct denial has changed size");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_POLICIES);
	__type(key, struct policy_key);
	__type(value, __u32);
} security_policies SEC(".maps");

/* Apart from the rules, so that a change of a rule's action leaves its counters alone. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_POLICIES);
	__type(key, struct policy_key);
	__type(value, struct rule_counters);
} rule_counters SEC(".maps");

/* Not 0 where there may be rules of that shape. An entry each, so that writers of rules need no lock between them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SHAPES);
	__type(key, __u32);
	__type(value, __u32);
} rule_shapes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct policy_settings);
} policy_settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct policy_counters);
} policy_counters SEC(".maps");

/* What this CPU has logged in the second that began at `since`. */
struct denial_budget {
	__u64 since;
	__u64 used;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct denial_budget);
} denial_budget SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} denials SEC(".maps");

TS_XDP_EVENT(denials, struct denial);
TS_XDP_COUNTERS(policy_counters, struct policy_counters);

#endif
