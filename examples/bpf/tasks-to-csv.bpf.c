// SPDX-License-Identifier: MIT OR GPL-2.0
/* Writes a record for every thread of the machine when it is read, without a look at /proc. */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
} __attribute__((preserve_access_index));

struct task_struct {
	int pid;
	int tgid;
	struct task_struct *real_parent;
	int prio;
	__u64 start_boottime;
	__u64 utime;
	__u64 stime;
	char comm[16];
} __attribute__((preserve_access_index));

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} __attribute__((preserve_access_index));

struct thread {
	__u32 process;
	__u32 thread;
	__u32 parent;
	__s32 priority;
	/* Since the machine started. */
	__u64 started_nanoseconds;
	__u64 user_nanoseconds;
	__u64 system_nanoseconds;
	char command[16];
};

/* Keeps the struct in BTF, by which user space reads the records. */
const struct thread *const thread_type;

SEC("iter/task")
int write_thread(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct thread thread = {};

	/* A last call without a task says that all have been seen. */
	if (!task)
		return 0;
	thread.process = task->tgid;
	thread.thread = task->pid;
	thread.parent = task->real_parent->tgid;
	thread.priority = task->prio;
	thread.started_nanoseconds = task->start_boottime;
	thread.user_nanoseconds = task->utime;
	thread.system_nanoseconds = task->stime;
	bpf_probe_read_kernel_str(thread.command, sizeof(thread.command), task->comm);
	bpf_seq_write(context->meta->seq, &thread, sizeof(thread));
	return 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
