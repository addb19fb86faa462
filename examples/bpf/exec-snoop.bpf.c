// SPDX-License-Identifier: MIT OR GPL-2.0
/* Reports every program that is started, with its arguments. */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <ts_xdp/event.h>

/* As much of the kernel's types as is read here: where the fields are is found out when the object is loaded. */
struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
} __attribute__((preserve_access_index));

struct task_struct {
	int tgid;
	struct task_struct *real_parent;
	struct mm_struct *mm;
} __attribute__((preserve_access_index));

struct linux_binprm {
	const char *filename;
} __attribute__((preserve_access_index));

struct exec {
	__u32 pid;
	__u32 parent_pid;
	__u32 uid;
	/* Of `arguments`, at most that array's size; the rest is cut off. */
	__u32 arguments_length;
	char command[16];
	char filename[256];
	/* One after the other, each with a NUL at its end. */
	__u8 arguments[512];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} execs SEC(".maps");

TS_XDP_EVENT(execs, struct exec);

/* Programs that there was no room to report. */
__u64 lost;

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *program)
{
	struct exec *exec = bpf_ringbuf_reserve(&execs, sizeof(*exec), 0);
	__u64 length;

	if (!exec) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	exec->pid = task->tgid;
	exec->parent_pid = task->real_parent->tgid;
	exec->uid = (__u32)bpf_get_current_uid_gid();
	bpf_get_current_comm(exec->command, sizeof(exec->command));
	bpf_probe_read_kernel_str(exec->filename, sizeof(exec->filename), program->filename);

	length = task->mm->arg_end - task->mm->arg_start;
	if (length > sizeof(exec->arguments))
		length = sizeof(exec->arguments);
	/* The new memory is in place by now, and exec(2) has just written the arguments there. */
	if (bpf_probe_read_user(exec->arguments, length, (void *)task->mm->arg_start))
		length = 0;
	exec->arguments_length = length;
	bpf_ringbuf_submit(exec, 0);
	return 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
