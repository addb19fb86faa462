// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Shortcuts TCP between two processes of this machine: what one socket sends goes into the queue of the other,
 * past the whole TCP stack.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define AF_INET 2

/* A socket, as its own side sees it. Addresses in network byte order, ports in that of this machine. */
struct endpoints {
	__u32 local_address;
	__u32 remote_address;
	__u32 local_port;
	__u32 remote_port;
};

struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 16384);
	__type(key, struct endpoints);
	__type(value, __u64);
} sockets SEC(".maps");

__u64 connections;
__u64 redirected_messages;
__u64 redirected_bytes;

/* Both ends of a connection come by here, since both are sockets of the cgroup. */
SEC("sockops")
int remember_socket(struct bpf_sock_ops *operation)
{
	struct endpoints endpoints;

	if (operation->family != AF_INET)
		return 1;
	if (operation->op != BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB && operation->op != BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		return 1;
	endpoints = (struct endpoints){
		.local_address = operation->local_ip4,
		.remote_address = operation->remote_ip4,
		.local_port = operation->local_port,
		.remote_port = bpf_ntohl(operation->remote_port),
	};
	if (bpf_sock_hash_update(operation, &sockets, &endpoints, BPF_NOEXIST) == 0)
		__sync_fetch_and_add(&connections, operation->op == BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB);
	return 1;
}

SEC("sk_msg")
int send_to_peer(struct sk_msg_md *message)
{
	/* The other end's socket is the one whose local side is remote here. */
	struct endpoints peer = {
		.local_address = message->remote_ip4,
		.remote_address = message->local_ip4,
		.local_port = bpf_ntohl(message->remote_port),
		.remote_port = message->local_port,
	};

	if (message->family != AF_INET)
		return SK_PASS;
	/* A peer that is not in the map, on another machine say, is reached by TCP as ever: the verdict stays SK_PASS. */
	if (bpf_msg_redirect_hash(message, &sockets, &peer, BPF_F_INGRESS) != SK_PASS)
		return SK_PASS;
	__sync_fetch_and_add(&redirected_messages, 1);
	__sync_fetch_and_add(&redirected_bytes, message->size);
	return SK_PASS;
}

char _license[] SEC("license") = "Dual MIT/GPL";
