/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * Runs up to ten XDP programs, one after the other, on one interface: each takes the place of one of the functions
 * prog0 … prog9 (freplace). Names, configuration and version are those of libxdp's protocol, so that xdp-loader and
 * other users of libxdp find their way in it. The version is PROTOCOL_VERSION.
 */
#ifndef XDP_DISPATCHER_H
#define XDP_DISPATCHER_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define SLOTS 10
/* What an empty slot returns; its bit is set in every mask of actions that let the next program run. */
#define EMPTY_SLOT 31

struct xdp_dispatcher_config {
#if PROTOCOL_VERSION >= 2
	__u8 magic;
	__u8 dispatcher_version;
#endif
	__u8 num_progs_enabled;
#if PROTOCOL_VERSION >= 2
	__u8 is_xdp_frags;
#endif
	/* A bit for each XDP action after which the next program runs. */
	__u32 chain_call_actions[SLOTS];
	__u32 run_prios[SLOTS];
#if PROTOCOL_VERSION >= 2
	__u32 program_flags[SLOTS];
#endif
};

/* Written before loading: the verifier then sees constants, and drops the calls of slots that nobody uses. */
static volatile const struct xdp_dispatcher_config conf = {};

/*
 * A global function, verified by itself, for any result. Moving the tail by nothing marks it as one that changes packet
 * data: since 6.13, and in stable kernels before, a program that does may not replace a function that does not
 * (bpf_check_attach_target() in kernel/bpf/verifier.c).
 */
#define SLOT(name)                                                                                                     \
	__attribute__((noinline)) int name(struct xdp_md *ctx)                                                         \
	{                                                                                                              \
		volatile int result = EMPTY_SLOT;                                                                      \
                                                                                                                       \
		if (!ctx)                                                                                              \
			return XDP_ABORTED;                                                                            \
		bpf_xdp_adjust_tail(ctx, 0);                                                                           \
		return result;                                                                                         \
	}

SLOT(prog0)
SLOT(prog1)
SLOT(prog2)
SLOT(prog3)
SLOT(prog4)
SLOT(prog5)
SLOT(prog6)
SLOT(prog7)
SLOT(prog8)
SLOT(prog9)

/* libxdp replaces it to find out whether the kernel can. */
__attribute__((noinline)) int compat_test(struct xdp_md *ctx)
{
	volatile int result = EMPTY_SLOT;

	if (!ctx)
		return XDP_ABORTED;
	return result;
}

#define RUN(slot)                                                                                                      \
	do {                                                                                                           \
		if (used <= slot)                                                                                      \
			return XDP_PASS;                                                                               \
		action = prog##slot(ctx);                                                                              \
		if (!(1U << action & conf.chain_call_actions[slot]))                                                   \
			return action;                                                                                 \
	} while (0)

SEC("xdp")
int xdp_dispatcher(struct xdp_md *ctx)
{
	__u8 used = conf.num_progs_enabled;
	int action;

	RUN(0);
	RUN(1);
	RUN(2);
	RUN(3);
	RUN(4);
	RUN(5);
	RUN(6);
	RUN(7);
	RUN(8);
	RUN(9);
	/* Never: ten is the most that is used. It keeps the function from being left out. */
	if (used > SLOTS)
		compat_test(ctx);
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual MIT/GPL";
/* In BTF, as the length of an array. */
__uint(dispatcher_version, PROTOCOL_VERSION) SEC("xdp_metadata");

#endif
