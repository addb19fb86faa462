/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* The events of the benchmarks: of the sniffer's shape, and told apart by a number. */
#ifndef BENCH_NUMBERED_EVENT_H
#define BENCH_NUMBERED_EVENT_H

/*
 * Every field that readers sum up follows from the number, so that all of them must see the same events. The timestamp is
 * left zero.
 */
static __always_inline void fill_event(aligned_simple_event *event, __u32 number)
{
	__builtin_memset(event, 0, sizeof(*event));
	event->src_ip = number * 2654435761u;
	event->dst_ip = ~number;
	event->src_port = number >> 16;
	event->dst_port = number * 40503u;
	event->packet_len = number & 0x3fff;
	event->payload_len = 64;
	event->protocol = 17;
	__builtin_memcpy(event->source_interface, "eth0", 5);
}

#endif
