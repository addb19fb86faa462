/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * Says in an object's BTF which struct a ring buffer carries, so that a reader that knows only the object decodes
 * its events. Include it after <bpf/bpf_helpers.h>; docs/events.md explains the contract.
 */
#ifndef TS_XDP_EVENT_H
#define TS_XDP_EVENT_H

/*
 * TS_XDP_EVENT(events, struct simple_event);
 *
 * BTF ties no struct to a BPF_MAP_TYPE_RINGBUF map: such a map has neither key nor value, and the kernel refuses
 * key_size and value_size on it (ringbuf_map_alloc() in kernel/bpf/ringbuf.c). So the tie is a variable: its name,
 * less the prefix, is the map's name and what it points to is the event. Clang emits the whole struct for a pointer
 * that is a variable of its own, while one inside a map definition would leave only a forward declaration.
 *
 * The section is one of our own. libbpf, bpftool and cilium/ebpf make maps of .data*, .rodata*, .bss* and .maps and
 * skip what they do not know, so nothing reaches the kernel but the type: 8 bytes in the file, none at run time.
 *
 * The first line makes a misspelt map a compile error.
 */
#define TS_XDP_EVENT(ring_map, type)                                                                                   \
	_Static_assert(sizeof(ring_map) > 0, "TS_XDP_EVENT() names a map of this object");                             \
	const __typeof__(type) *const ts_xdp_event_##ring_map SEC(".ts_xdp")

/*
 * TS_XDP_COUNTERS(stats, struct my_stats);
 *
 * Says that the one entry of this array (per CPU or not) counts by this contract, whatever fields follow:
 *
 *     seen = ignored + filtered + no_space + submitted
 *
 * `no_space` are the events that bpf_ringbuf_reserve() had no room for: the loss, which cannot be known from the ring.
 */
#define TS_XDP_COUNTERS(map, type)                                                                                     \
	_Static_assert(sizeof(map) > 0, "TS_XDP_COUNTERS() names a map of this object");                               \
	_Static_assert(sizeof(((type *)0)->seen) == 8 && sizeof(((type *)0)->ignored) == 8 &&                          \
			       sizeof(((type *)0)->filtered) == 8 && sizeof(((type *)0)->no_space) == 8 &&             \
			       sizeof(((type *)0)->submitted) == 8,                                                    \
		       "the counters of TS_XDP_COUNTERS() are 64 bits wide");                                          \
	const __typeof__(type) *const ts_xdp_counters_##map SEC(".ts_xdp")

#endif
