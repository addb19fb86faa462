// SPDX-License-Identifier: MIT OR GPL-2.0
/* Reports every process that ends, with its exit code or the signal that killed it. */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <ts_xdp/event.h>

/* As much of the kernel's type as is read here: where the fields are is found out when the object is loaded. */
struct task_struct {
	int pid;
	int tgid;
	int exit_code;
} __attribute__((preserve_access_index));

struct event {
	__u32 pid;
	char comm[16];
	__u32 exit_code;
	/* 0 where it ended by itself. Without this a process that was killed would look like one that succeeded. */
	__u32 signal;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

TS_XDP_EVENT(events, struct event);

/* Processes that there was no room to report. */
__u64 lost;

/* The tracepoint itself knows name and pid, and no exit code: that is the task's, which is the current one. */
SEC("tp/sched/sched_process_exit")
int handle_exit(void *context)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u32 code = BPF_CORE_READ(task, exit_code);
	struct event *event;

	/* It fires for each thread; the first one of a process has the process's id. */
	if (BPF_CORE_READ(task, pid) != BPF_CORE_READ(task, tgid))
		return 0;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	event->pid = BPF_CORE_READ(task, tgid);
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	/* As wait(2) has it: the exit code in the second byte, the signal in seven bits of the first. */
	event->exit_code = code >> 8 & 0xff;
	event->signal = code & 0x7f;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
