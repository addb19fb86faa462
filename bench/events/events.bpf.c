/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * Puts events of the sniffer's shape into a ring, one per run, stamped at the last moment, with the wake-ups that are the
 * default. One that finds no space comes again with the next run, so that a reader must see all of them.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include <sniffer/events.h>
#include <ts_xdp/event.h>

#include "../numbered-event.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

TS_XDP_EVENT(events, struct simple_event);

/* Of the next event. */
__u32 sequence;

SEC("xdp")
int produce(struct xdp_md *ctx __attribute__((unused)))
{
	aligned_simple_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return XDP_DROP;
	fill_event(event, sequence);
	sequence++;
	event->timestamp = bpf_ktime_get_ns();
	bpf_ringbuf_submit(event, 0);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
