/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* Fills a ring with events of the sniffer's shape, one per run, for BPF_PROG_TEST_RUN with a repeat count. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include <sniffer/events.h>
#include <ts_xdp/event.h>

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24);
} events SEC(".maps");

TS_XDP_EVENT(events, struct simple_event);

/* Of the next event. Every field that the readers sum up follows from it, so both sides must see the same events. */
__u32 sequence;

SEC("xdp")
int fill(struct xdp_md *ctx __attribute__((unused)))
{
	aligned_simple_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return XDP_ABORTED;
	__builtin_memset(event, 0, sizeof(*event));
	event->src_ip = sequence * 2654435761u;
	event->dst_ip = ~sequence;
	event->src_port = sequence >> 16;
	event->dst_port = sequence * 40503u;
	event->packet_len = sequence & 0x3fff;
	event->payload_len = 64;
	event->protocol = 17;
	event->timestamp = sequence;
	__builtin_memcpy(event->source_interface, "eth0", 5);
	sequence++;
	/* Both readers look by themselves. */
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
