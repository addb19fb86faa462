/* The maps of the benchmark: a hash whose values are a struct, and counters that can be mapped into memory. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct traffic {
	__u32 packets;
	__u32 errors;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 100000);
	__type(key, __u32);
	__type(value, struct traffic);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 64);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

char _license[] SEC("license") = "GPL";
