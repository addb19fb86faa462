/*
 * A large object, for where the kernel's test programs are not at hand: a loop unrolled 250 times, with three CO-RE
 * relocations and a reference to a map in each round.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define KERNEL __attribute__((preserve_access_index))

struct mm_struct { unsigned long start_code; } KERNEL;
struct task_struct { int pid; int tgid; struct mm_struct *mm; } KERNEL;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} sums SEC(".maps");

static __always_inline void add(const void *from, __u32 size)
{
	__u64 value = 0;
	__u32 key = 0;
	__u64 *sum;

	bpf_probe_read_kernel(&value, size, from);
	sum = bpf_map_lookup_elem(&sums, &key);
	if (sum)
		*sum += value;
}

SEC("raw_tp/sys_enter")
int unrolled(void *context)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	(void)context;
#pragma clang loop unroll(full)
	for (int round = 0; round < 250; round++) {
		add(&task->pid, sizeof(task->pid));
		add(&task->tgid, sizeof(task->tgid));
		add(&task->mm, sizeof(task->mm));
	}
	return 0;
}

char _license[] SEC("license") = "GPL";
