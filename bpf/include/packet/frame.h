/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* One frame behind one interface, whichever hook it came from, and reading from it. */
#ifndef PACKET_FRAME_H
#define PACKET_FRAME_H

/* Constant at every call, so each program keeps only its own branches. */
enum hook {
	HOOK_XDP, /* the whole frame lies between data and data_end of struct xdp_md */
	HOOK_XDP_FRAGS, /* only the first buffer does; Linux 5.18 and later */
	HOOK_TC_EGRESS, /* headers may lie outside the linear part too */
};

/* No member's address may reach a helper: then all of it stays in registers, and `hook` stays a constant. */
struct frame {
	void *context;
	__u32 length;
	__u32 ifindex;
	enum hook hook;
	/* The outermost VLAN tag. 0 in vlan_proto: none. Host order. */
	__u16 vlan_proto;
	__u16 vlan_tci;
};

/* Offsets of headers stay below: two VLAN tags, 40 bytes of IPv6 and 8 extension headers of at most 2,048 bytes. */
#define MAX_HEADER_OFFSET 0x7fff

/*
 * The same value (below 65,535), but one without a past to the verifier: what it needs to know precisely it follows
 * back through every instruction and spilled register, and then paths that differ in that number are verified one by
 * one from there on. It gives up at bytes beside the start of a stack slot. A stored 0 it would follow (STACK_ZERO in
 * check_stack_write_fixed_off()), hence the 1. Without this the programs cost the verifier 250,000 to 530,000
 * instructions on Linux 6.18, with it 4,000 to 14,000 (docs/sniffer-object.md).
 */
static __always_inline __u32 forget_past(__u32 value)
{
	volatile __u16 slot[4] __attribute__((aligned(8)));

	/* An array whose address is taken stays whole: otherwise slot[1] would become a slot of its own. */
	asm volatile("" : : "r"(slot));
	slot[1] = value + 1;
	return slot[1] - 1;
}

/*
 * Where `offset` lies in an XDP frame, bounded for the verifier, which allows no packet access past 0xffff
 * (MAX_PACKET_OFF). Clang knows the bounds by itself and would drop the mask, while a verifier loses them where a
 * register is spilled: hence the barrier. And data is loaded anew each time, as data_end is: a pointer kept from an
 * earlier access carries what was verified then, one more thing in which paths differ.
 */
static __always_inline void *xdp_data(const struct frame *frame, __u32 offset)
{
	volatile struct xdp_md *context = frame->context;

	barrier_var(offset);
	return (void *)(long)context->data + (offset & MAX_HEADER_OFFSET);
}

static __always_inline void *xdp_data_end(const struct frame *frame)
{
	volatile struct xdp_md *context = frame->context;

	return (void *)(long)context->data_end;
}

static __always_inline __u32 xdp_length(struct xdp_md *context)
{
	__u64 length = (void *)(long)context->data_end - (void *)(long)context->data;

	/* Subtracted here and as pointers: clang would keep their lower halves for later, and half a pointer is refused. */
	barrier_var(length);
	return length;
}

/* Copies `size` bytes (a constant) at `offset`; false where the frame ends before. */
static __always_inline bool read_header(const struct frame *frame, __u32 offset, void *to, const __u32 size)
{
	void *from;

	switch (frame->hook) {
	case HOOK_XDP:
		from = xdp_data(frame, offset);
		if (from + size > xdp_data_end(frame))
			return false;
		/* Untrue of most headers, but it makes clang load words, which the kernel allows where the machine does. */
		__builtin_memcpy(to, __builtin_assume_aligned(from, 4), size);
		return true;
	case HOOK_XDP_FRAGS:
		return bpf_xdp_load_bytes(frame->context, offset, to, size) == 0;
	case HOOK_TC_EGRESS:
		return bpf_skb_load_bytes(frame->context, offset, to, size) == 0;
	}
	return false;
}

#endif
