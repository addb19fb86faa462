/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* Fills a ring with events of the sniffer's shape, one per run, for BPF_PROG_TEST_RUN with a repeat count. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include <sniffer/events.h>
#include <ts_xdp/event.h>

#include "../numbered-event.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24);
} events SEC(".maps");

TS_XDP_EVENT(events, struct simple_event);

/* Of the next event. */
__u32 sequence;

SEC("xdp")
int fill(struct xdp_md *ctx __attribute__((unused)))
{
	aligned_simple_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return XDP_ABORTED;
	fill_event(event, sequence);
	event->timestamp = sequence;
	sequence++;
	/* Both readers look by themselves. */
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
