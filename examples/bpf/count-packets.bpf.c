// SPDX-License-Identifier: MIT OR GPL-2.0
/* Two ways to count: all CPUs together in one number, which takes an atomic addition, or each CPU in a number of its own. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} per_cpu_data SEC(".maps");

SEC("xdp")
int count_packets(struct xdp_md *context)
{
	__u32 index = 0;
	__u64 *count = bpf_map_lookup_elem(&counters, &index);

	/* Without the atomic addition two CPUs read the same number, and one of their packets is lost. */
	if (count)
		__sync_fetch_and_add(count, 1);
	return XDP_PASS;
}

SEC("xdp")
int count_per_cpu(struct xdp_md *context)
{
	/* The same index on every CPU: the kernel gives each its own number. */
	__u32 index = 0;
	__u64 *count = bpf_map_lookup_elem(&per_cpu_data, &index);

	/* On PREEMPT_RT one packet may interrupt another on the same CPU; elsewhere (*count)++ would do. */
	if (count)
		__sync_fetch_and_add(count, 1);
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual MIT/GPL";
