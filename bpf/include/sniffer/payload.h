/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* Copying payload into an event. */
#ifndef SNIFFER_PAYLOAD_H
#define SNIFFER_PAYLOAD_H

#include "packet/frame.h"
#include "maps.h"

#define WORD_SIZE 8

/* A record of the ring still holds what an earlier event left there, which must not show behind a shorter payload. */
static __always_inline void clear_payload(__u8 *to)
{
	__u64 *word = (__u64 *)to;

#pragma unroll
	for (int i = 0; i < PAYLOAD_SIZE / WORD_SIZE; i++)
		word[i] = 0;
}

/*
 * For kernels without bpf_xdp_load_bytes(): words, then the last word once more so that it ends where the payload
 * ends, and single bytes only where there is no whole word. The verifier relates `length` to data_end by no means, so
 * both are compared.
 */
static __always_inline long copy_payload_by_words(const struct frame *frame, __u32 offset, __u8 *to, __u32 length)
{
	void *from = xdp_data(frame, offset);
	void *end = xdp_data_end(frame);
	__u32 last;

	if (length < WORD_SIZE) {
		for (__u32 i = 0; i < WORD_SIZE - 1; i++) {
			if (i >= length)
				return 0;
			if (from + i + 1 > end)
				return -1;
			to[i] = *(__u8 *)(from + i);
		}
		return 0;
	}
	for (__u32 i = 0; i + WORD_SIZE <= PAYLOAD_SIZE; i += WORD_SIZE) {
		if (i + WORD_SIZE > length)
			break;
		if (from + i + WORD_SIZE > end)
			return -1;
		*(__u64 *)(to + i) = *(__u64 *)(from + i);
	}
	last = length - WORD_SIZE;
	barrier_var(last);
	if (last > PAYLOAD_SIZE - WORD_SIZE)
		return -1;
	from += last;
	if (from + WORD_SIZE > end)
		return -1;
	*(__u64 *)(to + last) = *(__u64 *)from;
	return 0;
}

/* 0, or negative where the frame does not give the bytes. */
static __always_inline long copy_payload(const struct frame *frame, __u32 offset, __u8 *to, __u32 length)
{
	/*
	 * The helpers refuse a length whose lower bound is 0 (ARG_CONST_SIZE), and before 6.8 "!= 0" taught the verifier
	 * no lower bound. This is `length` itself for 1 .. 512, and 1 .. 512 to the verifier for any.
	 */
	__u32 less_one = length - 1;

	barrier_var(less_one);
	length = (less_one & (PAYLOAD_SIZE - 1)) + 1;

	switch (frame->hook) {
	case HOOK_XDP:
		if (use_load_bytes)
			return bpf_xdp_load_bytes(frame->context, offset, to, length);
		return copy_payload_by_words(frame, offset, to, length);
	case HOOK_XDP_FRAGS:
		return bpf_xdp_load_bytes(frame->context, offset, to, length);
	case HOOK_TC_EGRESS:
		return bpf_skb_load_bytes(frame->context, offset, to, length);
	}
	return -1;
}

#endif
