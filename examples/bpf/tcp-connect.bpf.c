// SPDX-License-Identifier: MIT OR GPL-2.0
/* Reports every TCP connection that this machine opens, or fails to, and how long it took. */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <ts_xdp/event.h>

#define AF_INET 2
#define AF_INET6 10

/* States of include/net/tcp_states.h, which is not for user space. */
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2

struct in6_addr {
	__u8 bytes[16];
};

struct sock_common {
	__u32 skc_daddr;
	__u32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
} __attribute__((preserve_access_index));

struct sock {
	struct sock_common __sk_common;
} __attribute__((preserve_access_index));

enum outcome {
	CONNECTED,
	FAILED,
};

struct connection {
	/* From the SYN to its answer, or to giving up. */
	__u64 nanoseconds;
	__u32 pid;
	enum outcome outcome;
	__u16 source_port;
	__u16 destination_port;
	/* Of the addresses: 4 for IPv4, 16 for IPv6. */
	__u8 address_length;
	__u8 source[16];
	__u8 destination[16];
	char command[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} connections SEC(".maps");

TS_XDP_EVENT(connections, struct connection);

/* What is known of a connection when its SYN goes out: later the process is not the one that runs. */
struct attempt {
	__u64 started;
	__u32 pid;
	char command[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct attempt);
} attempts SEC(".maps");

/* Connections that there was no room to report. */
__u64 lost;

static __always_inline void start(__u64 socket)
{
	struct attempt attempt = {
		.started = bpf_ktime_get_ns(),
		.pid = bpf_get_current_pid_tgid() >> 32,
	};

	bpf_get_current_comm(attempt.command, sizeof(attempt.command));
	bpf_map_update_elem(&attempts, &socket, &attempt, BPF_ANY);
}

static __always_inline void report(struct sock *socket, const struct attempt *attempt, enum outcome outcome)
{
	struct connection *connection = bpf_ringbuf_reserve(&connections, sizeof(*connection), 0);

	if (!connection) {
		__sync_fetch_and_add(&lost, 1);
		return;
	}
	__builtin_memset(connection, 0, sizeof(*connection));
	connection->nanoseconds = bpf_ktime_get_ns() - attempt->started;
	connection->pid = attempt->pid;
	connection->outcome = outcome;
	connection->source_port = socket->__sk_common.skc_num;
	connection->destination_port = bpf_ntohs(socket->__sk_common.skc_dport);
	__builtin_memcpy(connection->command, attempt->command, sizeof(connection->command));
	if (socket->__sk_common.skc_family == AF_INET) {
		connection->address_length = 4;
		__builtin_memcpy(connection->source, &socket->__sk_common.skc_rcv_saddr, 4);
		__builtin_memcpy(connection->destination, &socket->__sk_common.skc_daddr, 4);
	} else {
		connection->address_length = 16;
		BPF_CORE_READ_INTO(&connection->source, socket, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&connection->destination, socket, __sk_common.skc_v6_daddr);
	}
	bpf_ringbuf_submit(connection, 0);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *socket, int old_state, int new_state)
{
	__u16 family = socket->__sk_common.skc_family;
	__u64 key = (unsigned long)socket;
	struct attempt *attempt;

	if (family != AF_INET && family != AF_INET6)
		return 0;
	if (new_state == TCP_SYN_SENT) {
		start(key);
		return 0;
	}
	if (old_state != TCP_SYN_SENT)
		return 0;
	attempt = bpf_map_lookup_elem(&attempts, &key);
	if (!attempt)
		return 0;
	report(socket, attempt, new_state == TCP_ESTABLISHED ? CONNECTED : FAILED);
	bpf_map_delete_elem(&attempts, &key);
	return 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
