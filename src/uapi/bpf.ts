// generated from Linux 7.2.13 by scripts/generate-uapi.ts; do not edit

import { array, at, be16, be32, bytes, chars, i16, i32, layout, u16, u32, u64, u8 } from '../binary/index.ts';
import type { StructValue } from '../binary/index.ts';

// linux/bpf.h

// enum bpf_cond_pseudo_jmp
export const BPF_MAY_GOTO = 0;

// enum
export const BPF_REG_0 = 0;
export const BPF_REG_1 = 1;
export const BPF_REG_2 = 2;
export const BPF_REG_3 = 3;
export const BPF_REG_4 = 4;
export const BPF_REG_5 = 5;
export const BPF_REG_6 = 6;
export const BPF_REG_7 = 7;
export const BPF_REG_8 = 8;
export const BPF_REG_9 = 9;
export const BPF_REG_10 = 10;

// enum bpf_cgroup_iter_order
export const BPF_CGROUP_ITER_ORDER_UNSPEC = 0;
export const BPF_CGROUP_ITER_SELF_ONLY = 1;
export const BPF_CGROUP_ITER_DESCENDANTS_PRE = 2;
export const BPF_CGROUP_ITER_DESCENDANTS_POST = 3;
export const BPF_CGROUP_ITER_ANCESTORS_UP = 4;
export const BPF_CGROUP_ITER_CHILDREN = 5;

// enum bpf_cmd
export const BPF_MAP_CREATE = 0;
export const BPF_MAP_LOOKUP_ELEM = 1;
export const BPF_MAP_UPDATE_ELEM = 2;
export const BPF_MAP_DELETE_ELEM = 3;
export const BPF_MAP_GET_NEXT_KEY = 4;
export const BPF_PROG_LOAD = 5;
export const BPF_OBJ_PIN = 6;
export const BPF_OBJ_GET = 7;
export const BPF_PROG_ATTACH = 8;
export const BPF_PROG_DETACH = 9;
export const BPF_PROG_TEST_RUN = 10;
export const BPF_PROG_RUN = 10;
export const BPF_PROG_GET_NEXT_ID = 11;
export const BPF_MAP_GET_NEXT_ID = 12;
export const BPF_PROG_GET_FD_BY_ID = 13;
export const BPF_MAP_GET_FD_BY_ID = 14;
export const BPF_OBJ_GET_INFO_BY_FD = 15;
export const BPF_PROG_QUERY = 16;
export const BPF_RAW_TRACEPOINT_OPEN = 17;
export const BPF_BTF_LOAD = 18;
export const BPF_BTF_GET_FD_BY_ID = 19;
export const BPF_TASK_FD_QUERY = 20;
export const BPF_MAP_LOOKUP_AND_DELETE_ELEM = 21;
export const BPF_MAP_FREEZE = 22;
export const BPF_BTF_GET_NEXT_ID = 23;
export const BPF_MAP_LOOKUP_BATCH = 24;
export const BPF_MAP_LOOKUP_AND_DELETE_BATCH = 25;
export const BPF_MAP_UPDATE_BATCH = 26;
export const BPF_MAP_DELETE_BATCH = 27;
export const BPF_LINK_CREATE = 28;
export const BPF_LINK_UPDATE = 29;
export const BPF_LINK_GET_FD_BY_ID = 30;
export const BPF_LINK_GET_NEXT_ID = 31;
export const BPF_ENABLE_STATS = 32;
export const BPF_ITER_CREATE = 33;
export const BPF_LINK_DETACH = 34;
export const BPF_PROG_BIND_MAP = 35;
export const BPF_TOKEN_CREATE = 36;
export const BPF_PROG_STREAM_READ_BY_FD = 37;
export const BPF_PROG_ASSOC_STRUCT_OPS = 38;
export const BPF_COMMON_ATTRS = 0x10000;

// enum bpf_map_type
export const BPF_MAP_TYPE_UNSPEC = 0;
export const BPF_MAP_TYPE_HASH = 1;
export const BPF_MAP_TYPE_ARRAY = 2;
export const BPF_MAP_TYPE_PROG_ARRAY = 3;
export const BPF_MAP_TYPE_PERF_EVENT_ARRAY = 4;
export const BPF_MAP_TYPE_PERCPU_HASH = 5;
export const BPF_MAP_TYPE_PERCPU_ARRAY = 6;
export const BPF_MAP_TYPE_STACK_TRACE = 7;
export const BPF_MAP_TYPE_CGROUP_ARRAY = 8;
export const BPF_MAP_TYPE_LRU_HASH = 9;
export const BPF_MAP_TYPE_LRU_PERCPU_HASH = 10;
export const BPF_MAP_TYPE_LPM_TRIE = 11;
export const BPF_MAP_TYPE_ARRAY_OF_MAPS = 12;
export const BPF_MAP_TYPE_HASH_OF_MAPS = 13;
export const BPF_MAP_TYPE_DEVMAP = 14;
export const BPF_MAP_TYPE_SOCKMAP = 15;
export const BPF_MAP_TYPE_CPUMAP = 16;
export const BPF_MAP_TYPE_XSKMAP = 17;
export const BPF_MAP_TYPE_SOCKHASH = 18;
export const BPF_MAP_TYPE_CGROUP_STORAGE_DEPRECATED = 19;
export const BPF_MAP_TYPE_CGROUP_STORAGE = 19;
export const BPF_MAP_TYPE_REUSEPORT_SOCKARRAY = 20;
export const BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE_DEPRECATED = 21;
export const BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE = 21;
export const BPF_MAP_TYPE_QUEUE = 22;
export const BPF_MAP_TYPE_STACK = 23;
export const BPF_MAP_TYPE_SK_STORAGE = 24;
export const BPF_MAP_TYPE_DEVMAP_HASH = 25;
export const BPF_MAP_TYPE_STRUCT_OPS = 26;
export const BPF_MAP_TYPE_RINGBUF = 27;
export const BPF_MAP_TYPE_INODE_STORAGE = 28;
export const BPF_MAP_TYPE_TASK_STORAGE = 29;
export const BPF_MAP_TYPE_BLOOM_FILTER = 30;
export const BPF_MAP_TYPE_USER_RINGBUF = 31;
export const BPF_MAP_TYPE_CGRP_STORAGE = 32;
export const BPF_MAP_TYPE_ARENA = 33;
export const BPF_MAP_TYPE_INSN_ARRAY = 34;
export const BPF_MAP_TYPE_RHASH = 35;

// enum bpf_prog_type
export const BPF_PROG_TYPE_UNSPEC = 0;
export const BPF_PROG_TYPE_SOCKET_FILTER = 1;
export const BPF_PROG_TYPE_KPROBE = 2;
export const BPF_PROG_TYPE_SCHED_CLS = 3;
export const BPF_PROG_TYPE_SCHED_ACT = 4;
export const BPF_PROG_TYPE_TRACEPOINT = 5;
export const BPF_PROG_TYPE_XDP = 6;
export const BPF_PROG_TYPE_PERF_EVENT = 7;
export const BPF_PROG_TYPE_CGROUP_SKB = 8;
export const BPF_PROG_TYPE_CGROUP_SOCK = 9;
export const BPF_PROG_TYPE_LWT_IN = 10;
export const BPF_PROG_TYPE_LWT_OUT = 11;
export const BPF_PROG_TYPE_LWT_XMIT = 12;
export const BPF_PROG_TYPE_SOCK_OPS = 13;
export const BPF_PROG_TYPE_SK_SKB = 14;
export const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
export const BPF_PROG_TYPE_SK_MSG = 16;
export const BPF_PROG_TYPE_RAW_TRACEPOINT = 17;
export const BPF_PROG_TYPE_CGROUP_SOCK_ADDR = 18;
export const BPF_PROG_TYPE_LWT_SEG6LOCAL = 19;
export const BPF_PROG_TYPE_LIRC_MODE2 = 20;
export const BPF_PROG_TYPE_SK_REUSEPORT = 21;
export const BPF_PROG_TYPE_FLOW_DISSECTOR = 22;
export const BPF_PROG_TYPE_CGROUP_SYSCTL = 23;
export const BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE = 24;
export const BPF_PROG_TYPE_CGROUP_SOCKOPT = 25;
export const BPF_PROG_TYPE_TRACING = 26;
export const BPF_PROG_TYPE_STRUCT_OPS = 27;
export const BPF_PROG_TYPE_EXT = 28;
export const BPF_PROG_TYPE_LSM = 29;
export const BPF_PROG_TYPE_SK_LOOKUP = 30;
export const BPF_PROG_TYPE_SYSCALL = 31;
export const BPF_PROG_TYPE_NETFILTER = 32;

// enum bpf_attach_type
export const BPF_CGROUP_INET_INGRESS = 0;
export const BPF_CGROUP_INET_EGRESS = 1;
export const BPF_CGROUP_INET_SOCK_CREATE = 2;
export const BPF_CGROUP_SOCK_OPS = 3;
export const BPF_SK_SKB_STREAM_PARSER = 4;
export const BPF_SK_SKB_STREAM_VERDICT = 5;
export const BPF_CGROUP_DEVICE = 6;
export const BPF_SK_MSG_VERDICT = 7;
export const BPF_CGROUP_INET4_BIND = 8;
export const BPF_CGROUP_INET6_BIND = 9;
export const BPF_CGROUP_INET4_CONNECT = 10;
export const BPF_CGROUP_INET6_CONNECT = 11;
export const BPF_CGROUP_INET4_POST_BIND = 12;
export const BPF_CGROUP_INET6_POST_BIND = 13;
export const BPF_CGROUP_UDP4_SENDMSG = 14;
export const BPF_CGROUP_UDP6_SENDMSG = 15;
export const BPF_LIRC_MODE2 = 16;
export const BPF_FLOW_DISSECTOR = 17;
export const BPF_CGROUP_SYSCTL = 18;
export const BPF_CGROUP_UDP4_RECVMSG = 19;
export const BPF_CGROUP_UDP6_RECVMSG = 20;
export const BPF_CGROUP_GETSOCKOPT = 21;
export const BPF_CGROUP_SETSOCKOPT = 22;
export const BPF_TRACE_RAW_TP = 23;
export const BPF_TRACE_FENTRY = 24;
export const BPF_TRACE_FEXIT = 25;
export const BPF_MODIFY_RETURN = 26;
export const BPF_LSM_MAC = 27;
export const BPF_TRACE_ITER = 28;
export const BPF_CGROUP_INET4_GETPEERNAME = 29;
export const BPF_CGROUP_INET6_GETPEERNAME = 30;
export const BPF_CGROUP_INET4_GETSOCKNAME = 31;
export const BPF_CGROUP_INET6_GETSOCKNAME = 32;
export const BPF_XDP_DEVMAP = 33;
export const BPF_CGROUP_INET_SOCK_RELEASE = 34;
export const BPF_XDP_CPUMAP = 35;
export const BPF_SK_LOOKUP = 36;
export const BPF_XDP = 37;
export const BPF_SK_SKB_VERDICT = 38;
export const BPF_SK_REUSEPORT_SELECT = 39;
export const BPF_SK_REUSEPORT_SELECT_OR_MIGRATE = 40;
export const BPF_PERF_EVENT = 41;
export const BPF_TRACE_KPROBE_MULTI = 42;
export const BPF_LSM_CGROUP = 43;
export const BPF_STRUCT_OPS = 44;
export const BPF_NETFILTER = 45;
export const BPF_TCX_INGRESS = 46;
export const BPF_TCX_EGRESS = 47;
export const BPF_TRACE_UPROBE_MULTI = 48;
export const BPF_CGROUP_UNIX_CONNECT = 49;
export const BPF_CGROUP_UNIX_SENDMSG = 50;
export const BPF_CGROUP_UNIX_RECVMSG = 51;
export const BPF_CGROUP_UNIX_GETPEERNAME = 52;
export const BPF_CGROUP_UNIX_GETSOCKNAME = 53;
export const BPF_NETKIT_PRIMARY = 54;
export const BPF_NETKIT_PEER = 55;
export const BPF_TRACE_KPROBE_SESSION = 56;
export const BPF_TRACE_UPROBE_SESSION = 57;
export const BPF_TRACE_FSESSION = 58;
export const BPF_TRACE_FENTRY_MULTI = 59;
export const BPF_TRACE_FEXIT_MULTI = 60;
export const BPF_TRACE_FSESSION_MULTI = 61;

// enum bpf_link_type
export const BPF_LINK_TYPE_UNSPEC = 0;
export const BPF_LINK_TYPE_RAW_TRACEPOINT = 1;
export const BPF_LINK_TYPE_TRACING = 2;
export const BPF_LINK_TYPE_CGROUP = 3;
export const BPF_LINK_TYPE_ITER = 4;
export const BPF_LINK_TYPE_NETNS = 5;
export const BPF_LINK_TYPE_XDP = 6;
export const BPF_LINK_TYPE_PERF_EVENT = 7;
export const BPF_LINK_TYPE_KPROBE_MULTI = 8;
export const BPF_LINK_TYPE_STRUCT_OPS = 9;
export const BPF_LINK_TYPE_NETFILTER = 10;
export const BPF_LINK_TYPE_TCX = 11;
export const BPF_LINK_TYPE_UPROBE_MULTI = 12;
export const BPF_LINK_TYPE_NETKIT = 13;
export const BPF_LINK_TYPE_SOCKMAP = 14;
export const BPF_LINK_TYPE_TRACING_MULTI = 15;

// enum bpf_perf_event_type
export const BPF_PERF_EVENT_UNSPEC = 0;
export const BPF_PERF_EVENT_UPROBE = 1;
export const BPF_PERF_EVENT_URETPROBE = 2;
export const BPF_PERF_EVENT_KPROBE = 3;
export const BPF_PERF_EVENT_KRETPROBE = 4;
export const BPF_PERF_EVENT_TRACEPOINT = 5;
export const BPF_PERF_EVENT_EVENT = 6;

// enum
export const BPF_F_KPROBE_MULTI_RETURN = 1;
export const BPF_F_UPROBE_MULTI_RETURN = 1;
export const BPF_F_UPROBE_MULTI_PATH_FD = 2;

// enum bpf_addr_space_cast
export const BPF_ADDR_SPACE_CAST = 1;

// enum
export const BPF_ANY = 0;
export const BPF_NOEXIST = 1;
export const BPF_EXIST = 2;
export const BPF_F_LOCK = 4;
export const BPF_F_CPU = 8;
export const BPF_F_ALL_CPUS = 16;
export const BPF_F_NO_PREALLOC = 1;
export const BPF_F_NO_COMMON_LRU = 2;
export const BPF_F_NUMA_NODE = 4;
export const BPF_F_RDONLY = 8;
export const BPF_F_WRONLY = 0x10;
export const BPF_F_STACK_BUILD_ID = 0x20;
export const BPF_F_ZERO_SEED = 0x40;
export const BPF_F_RDONLY_PROG = 0x80;
export const BPF_F_WRONLY_PROG = 0x100;
export const BPF_F_CLONE = 0x200;
export const BPF_F_MMAPABLE = 0x400;
export const BPF_F_PRESERVE_ELEMS = 0x800;
export const BPF_F_INNER_MAP = 0x1000;
export const BPF_F_LINK = 0x2000;
export const BPF_F_PATH_FD = 0x4000;
export const BPF_F_VTYPE_BTF_OBJ_FD = 0x8000;
export const BPF_F_TOKEN_FD = 0x10000;
export const BPF_F_SEGV_ON_FAULT = 0x20000;
export const BPF_F_NO_USER_CONV = 0x40000;
export const BPF_F_RB_OVERWRITE = 0x80000;

// enum bpf_stats_type
export const BPF_STATS_RUN_TIME = 0;

// enum bpf_stack_build_id_status
export const BPF_STACK_BUILD_ID_EMPTY = 0;
export const BPF_STACK_BUILD_ID_VALID = 1;
export const BPF_STACK_BUILD_ID_IP = 2;

// enum
export const BPF_STREAM_STDOUT = 1;
export const BPF_STREAM_STDERR = 2;

// enum bpf_func_id
export const BPF_FUNC_unspec = 0;
export const BPF_FUNC_map_lookup_elem = 1;
export const BPF_FUNC_map_update_elem = 2;
export const BPF_FUNC_map_delete_elem = 3;
export const BPF_FUNC_probe_read = 4;
export const BPF_FUNC_ktime_get_ns = 5;
export const BPF_FUNC_trace_printk = 6;
export const BPF_FUNC_get_prandom_u32 = 7;
export const BPF_FUNC_get_smp_processor_id = 8;
export const BPF_FUNC_skb_store_bytes = 9;
export const BPF_FUNC_l3_csum_replace = 10;
export const BPF_FUNC_l4_csum_replace = 11;
export const BPF_FUNC_tail_call = 12;
export const BPF_FUNC_clone_redirect = 13;
export const BPF_FUNC_get_current_pid_tgid = 14;
export const BPF_FUNC_get_current_uid_gid = 15;
export const BPF_FUNC_get_current_comm = 16;
export const BPF_FUNC_get_cgroup_classid = 17;
export const BPF_FUNC_skb_vlan_push = 18;
export const BPF_FUNC_skb_vlan_pop = 19;
export const BPF_FUNC_skb_get_tunnel_key = 20;
export const BPF_FUNC_skb_set_tunnel_key = 21;
export const BPF_FUNC_perf_event_read = 22;
export const BPF_FUNC_redirect = 23;
export const BPF_FUNC_get_route_realm = 24;
export const BPF_FUNC_perf_event_output = 25;
export const BPF_FUNC_skb_load_bytes = 26;
export const BPF_FUNC_get_stackid = 27;
export const BPF_FUNC_csum_diff = 28;
export const BPF_FUNC_skb_get_tunnel_opt = 29;
export const BPF_FUNC_skb_set_tunnel_opt = 30;
export const BPF_FUNC_skb_change_proto = 31;
export const BPF_FUNC_skb_change_type = 32;
export const BPF_FUNC_skb_under_cgroup = 33;
export const BPF_FUNC_get_hash_recalc = 34;
export const BPF_FUNC_get_current_task = 35;
export const BPF_FUNC_probe_write_user = 36;
export const BPF_FUNC_current_task_under_cgroup = 37;
export const BPF_FUNC_skb_change_tail = 38;
export const BPF_FUNC_skb_pull_data = 39;
export const BPF_FUNC_csum_update = 40;
export const BPF_FUNC_set_hash_invalid = 41;
export const BPF_FUNC_get_numa_node_id = 42;
export const BPF_FUNC_skb_change_head = 43;
export const BPF_FUNC_xdp_adjust_head = 44;
export const BPF_FUNC_probe_read_str = 45;
export const BPF_FUNC_get_socket_cookie = 46;
export const BPF_FUNC_get_socket_uid = 47;
export const BPF_FUNC_set_hash = 48;
export const BPF_FUNC_setsockopt = 49;
export const BPF_FUNC_skb_adjust_room = 50;
export const BPF_FUNC_redirect_map = 51;
export const BPF_FUNC_sk_redirect_map = 52;
export const BPF_FUNC_sock_map_update = 53;
export const BPF_FUNC_xdp_adjust_meta = 54;
export const BPF_FUNC_perf_event_read_value = 55;
export const BPF_FUNC_perf_prog_read_value = 56;
export const BPF_FUNC_getsockopt = 57;
export const BPF_FUNC_override_return = 58;
export const BPF_FUNC_sock_ops_cb_flags_set = 59;
export const BPF_FUNC_msg_redirect_map = 60;
export const BPF_FUNC_msg_apply_bytes = 61;
export const BPF_FUNC_msg_cork_bytes = 62;
export const BPF_FUNC_msg_pull_data = 63;
export const BPF_FUNC_bind = 64;
export const BPF_FUNC_xdp_adjust_tail = 65;
export const BPF_FUNC_skb_get_xfrm_state = 66;
export const BPF_FUNC_get_stack = 67;
export const BPF_FUNC_skb_load_bytes_relative = 68;
export const BPF_FUNC_fib_lookup = 69;
export const BPF_FUNC_sock_hash_update = 70;
export const BPF_FUNC_msg_redirect_hash = 71;
export const BPF_FUNC_sk_redirect_hash = 72;
export const BPF_FUNC_lwt_push_encap = 73;
export const BPF_FUNC_lwt_seg6_store_bytes = 74;
export const BPF_FUNC_lwt_seg6_adjust_srh = 75;
export const BPF_FUNC_lwt_seg6_action = 76;
export const BPF_FUNC_rc_repeat = 77;
export const BPF_FUNC_rc_keydown = 78;
export const BPF_FUNC_skb_cgroup_id = 79;
export const BPF_FUNC_get_current_cgroup_id = 80;
export const BPF_FUNC_get_local_storage = 81;
export const BPF_FUNC_sk_select_reuseport = 82;
export const BPF_FUNC_skb_ancestor_cgroup_id = 83;
export const BPF_FUNC_sk_lookup_tcp = 84;
export const BPF_FUNC_sk_lookup_udp = 85;
export const BPF_FUNC_sk_release = 86;
export const BPF_FUNC_map_push_elem = 87;
export const BPF_FUNC_map_pop_elem = 88;
export const BPF_FUNC_map_peek_elem = 89;
export const BPF_FUNC_msg_push_data = 90;
export const BPF_FUNC_msg_pop_data = 91;
export const BPF_FUNC_rc_pointer_rel = 92;
export const BPF_FUNC_spin_lock = 93;
export const BPF_FUNC_spin_unlock = 94;
export const BPF_FUNC_sk_fullsock = 95;
export const BPF_FUNC_tcp_sock = 96;
export const BPF_FUNC_skb_ecn_set_ce = 97;
export const BPF_FUNC_get_listener_sock = 98;
export const BPF_FUNC_skc_lookup_tcp = 99;
export const BPF_FUNC_tcp_check_syncookie = 100;
export const BPF_FUNC_sysctl_get_name = 101;
export const BPF_FUNC_sysctl_get_current_value = 102;
export const BPF_FUNC_sysctl_get_new_value = 103;
export const BPF_FUNC_sysctl_set_new_value = 104;
export const BPF_FUNC_strtol = 105;
export const BPF_FUNC_strtoul = 106;
export const BPF_FUNC_sk_storage_get = 107;
export const BPF_FUNC_sk_storage_delete = 108;
export const BPF_FUNC_send_signal = 109;
export const BPF_FUNC_tcp_gen_syncookie = 110;
export const BPF_FUNC_skb_output = 111;
export const BPF_FUNC_probe_read_user = 112;
export const BPF_FUNC_probe_read_kernel = 113;
export const BPF_FUNC_probe_read_user_str = 114;
export const BPF_FUNC_probe_read_kernel_str = 115;
export const BPF_FUNC_tcp_send_ack = 116;
export const BPF_FUNC_send_signal_thread = 117;
export const BPF_FUNC_jiffies64 = 118;
export const BPF_FUNC_read_branch_records = 119;
export const BPF_FUNC_get_ns_current_pid_tgid = 120;
export const BPF_FUNC_xdp_output = 121;
export const BPF_FUNC_get_netns_cookie = 122;
export const BPF_FUNC_get_current_ancestor_cgroup_id = 123;
export const BPF_FUNC_sk_assign = 124;
export const BPF_FUNC_ktime_get_boot_ns = 125;
export const BPF_FUNC_seq_printf = 126;
export const BPF_FUNC_seq_write = 127;
export const BPF_FUNC_sk_cgroup_id = 128;
export const BPF_FUNC_sk_ancestor_cgroup_id = 129;
export const BPF_FUNC_ringbuf_output = 130;
export const BPF_FUNC_ringbuf_reserve = 131;
export const BPF_FUNC_ringbuf_submit = 132;
export const BPF_FUNC_ringbuf_discard = 133;
export const BPF_FUNC_ringbuf_query = 134;
export const BPF_FUNC_csum_level = 135;
export const BPF_FUNC_skc_to_tcp6_sock = 136;
export const BPF_FUNC_skc_to_tcp_sock = 137;
export const BPF_FUNC_skc_to_tcp_timewait_sock = 138;
export const BPF_FUNC_skc_to_tcp_request_sock = 139;
export const BPF_FUNC_skc_to_udp6_sock = 140;
export const BPF_FUNC_get_task_stack = 141;
export const BPF_FUNC_load_hdr_opt = 142;
export const BPF_FUNC_store_hdr_opt = 143;
export const BPF_FUNC_reserve_hdr_opt = 144;
export const BPF_FUNC_inode_storage_get = 145;
export const BPF_FUNC_inode_storage_delete = 146;
export const BPF_FUNC_d_path = 147;
export const BPF_FUNC_copy_from_user = 148;
export const BPF_FUNC_snprintf_btf = 149;
export const BPF_FUNC_seq_printf_btf = 150;
export const BPF_FUNC_skb_cgroup_classid = 151;
export const BPF_FUNC_redirect_neigh = 152;
export const BPF_FUNC_per_cpu_ptr = 153;
export const BPF_FUNC_this_cpu_ptr = 154;
export const BPF_FUNC_redirect_peer = 155;
export const BPF_FUNC_task_storage_get = 156;
export const BPF_FUNC_task_storage_delete = 157;
export const BPF_FUNC_get_current_task_btf = 158;
export const BPF_FUNC_bprm_opts_set = 159;
export const BPF_FUNC_ktime_get_coarse_ns = 160;
export const BPF_FUNC_ima_inode_hash = 161;
export const BPF_FUNC_sock_from_file = 162;
export const BPF_FUNC_check_mtu = 163;
export const BPF_FUNC_for_each_map_elem = 164;
export const BPF_FUNC_snprintf = 165;
export const BPF_FUNC_sys_bpf = 166;
export const BPF_FUNC_btf_find_by_name_kind = 167;
export const BPF_FUNC_sys_close = 168;
export const BPF_FUNC_timer_init = 169;
export const BPF_FUNC_timer_set_callback = 170;
export const BPF_FUNC_timer_start = 171;
export const BPF_FUNC_timer_cancel = 172;
export const BPF_FUNC_get_func_ip = 173;
export const BPF_FUNC_get_attach_cookie = 174;
export const BPF_FUNC_task_pt_regs = 175;
export const BPF_FUNC_get_branch_snapshot = 176;
export const BPF_FUNC_trace_vprintk = 177;
export const BPF_FUNC_skc_to_unix_sock = 178;
export const BPF_FUNC_kallsyms_lookup_name = 179;
export const BPF_FUNC_find_vma = 180;
export const BPF_FUNC_loop = 181;
export const BPF_FUNC_strncmp = 182;
export const BPF_FUNC_get_func_arg = 183;
export const BPF_FUNC_get_func_ret = 184;
export const BPF_FUNC_get_func_arg_cnt = 185;
export const BPF_FUNC_get_retval = 186;
export const BPF_FUNC_set_retval = 187;
export const BPF_FUNC_xdp_get_buff_len = 188;
export const BPF_FUNC_xdp_load_bytes = 189;
export const BPF_FUNC_xdp_store_bytes = 190;
export const BPF_FUNC_copy_from_user_task = 191;
export const BPF_FUNC_skb_set_tstamp = 192;
export const BPF_FUNC_ima_file_hash = 193;
export const BPF_FUNC_kptr_xchg = 194;
export const BPF_FUNC_map_lookup_percpu_elem = 195;
export const BPF_FUNC_skc_to_mptcp_sock = 196;
export const BPF_FUNC_dynptr_from_mem = 197;
export const BPF_FUNC_ringbuf_reserve_dynptr = 198;
export const BPF_FUNC_ringbuf_submit_dynptr = 199;
export const BPF_FUNC_ringbuf_discard_dynptr = 200;
export const BPF_FUNC_dynptr_read = 201;
export const BPF_FUNC_dynptr_write = 202;
export const BPF_FUNC_dynptr_data = 203;
export const BPF_FUNC_tcp_raw_gen_syncookie_ipv4 = 204;
export const BPF_FUNC_tcp_raw_gen_syncookie_ipv6 = 205;
export const BPF_FUNC_tcp_raw_check_syncookie_ipv4 = 206;
export const BPF_FUNC_tcp_raw_check_syncookie_ipv6 = 207;
export const BPF_FUNC_ktime_get_tai_ns = 208;
export const BPF_FUNC_user_ringbuf_drain = 209;
export const BPF_FUNC_cgrp_storage_get = 210;
export const BPF_FUNC_cgrp_storage_delete = 211;

// enum
export const BPF_F_RECOMPUTE_CSUM = 1;
export const BPF_F_INVALIDATE_HASH = 2;
export const BPF_F_HDR_FIELD_MASK = 0xf;
export const BPF_F_PSEUDO_HDR = 0x10;
export const BPF_F_MARK_MANGLED_0 = 0x20;
export const BPF_F_MARK_ENFORCE = 0x40;
export const BPF_F_IPV6 = 0x80;
export const BPF_F_TUNINFO_IPV6 = 1;
export const BPF_F_SKIP_FIELD_MASK = 0xff;
export const BPF_F_USER_STACK = 0x100;
export const BPF_F_FAST_STACK_CMP = 0x200;
export const BPF_F_REUSE_STACKID = 0x400;
export const BPF_F_USER_BUILD_ID = 0x800;
export const BPF_F_ZERO_CSUM_TX = 2;
export const BPF_F_DONT_FRAGMENT = 4;
export const BPF_F_SEQ_NUMBER = 8;
export const BPF_F_NO_TUNNEL_KEY = 0x10;
export const BPF_F_TUNINFO_FLAGS = 0x10;
export const BPF_F_INDEX_MASK = 0xffffffff;
export const BPF_F_CURRENT_CPU = 4294967295;
export const BPF_F_CTXLEN_MASK = 0xfffff00000000;
export const BPF_F_CURRENT_NETNS = -1;
export const BPF_CSUM_LEVEL_QUERY = 0;
export const BPF_CSUM_LEVEL_INC = 1;
export const BPF_CSUM_LEVEL_DEC = 2;
export const BPF_CSUM_LEVEL_RESET = 3;
export const BPF_F_ADJ_ROOM_FIXED_GSO = 1;
export const BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 = 2;
export const BPF_F_ADJ_ROOM_ENCAP_L3_IPV6 = 4;
export const BPF_F_ADJ_ROOM_ENCAP_L4_GRE = 8;
export const BPF_F_ADJ_ROOM_ENCAP_L4_UDP = 0x10;
export const BPF_F_ADJ_ROOM_NO_CSUM_RESET = 0x20;
export const BPF_F_ADJ_ROOM_ENCAP_L2_ETH = 0x40;
export const BPF_F_ADJ_ROOM_DECAP_L3_IPV4 = 0x80;
export const BPF_F_ADJ_ROOM_DECAP_L3_IPV6 = 0x100;
export const BPF_ADJ_ROOM_ENCAP_L2_MASK = 0xff;
export const BPF_ADJ_ROOM_ENCAP_L2_SHIFT = 56;
export const BPF_F_SYSCTL_BASE_NAME = 1;
export const BPF_LOCAL_STORAGE_GET_F_CREATE = 1;
export const BPF_SK_STORAGE_GET_F_CREATE = 1;
export const BPF_F_GET_BRANCH_RECORDS_SIZE = 1;
export const BPF_RB_NO_WAKEUP = 1;
export const BPF_RB_FORCE_WAKEUP = 2;
export const BPF_RB_AVAIL_DATA = 0;
export const BPF_RB_RING_SIZE = 1;
export const BPF_RB_CONS_POS = 2;
export const BPF_RB_PROD_POS = 3;
export const BPF_RB_OVERWRITE_POS = 4;
export const BPF_RINGBUF_BUSY_BIT = 0x80000000;
export const BPF_RINGBUF_DISCARD_BIT = 0x40000000;
export const BPF_RINGBUF_HDR_SZ = 8;
export const BPF_SK_LOOKUP_F_REPLACE = 1;
export const BPF_SK_LOOKUP_F_NO_REUSEPORT = 2;

// enum bpf_adj_room_mode
export const BPF_ADJ_ROOM_NET = 0;
export const BPF_ADJ_ROOM_MAC = 1;

// enum bpf_hdr_start_off
export const BPF_HDR_START_MAC = 0;
export const BPF_HDR_START_NET = 1;

// enum bpf_lwt_encap_mode
export const BPF_LWT_ENCAP_SEG6 = 0;
export const BPF_LWT_ENCAP_SEG6_INLINE = 1;
export const BPF_LWT_ENCAP_IP = 2;

// enum
export const BPF_F_BPRM_SECUREEXEC = 1;
export const BPF_F_INGRESS = 1;
export const BPF_F_BROADCAST = 8;
export const BPF_F_EXCLUDE_INGRESS = 0x10;
export const BPF_SKB_TSTAMP_UNSPEC = 0;
export const BPF_SKB_TSTAMP_DELIVERY_MONO = 1;
export const BPF_SKB_CLOCK_REALTIME = 0;
export const BPF_SKB_CLOCK_MONOTONIC = 1;
export const BPF_SKB_CLOCK_TAI = 2;

// enum bpf_ret_code
export const BPF_OK = 0;
export const BPF_DROP = 2;
export const BPF_REDIRECT = 7;
export const BPF_LWT_REROUTE = 128;
export const BPF_FLOW_DISSECTOR_CONTINUE = 129;

// enum tcx_action_base
export const TCX_NEXT = -1;
export const TCX_PASS = 0;
export const TCX_DROP = 2;
export const TCX_REDIRECT = 7;

// enum xdp_action
export const XDP_ABORTED = 0;
export const XDP_DROP = 1;
export const XDP_PASS = 2;
export const XDP_TX = 3;
export const XDP_REDIRECT = 4;

// enum sk_action
export const SK_DROP = 0;
export const SK_PASS = 1;

// enum
export const BPF_SOCK_OPS_RTO_CB_FLAG = 1;
export const BPF_SOCK_OPS_RETRANS_CB_FLAG = 2;
export const BPF_SOCK_OPS_STATE_CB_FLAG = 4;
export const BPF_SOCK_OPS_RTT_CB_FLAG = 8;
export const BPF_SOCK_OPS_PARSE_ALL_HDR_OPT_CB_FLAG = 0x10;
export const BPF_SOCK_OPS_PARSE_UNKNOWN_HDR_OPT_CB_FLAG = 0x20;
export const BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG = 0x40;
export const BPF_SOCK_OPS_ALL_CB_FLAGS = 0x7f;
export const SK_BPF_CB_TX_TIMESTAMPING = 1;
export const SK_BPF_CB_MASK = 1;
export const BPF_SOCK_OPS_VOID = 0;
export const BPF_SOCK_OPS_TIMEOUT_INIT = 1;
export const BPF_SOCK_OPS_RWND_INIT = 2;
export const BPF_SOCK_OPS_TCP_CONNECT_CB = 3;
export const BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB = 4;
export const BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB = 5;
export const BPF_SOCK_OPS_NEEDS_ECN = 6;
export const BPF_SOCK_OPS_BASE_RTT = 7;
export const BPF_SOCK_OPS_RTO_CB = 8;
export const BPF_SOCK_OPS_RETRANS_CB = 9;
export const BPF_SOCK_OPS_STATE_CB = 10;
export const BPF_SOCK_OPS_TCP_LISTEN_CB = 11;
export const BPF_SOCK_OPS_RTT_CB = 12;
export const BPF_SOCK_OPS_PARSE_HDR_OPT_CB = 13;
export const BPF_SOCK_OPS_HDR_OPT_LEN_CB = 14;
export const BPF_SOCK_OPS_WRITE_HDR_OPT_CB = 15;
export const BPF_SOCK_OPS_TSTAMP_SCHED_CB = 16;
export const BPF_SOCK_OPS_TSTAMP_SND_SW_CB = 17;
export const BPF_SOCK_OPS_TSTAMP_SND_HW_CB = 18;
export const BPF_SOCK_OPS_TSTAMP_ACK_CB = 19;
export const BPF_SOCK_OPS_TSTAMP_SENDMSG_CB = 20;
export const BPF_TCP_ESTABLISHED = 1;
export const BPF_TCP_SYN_SENT = 2;
export const BPF_TCP_SYN_RECV = 3;
export const BPF_TCP_FIN_WAIT1 = 4;
export const BPF_TCP_FIN_WAIT2 = 5;
export const BPF_TCP_TIME_WAIT = 6;
export const BPF_TCP_CLOSE = 7;
export const BPF_TCP_CLOSE_WAIT = 8;
export const BPF_TCP_LAST_ACK = 9;
export const BPF_TCP_LISTEN = 10;
export const BPF_TCP_CLOSING = 11;
export const BPF_TCP_NEW_SYN_RECV = 12;
export const BPF_TCP_BOUND_INACTIVE = 13;
export const BPF_TCP_MAX_STATES = 14;
export const TCP_BPF_IW = 1001;
export const TCP_BPF_SNDCWND_CLAMP = 1002;
export const TCP_BPF_DELACK_MAX = 1003;
export const TCP_BPF_RTO_MIN = 1004;
export const TCP_BPF_SYN = 1005;
export const TCP_BPF_SYN_IP = 1006;
export const TCP_BPF_SYN_MAC = 1007;
export const TCP_BPF_SOCK_OPS_CB_FLAGS = 1008;
export const SK_BPF_CB_FLAGS = 1009;
export const SK_BPF_BYPASS_PROT_MEM = 1010;
export const BPF_LOAD_HDR_OPT_TCP_SYN = 1;
export const BPF_WRITE_HDR_TCP_CURRENT_MSS = 1;
export const BPF_WRITE_HDR_TCP_SYNACK_COOKIE = 2;
export const BPF_DEVCG_ACC_MKNOD = 1;
export const BPF_DEVCG_ACC_READ = 2;
export const BPF_DEVCG_ACC_WRITE = 4;
export const BPF_DEVCG_DEV_BLOCK = 1;
export const BPF_DEVCG_DEV_CHAR = 2;
export const BPF_FIB_LOOKUP_DIRECT = 1;
export const BPF_FIB_LOOKUP_OUTPUT = 2;
export const BPF_FIB_LOOKUP_SKIP_NEIGH = 4;
export const BPF_FIB_LOOKUP_TBID = 8;
export const BPF_FIB_LOOKUP_SRC = 0x10;
export const BPF_FIB_LOOKUP_MARK = 0x20;
export const BPF_FIB_LKUP_RET_SUCCESS = 0;
export const BPF_FIB_LKUP_RET_BLACKHOLE = 1;
export const BPF_FIB_LKUP_RET_UNREACHABLE = 2;
export const BPF_FIB_LKUP_RET_PROHIBIT = 3;
export const BPF_FIB_LKUP_RET_NOT_FWDED = 4;
export const BPF_FIB_LKUP_RET_FWD_DISABLED = 5;
export const BPF_FIB_LKUP_RET_UNSUPP_LWT = 6;
export const BPF_FIB_LKUP_RET_NO_NEIGH = 7;
export const BPF_FIB_LKUP_RET_FRAG_NEEDED = 8;
export const BPF_FIB_LKUP_RET_NO_SRC_ADDR = 9;

// enum bpf_check_mtu_flags
export const BPF_MTU_CHK_SEGS = 1;

// enum bpf_check_mtu_ret
export const BPF_MTU_CHK_RET_SUCCESS = 0;
export const BPF_MTU_CHK_RET_FRAG_NEEDED = 1;
export const BPF_MTU_CHK_RET_SEGS_TOOBIG = 2;

// enum bpf_task_fd_type
export const BPF_FD_TYPE_RAW_TRACEPOINT = 0;
export const BPF_FD_TYPE_TRACEPOINT = 1;
export const BPF_FD_TYPE_KPROBE = 2;
export const BPF_FD_TYPE_KRETPROBE = 3;
export const BPF_FD_TYPE_UPROBE = 4;
export const BPF_FD_TYPE_URETPROBE = 5;

// enum
export const BPF_FLOW_DISSECTOR_F_PARSE_1ST_FRAG = 1;
export const BPF_FLOW_DISSECTOR_F_STOP_AT_FLOW_LABEL = 2;
export const BPF_FLOW_DISSECTOR_F_STOP_AT_ENCAP = 4;
export const BTF_F_COMPACT = 1;
export const BTF_F_NONAME = 2;
export const BTF_F_PTR_RAW = 4;
export const BTF_F_ZERO = 8;

// enum bpf_core_relo_kind
export const BPF_CORE_FIELD_BYTE_OFFSET = 0;
export const BPF_CORE_FIELD_BYTE_SIZE = 1;
export const BPF_CORE_FIELD_EXISTS = 2;
export const BPF_CORE_FIELD_SIGNED = 3;
export const BPF_CORE_FIELD_LSHIFT_U64 = 4;
export const BPF_CORE_FIELD_RSHIFT_U64 = 5;
export const BPF_CORE_TYPE_ID_LOCAL = 6;
export const BPF_CORE_TYPE_ID_TARGET = 7;
export const BPF_CORE_TYPE_EXISTS = 8;
export const BPF_CORE_TYPE_SIZE = 9;
export const BPF_CORE_ENUMVAL_EXISTS = 10;
export const BPF_CORE_ENUMVAL_VALUE = 11;
export const BPF_CORE_TYPE_MATCHES = 12;

// enum
export const BPF_F_TIMER_ABS = 1;
export const BPF_F_TIMER_CPU_PIN = 2;

// enum bpf_kfunc_flags
export const BPF_F_PAD_ZEROS = 1;

// macros
export const BPF_JMP32 = 6;
export const BPF_ALU64 = 7;
export const BPF_DW = 0x18;
export const BPF_MEMSX = 0x80;
export const BPF_ATOMIC = 0xc0;
export const BPF_XADD = 0xc0;
export const BPF_MOV = 0xb0;
export const BPF_ARSH = 0xc0;
export const BPF_END = 0xd0;
export const BPF_TO_LE = 0;
export const BPF_TO_BE = 8;
export const BPF_FROM_LE = 0;
export const BPF_FROM_BE = 8;
export const BPF_JNE = 0x50;
export const BPF_JLT = 0xa0;
export const BPF_JLE = 0xb0;
export const BPF_JSGT = 0x60;
export const BPF_JSGE = 0x70;
export const BPF_JSLT = 0xc0;
export const BPF_JSLE = 0xd0;
export const BPF_JCOND = 0xe0;
export const BPF_CALL = 0x80;
export const BPF_EXIT = 0x90;
export const BPF_FETCH = 1;
export const BPF_XCHG = 0xe1;
export const BPF_CMPXCHG = 0xf1;
export const BPF_LOAD_ACQ = 0x100;
export const BPF_STORE_REL = 0x110;
export const MAX_BPF_REG = 11;
export const MAX_BPF_ATTACH_TYPE = 62;
export const MAX_BPF_LINK_TYPE = 16;
export const BPF_F_ALLOW_OVERRIDE = 1;
export const BPF_F_ALLOW_MULTI = 2;
export const BPF_F_REPLACE = 4;
export const BPF_F_BEFORE = 8;
export const BPF_F_AFTER = 0x10;
export const BPF_F_ID = 0x20;
export const BPF_F_PREORDER = 0x40;
export const BPF_F_STRICT_ALIGNMENT = 1;
export const BPF_F_ANY_ALIGNMENT = 2;
export const BPF_F_TEST_RND_HI32 = 4;
export const BPF_F_TEST_STATE_FREQ = 8;
export const BPF_F_SLEEPABLE = 0x10;
export const BPF_F_XDP_HAS_FRAGS = 0x20;
export const BPF_F_XDP_DEV_BOUND_ONLY = 0x40;
export const BPF_F_TEST_REG_INVARIANTS = 0x80;
export const BPF_F_NETFILTER_IP_DEFRAG = 1;
export const BPF_PSEUDO_MAP_FD = 1;
export const BPF_PSEUDO_MAP_IDX = 5;
export const BPF_PSEUDO_MAP_VALUE = 2;
export const BPF_PSEUDO_MAP_IDX_VALUE = 6;
export const BPF_PSEUDO_BTF_ID = 3;
export const BPF_PSEUDO_FUNC = 4;
export const BPF_PSEUDO_CALL = 1;
export const BPF_PSEUDO_KFUNC_CALL = 2;
export const BPF_F_QUERY_EFFECTIVE = 1;
export const BPF_F_TEST_RUN_ON_CPU = 1;
export const BPF_F_TEST_XDP_LIVE_FRAMES = 2;
export const BPF_F_TEST_SKB_CHECKSUM_COMPLETE = 4;
export const BPF_BUILD_ID_SIZE = 20;
export const BPF_OBJ_NAME_LEN = 16;
export const BPF_F_REDIRECT_FLAGS = 25;
export const XDP_PACKET_HEADROOM = 256;
export const BPF_TAG_SIZE = 8;

export function enum_bpf_map_type(): Readonly<Record<string, number>> {
  return {
    BPF_MAP_TYPE_UNSPEC,
    BPF_MAP_TYPE_HASH,
    BPF_MAP_TYPE_ARRAY,
    BPF_MAP_TYPE_PROG_ARRAY,
    BPF_MAP_TYPE_PERF_EVENT_ARRAY,
    BPF_MAP_TYPE_PERCPU_HASH,
    BPF_MAP_TYPE_PERCPU_ARRAY,
    BPF_MAP_TYPE_STACK_TRACE,
    BPF_MAP_TYPE_CGROUP_ARRAY,
    BPF_MAP_TYPE_LRU_HASH,
    BPF_MAP_TYPE_LRU_PERCPU_HASH,
    BPF_MAP_TYPE_LPM_TRIE,
    BPF_MAP_TYPE_ARRAY_OF_MAPS,
    BPF_MAP_TYPE_HASH_OF_MAPS,
    BPF_MAP_TYPE_DEVMAP,
    BPF_MAP_TYPE_SOCKMAP,
    BPF_MAP_TYPE_CPUMAP,
    BPF_MAP_TYPE_XSKMAP,
    BPF_MAP_TYPE_SOCKHASH,
    BPF_MAP_TYPE_CGROUP_STORAGE_DEPRECATED,
    BPF_MAP_TYPE_CGROUP_STORAGE,
    BPF_MAP_TYPE_REUSEPORT_SOCKARRAY,
    BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE_DEPRECATED,
    BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE,
    BPF_MAP_TYPE_QUEUE,
    BPF_MAP_TYPE_STACK,
    BPF_MAP_TYPE_SK_STORAGE,
    BPF_MAP_TYPE_DEVMAP_HASH,
    BPF_MAP_TYPE_STRUCT_OPS,
    BPF_MAP_TYPE_RINGBUF,
    BPF_MAP_TYPE_INODE_STORAGE,
    BPF_MAP_TYPE_TASK_STORAGE,
    BPF_MAP_TYPE_BLOOM_FILTER,
    BPF_MAP_TYPE_USER_RINGBUF,
    BPF_MAP_TYPE_CGRP_STORAGE,
    BPF_MAP_TYPE_ARENA,
    BPF_MAP_TYPE_INSN_ARRAY,
    BPF_MAP_TYPE_RHASH,
  };
}

export function enum_bpf_prog_type(): Readonly<Record<string, number>> {
  return {
    BPF_PROG_TYPE_UNSPEC,
    BPF_PROG_TYPE_SOCKET_FILTER,
    BPF_PROG_TYPE_KPROBE,
    BPF_PROG_TYPE_SCHED_CLS,
    BPF_PROG_TYPE_SCHED_ACT,
    BPF_PROG_TYPE_TRACEPOINT,
    BPF_PROG_TYPE_XDP,
    BPF_PROG_TYPE_PERF_EVENT,
    BPF_PROG_TYPE_CGROUP_SKB,
    BPF_PROG_TYPE_CGROUP_SOCK,
    BPF_PROG_TYPE_LWT_IN,
    BPF_PROG_TYPE_LWT_OUT,
    BPF_PROG_TYPE_LWT_XMIT,
    BPF_PROG_TYPE_SOCK_OPS,
    BPF_PROG_TYPE_SK_SKB,
    BPF_PROG_TYPE_CGROUP_DEVICE,
    BPF_PROG_TYPE_SK_MSG,
    BPF_PROG_TYPE_RAW_TRACEPOINT,
    BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
    BPF_PROG_TYPE_LWT_SEG6LOCAL,
    BPF_PROG_TYPE_LIRC_MODE2,
    BPF_PROG_TYPE_SK_REUSEPORT,
    BPF_PROG_TYPE_FLOW_DISSECTOR,
    BPF_PROG_TYPE_CGROUP_SYSCTL,
    BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE,
    BPF_PROG_TYPE_CGROUP_SOCKOPT,
    BPF_PROG_TYPE_TRACING,
    BPF_PROG_TYPE_STRUCT_OPS,
    BPF_PROG_TYPE_EXT,
    BPF_PROG_TYPE_LSM,
    BPF_PROG_TYPE_SK_LOOKUP,
    BPF_PROG_TYPE_SYSCALL,
    BPF_PROG_TYPE_NETFILTER,
  };
}

export function enum_bpf_func_id(): Readonly<Record<string, number>> {
  return {
    BPF_FUNC_unspec,
    BPF_FUNC_map_lookup_elem,
    BPF_FUNC_map_update_elem,
    BPF_FUNC_map_delete_elem,
    BPF_FUNC_probe_read,
    BPF_FUNC_ktime_get_ns,
    BPF_FUNC_trace_printk,
    BPF_FUNC_get_prandom_u32,
    BPF_FUNC_get_smp_processor_id,
    BPF_FUNC_skb_store_bytes,
    BPF_FUNC_l3_csum_replace,
    BPF_FUNC_l4_csum_replace,
    BPF_FUNC_tail_call,
    BPF_FUNC_clone_redirect,
    BPF_FUNC_get_current_pid_tgid,
    BPF_FUNC_get_current_uid_gid,
    BPF_FUNC_get_current_comm,
    BPF_FUNC_get_cgroup_classid,
    BPF_FUNC_skb_vlan_push,
    BPF_FUNC_skb_vlan_pop,
    BPF_FUNC_skb_get_tunnel_key,
    BPF_FUNC_skb_set_tunnel_key,
    BPF_FUNC_perf_event_read,
    BPF_FUNC_redirect,
    BPF_FUNC_get_route_realm,
    BPF_FUNC_perf_event_output,
    BPF_FUNC_skb_load_bytes,
    BPF_FUNC_get_stackid,
    BPF_FUNC_csum_diff,
    BPF_FUNC_skb_get_tunnel_opt,
    BPF_FUNC_skb_set_tunnel_opt,
    BPF_FUNC_skb_change_proto,
    BPF_FUNC_skb_change_type,
    BPF_FUNC_skb_under_cgroup,
    BPF_FUNC_get_hash_recalc,
    BPF_FUNC_get_current_task,
    BPF_FUNC_probe_write_user,
    BPF_FUNC_current_task_under_cgroup,
    BPF_FUNC_skb_change_tail,
    BPF_FUNC_skb_pull_data,
    BPF_FUNC_csum_update,
    BPF_FUNC_set_hash_invalid,
    BPF_FUNC_get_numa_node_id,
    BPF_FUNC_skb_change_head,
    BPF_FUNC_xdp_adjust_head,
    BPF_FUNC_probe_read_str,
    BPF_FUNC_get_socket_cookie,
    BPF_FUNC_get_socket_uid,
    BPF_FUNC_set_hash,
    BPF_FUNC_setsockopt,
    BPF_FUNC_skb_adjust_room,
    BPF_FUNC_redirect_map,
    BPF_FUNC_sk_redirect_map,
    BPF_FUNC_sock_map_update,
    BPF_FUNC_xdp_adjust_meta,
    BPF_FUNC_perf_event_read_value,
    BPF_FUNC_perf_prog_read_value,
    BPF_FUNC_getsockopt,
    BPF_FUNC_override_return,
    BPF_FUNC_sock_ops_cb_flags_set,
    BPF_FUNC_msg_redirect_map,
    BPF_FUNC_msg_apply_bytes,
    BPF_FUNC_msg_cork_bytes,
    BPF_FUNC_msg_pull_data,
    BPF_FUNC_bind,
    BPF_FUNC_xdp_adjust_tail,
    BPF_FUNC_skb_get_xfrm_state,
    BPF_FUNC_get_stack,
    BPF_FUNC_skb_load_bytes_relative,
    BPF_FUNC_fib_lookup,
    BPF_FUNC_sock_hash_update,
    BPF_FUNC_msg_redirect_hash,
    BPF_FUNC_sk_redirect_hash,
    BPF_FUNC_lwt_push_encap,
    BPF_FUNC_lwt_seg6_store_bytes,
    BPF_FUNC_lwt_seg6_adjust_srh,
    BPF_FUNC_lwt_seg6_action,
    BPF_FUNC_rc_repeat,
    BPF_FUNC_rc_keydown,
    BPF_FUNC_skb_cgroup_id,
    BPF_FUNC_get_current_cgroup_id,
    BPF_FUNC_get_local_storage,
    BPF_FUNC_sk_select_reuseport,
    BPF_FUNC_skb_ancestor_cgroup_id,
    BPF_FUNC_sk_lookup_tcp,
    BPF_FUNC_sk_lookup_udp,
    BPF_FUNC_sk_release,
    BPF_FUNC_map_push_elem,
    BPF_FUNC_map_pop_elem,
    BPF_FUNC_map_peek_elem,
    BPF_FUNC_msg_push_data,
    BPF_FUNC_msg_pop_data,
    BPF_FUNC_rc_pointer_rel,
    BPF_FUNC_spin_lock,
    BPF_FUNC_spin_unlock,
    BPF_FUNC_sk_fullsock,
    BPF_FUNC_tcp_sock,
    BPF_FUNC_skb_ecn_set_ce,
    BPF_FUNC_get_listener_sock,
    BPF_FUNC_skc_lookup_tcp,
    BPF_FUNC_tcp_check_syncookie,
    BPF_FUNC_sysctl_get_name,
    BPF_FUNC_sysctl_get_current_value,
    BPF_FUNC_sysctl_get_new_value,
    BPF_FUNC_sysctl_set_new_value,
    BPF_FUNC_strtol,
    BPF_FUNC_strtoul,
    BPF_FUNC_sk_storage_get,
    BPF_FUNC_sk_storage_delete,
    BPF_FUNC_send_signal,
    BPF_FUNC_tcp_gen_syncookie,
    BPF_FUNC_skb_output,
    BPF_FUNC_probe_read_user,
    BPF_FUNC_probe_read_kernel,
    BPF_FUNC_probe_read_user_str,
    BPF_FUNC_probe_read_kernel_str,
    BPF_FUNC_tcp_send_ack,
    BPF_FUNC_send_signal_thread,
    BPF_FUNC_jiffies64,
    BPF_FUNC_read_branch_records,
    BPF_FUNC_get_ns_current_pid_tgid,
    BPF_FUNC_xdp_output,
    BPF_FUNC_get_netns_cookie,
    BPF_FUNC_get_current_ancestor_cgroup_id,
    BPF_FUNC_sk_assign,
    BPF_FUNC_ktime_get_boot_ns,
    BPF_FUNC_seq_printf,
    BPF_FUNC_seq_write,
    BPF_FUNC_sk_cgroup_id,
    BPF_FUNC_sk_ancestor_cgroup_id,
    BPF_FUNC_ringbuf_output,
    BPF_FUNC_ringbuf_reserve,
    BPF_FUNC_ringbuf_submit,
    BPF_FUNC_ringbuf_discard,
    BPF_FUNC_ringbuf_query,
    BPF_FUNC_csum_level,
    BPF_FUNC_skc_to_tcp6_sock,
    BPF_FUNC_skc_to_tcp_sock,
    BPF_FUNC_skc_to_tcp_timewait_sock,
    BPF_FUNC_skc_to_tcp_request_sock,
    BPF_FUNC_skc_to_udp6_sock,
    BPF_FUNC_get_task_stack,
    BPF_FUNC_load_hdr_opt,
    BPF_FUNC_store_hdr_opt,
    BPF_FUNC_reserve_hdr_opt,
    BPF_FUNC_inode_storage_get,
    BPF_FUNC_inode_storage_delete,
    BPF_FUNC_d_path,
    BPF_FUNC_copy_from_user,
    BPF_FUNC_snprintf_btf,
    BPF_FUNC_seq_printf_btf,
    BPF_FUNC_skb_cgroup_classid,
    BPF_FUNC_redirect_neigh,
    BPF_FUNC_per_cpu_ptr,
    BPF_FUNC_this_cpu_ptr,
    BPF_FUNC_redirect_peer,
    BPF_FUNC_task_storage_get,
    BPF_FUNC_task_storage_delete,
    BPF_FUNC_get_current_task_btf,
    BPF_FUNC_bprm_opts_set,
    BPF_FUNC_ktime_get_coarse_ns,
    BPF_FUNC_ima_inode_hash,
    BPF_FUNC_sock_from_file,
    BPF_FUNC_check_mtu,
    BPF_FUNC_for_each_map_elem,
    BPF_FUNC_snprintf,
    BPF_FUNC_sys_bpf,
    BPF_FUNC_btf_find_by_name_kind,
    BPF_FUNC_sys_close,
    BPF_FUNC_timer_init,
    BPF_FUNC_timer_set_callback,
    BPF_FUNC_timer_start,
    BPF_FUNC_timer_cancel,
    BPF_FUNC_get_func_ip,
    BPF_FUNC_get_attach_cookie,
    BPF_FUNC_task_pt_regs,
    BPF_FUNC_get_branch_snapshot,
    BPF_FUNC_trace_vprintk,
    BPF_FUNC_skc_to_unix_sock,
    BPF_FUNC_kallsyms_lookup_name,
    BPF_FUNC_find_vma,
    BPF_FUNC_loop,
    BPF_FUNC_strncmp,
    BPF_FUNC_get_func_arg,
    BPF_FUNC_get_func_ret,
    BPF_FUNC_get_func_arg_cnt,
    BPF_FUNC_get_retval,
    BPF_FUNC_set_retval,
    BPF_FUNC_xdp_get_buff_len,
    BPF_FUNC_xdp_load_bytes,
    BPF_FUNC_xdp_store_bytes,
    BPF_FUNC_copy_from_user_task,
    BPF_FUNC_skb_set_tstamp,
    BPF_FUNC_ima_file_hash,
    BPF_FUNC_kptr_xchg,
    BPF_FUNC_map_lookup_percpu_elem,
    BPF_FUNC_skc_to_mptcp_sock,
    BPF_FUNC_dynptr_from_mem,
    BPF_FUNC_ringbuf_reserve_dynptr,
    BPF_FUNC_ringbuf_submit_dynptr,
    BPF_FUNC_ringbuf_discard_dynptr,
    BPF_FUNC_dynptr_read,
    BPF_FUNC_dynptr_write,
    BPF_FUNC_dynptr_data,
    BPF_FUNC_tcp_raw_gen_syncookie_ipv4,
    BPF_FUNC_tcp_raw_gen_syncookie_ipv6,
    BPF_FUNC_tcp_raw_check_syncookie_ipv4,
    BPF_FUNC_tcp_raw_check_syncookie_ipv6,
    BPF_FUNC_ktime_get_tai_ns,
    BPF_FUNC_user_ringbuf_drain,
    BPF_FUNC_cgrp_storage_get,
    BPF_FUNC_cgrp_storage_delete,
  };
}

export const bpf_insn = layout('bpf_insn', 8, {
  code: at(0, u8),
  /** Bits: dst_reg 0-3, src_reg 4-7. */
  registers: at(1, u8),
  off: at(2, i16),
  imm: at(4, i32),
});
export type bpf_insn = StructValue<typeof bpf_insn>;

export const bpf_prog_info = layout('bpf_prog_info', 232, {
  type: at(0, u32),
  id: at(4, u32),
  tag: at(8, bytes(8)),
  jited_prog_len: at(16, u32),
  xlated_prog_len: at(20, u32),
  jited_prog_insns: at(24, u64),
  xlated_prog_insns: at(32, u64),
  load_time: at(40, u64),
  created_by_uid: at(48, u32),
  nr_map_ids: at(52, u32),
  map_ids: at(56, u64),
  name: at(64, chars(16)),
  ifindex: at(80, u32),
  /** Bits: gpl_compatible 0. */
  gpl_compatible: at(84, u32),
  netns_dev: at(88, u64),
  netns_ino: at(96, u64),
  nr_jited_ksyms: at(104, u32),
  nr_jited_func_lens: at(108, u32),
  jited_ksyms: at(112, u64),
  jited_func_lens: at(120, u64),
  btf_id: at(128, u32),
  func_info_rec_size: at(132, u32),
  func_info: at(136, u64),
  nr_func_info: at(144, u32),
  nr_line_info: at(148, u32),
  line_info: at(152, u64),
  jited_line_info: at(160, u64),
  nr_jited_line_info: at(168, u32),
  line_info_rec_size: at(172, u32),
  jited_line_info_rec_size: at(176, u32),
  nr_prog_tags: at(180, u32),
  prog_tags: at(184, u64),
  run_time_ns: at(192, u64),
  run_cnt: at(200, u64),
  recursion_misses: at(208, u64),
  verified_insns: at(216, u32),
  attach_btf_obj_id: at(220, u32),
  attach_btf_id: at(224, u32),
});
export type bpf_prog_info = StructValue<typeof bpf_prog_info>;

export const bpf_map_info = layout('bpf_map_info', 104, {
  type: at(0, u32),
  id: at(4, u32),
  key_size: at(8, u32),
  value_size: at(12, u32),
  max_entries: at(16, u32),
  map_flags: at(20, u32),
  name: at(24, chars(16)),
  ifindex: at(40, u32),
  btf_vmlinux_value_type_id: at(44, u32),
  netns_dev: at(48, u64),
  netns_ino: at(56, u64),
  btf_id: at(64, u32),
  btf_key_type_id: at(68, u32),
  btf_value_type_id: at(72, u32),
  btf_vmlinux_id: at(76, u32),
  map_extra: at(80, u64),
  hash: at(88, u64),
  hash_size: at(96, u32),
});
export type bpf_map_info = StructValue<typeof bpf_map_info>;

export const bpf_btf_info = layout('bpf_btf_info', 32, {
  btf: at(0, u64),
  btf_size: at(8, u32),
  id: at(12, u32),
  name: at(16, u64),
  name_len: at(24, u32),
  kernel_btf: at(28, u32),
});
export type bpf_btf_info = StructValue<typeof bpf_btf_info>;

export const bpf_link_info = layout('bpf_link_info', 64, {
  type: at(0, u32),
  id: at(4, u32),
  prog_id: at(8, u32),
  raw_tracepoint: at(16, layout('bpf_link_info.raw_tracepoint', 24, {
    tp_name: at(0, u64),
    tp_name_len: at(8, u32),
    cookie: at(16, u64),
  })),
  tracing: at(16, layout('bpf_link_info.tracing', 24, {
    attach_type: at(0, u32),
    target_obj_id: at(4, u32),
    target_btf_id: at(8, u32),
    cookie: at(16, u64),
  })),
  cgroup: at(16, layout('bpf_link_info.cgroup', 16, {
    cgroup_id: at(0, u64),
    attach_type: at(8, u32),
  })),
  iter: at(16, layout('bpf_link_info.iter', 32, {
    target_name: at(0, u64),
    target_name_len: at(8, u32),
    map: at(12, layout('bpf_link_info.iter.map', 4, {
      map_id: at(0, u32),
    })),
    cgroup: at(16, layout('bpf_link_info.iter.cgroup', 16, {
      cgroup_id: at(0, u64),
      order: at(8, u32),
    })),
    task: at(16, layout('bpf_link_info.iter.task', 8, {
      tid: at(0, u32),
      pid: at(4, u32),
    })),
  })),
  netns: at(16, layout('bpf_link_info.netns', 8, {
    netns_ino: at(0, u32),
    attach_type: at(4, u32),
  })),
  xdp: at(16, layout('bpf_link_info.xdp', 4, {
    ifindex: at(0, u32),
  })),
  struct_ops: at(16, layout('bpf_link_info.struct_ops', 4, {
    map_id: at(0, u32),
  })),
  netfilter: at(16, layout('bpf_link_info.netfilter', 16, {
    pf: at(0, u32),
    hooknum: at(4, u32),
    priority: at(8, i32),
    flags: at(12, u32),
  })),
  kprobe_multi: at(16, layout('bpf_link_info.kprobe_multi', 32, {
    addrs: at(0, u64),
    count: at(8, u32),
    flags: at(12, u32),
    missed: at(16, u64),
    cookies: at(24, u64),
  })),
  uprobe_multi: at(16, layout('bpf_link_info.uprobe_multi', 48, {
    path: at(0, u64),
    offsets: at(8, u64),
    ref_ctr_offsets: at(16, u64),
    cookies: at(24, u64),
    path_size: at(32, u32),
    count: at(36, u32),
    flags: at(40, u32),
    pid: at(44, u32),
  })),
  perf_event: at(16, layout('bpf_link_info.perf_event', 48, {
    type: at(0, u32),
    uprobe: at(8, layout('bpf_link_info.perf_event.uprobe', 32, {
      file_name: at(0, u64),
      name_len: at(8, u32),
      offset: at(12, u32),
      cookie: at(16, u64),
      ref_ctr_offset: at(24, u64),
    })),
    kprobe: at(8, layout('bpf_link_info.perf_event.kprobe', 40, {
      func_name: at(0, u64),
      name_len: at(8, u32),
      offset: at(12, u32),
      addr: at(16, u64),
      missed: at(24, u64),
      cookie: at(32, u64),
    })),
    tracepoint: at(8, layout('bpf_link_info.perf_event.tracepoint', 24, {
      tp_name: at(0, u64),
      name_len: at(8, u32),
      cookie: at(16, u64),
    })),
    event: at(8, layout('bpf_link_info.perf_event.event', 24, {
      config: at(0, u64),
      type: at(8, u32),
      cookie: at(16, u64),
    })),
  })),
  tcx: at(16, layout('bpf_link_info.tcx', 8, {
    ifindex: at(0, u32),
    attach_type: at(4, u32),
  })),
  netkit: at(16, layout('bpf_link_info.netkit', 8, {
    ifindex: at(0, u32),
    attach_type: at(4, u32),
  })),
  sockmap: at(16, layout('bpf_link_info.sockmap', 8, {
    map_id: at(0, u32),
    attach_type: at(4, u32),
  })),
});
export type bpf_link_info = StructValue<typeof bpf_link_info>;

export const bpf_token_info = layout('bpf_token_info', 32, {
  allowed_cmds: at(0, u64),
  allowed_maps: at(8, u64),
  allowed_progs: at(16, u64),
  allowed_attachs: at(24, u64),
});
export type bpf_token_info = StructValue<typeof bpf_token_info>;

export const bpf_func_info = layout('bpf_func_info', 8, {
  insn_off: at(0, u32),
  type_id: at(4, u32),
});
export type bpf_func_info = StructValue<typeof bpf_func_info>;

export const bpf_line_info = layout('bpf_line_info', 16, {
  insn_off: at(0, u32),
  file_name_off: at(4, u32),
  line_off: at(8, u32),
  line_col: at(12, u32),
});
export type bpf_line_info = StructValue<typeof bpf_line_info>;

export const bpf_core_relo = layout('bpf_core_relo', 16, {
  insn_off: at(0, u32),
  type_id: at(4, u32),
  access_str_off: at(8, u32),
  kind: at(12, u32),
});
export type bpf_core_relo = StructValue<typeof bpf_core_relo>;

export const bpf_lpm_trie_key_hdr = layout('bpf_lpm_trie_key_hdr', 4, {
  prefixlen: at(0, u32),
});
export type bpf_lpm_trie_key_hdr = StructValue<typeof bpf_lpm_trie_key_hdr>;

export const bpf_lpm_trie_key_u8 = layout('bpf_lpm_trie_key_u8', 4, {
  hdr: at(0, bpf_lpm_trie_key_hdr),
  prefixlen: at(0, u32),
});
export type bpf_lpm_trie_key_u8 = StructValue<typeof bpf_lpm_trie_key_u8>;

export const bpf_cgroup_storage_key = layout('bpf_cgroup_storage_key', 16, {
  cgroup_inode_id: at(0, u64),
  attach_type: at(8, u32),
});
export type bpf_cgroup_storage_key = StructValue<typeof bpf_cgroup_storage_key>;

export const bpf_stack_build_id = layout('bpf_stack_build_id', 32, {
  status: at(0, i32),
  build_id: at(4, bytes(20)),
  offset: at(24, u64),
  ip: at(24, u64),
});
export type bpf_stack_build_id = StructValue<typeof bpf_stack_build_id>;

export const bpf_devmap_val = layout('bpf_devmap_val', 8, {
  ifindex: at(0, u32),
  bpf_prog: at(4, layout('bpf_devmap_val.bpf_prog', 4, {
    fd: at(0, i32),
    id: at(0, u32),
  })),
});
export type bpf_devmap_val = StructValue<typeof bpf_devmap_val>;

export const bpf_cpumap_val = layout('bpf_cpumap_val', 8, {
  qsize: at(0, u32),
  bpf_prog: at(4, layout('bpf_cpumap_val.bpf_prog', 4, {
    fd: at(0, i32),
    id: at(0, u32),
  })),
});
export type bpf_cpumap_val = StructValue<typeof bpf_cpumap_val>;

export const bpf_fib_lookup = layout('bpf_fib_lookup', 64, {
  family: at(0, u8),
  l4_protocol: at(1, u8),
  sport: at(2, be16),
  dport: at(4, be16),
  tot_len: at(6, u16),
  mtu_result: at(6, u16),
  ifindex: at(8, u32),
  tos: at(12, u8),
  flowinfo: at(12, be32),
  rt_metric: at(12, u32),
  ipv4_src: at(16, be32),
  ipv6_src: at(16, array(u32, 4)),
  ipv4_dst: at(32, be32),
  ipv6_dst: at(32, array(u32, 4)),
  h_vlan_proto: at(48, be16),
  h_vlan_TCI: at(50, be16),
  tbid: at(48, u32),
  mark: at(52, u32),
  smac: at(52, bytes(6)),
  dmac: at(58, bytes(6)),
});
export type bpf_fib_lookup = StructValue<typeof bpf_fib_lookup>;

export const bpf_iter_link_info = layout('bpf_iter_link_info', 16, {
  map: at(0, layout('bpf_iter_link_info.map', 4, {
    map_fd: at(0, u32),
  })),
  cgroup: at(0, layout('bpf_iter_link_info.cgroup', 16, {
    order: at(0, u32),
    cgroup_fd: at(4, u32),
    cgroup_id: at(8, u64),
  })),
  task: at(0, layout('bpf_iter_link_info.task', 12, {
    tid: at(0, u32),
    pid: at(4, u32),
    pid_fd: at(8, u32),
  })),
});
export type bpf_iter_link_info = StructValue<typeof bpf_iter_link_info>;

export const __sk_buff = layout('__sk_buff', 192, {
  len: at(0, u32),
  pkt_type: at(4, u32),
  mark: at(8, u32),
  queue_mapping: at(12, u32),
  protocol: at(16, u32),
  vlan_present: at(20, u32),
  vlan_tci: at(24, u32),
  vlan_proto: at(28, u32),
  priority: at(32, u32),
  ingress_ifindex: at(36, u32),
  ifindex: at(40, u32),
  tc_index: at(44, u32),
  cb: at(48, array(u32, 5)),
  hash: at(68, u32),
  tc_classid: at(72, u32),
  data: at(76, u32),
  data_end: at(80, u32),
  napi_id: at(84, u32),
  family: at(88, u32),
  remote_ip4: at(92, u32),
  local_ip4: at(96, u32),
  remote_ip6: at(100, array(u32, 4)),
  local_ip6: at(116, array(u32, 4)),
  remote_port: at(132, u32),
  local_port: at(136, u32),
  data_meta: at(140, u32),
  flow_keys: at(144, u64),
  tstamp: at(152, u64),
  wire_len: at(160, u32),
  gso_segs: at(164, u32),
  sk: at(168, u64),
  gso_size: at(176, u32),
  tstamp_type: at(180, u8),
  hwtstamp: at(184, u64),
});
export type __sk_buff = StructValue<typeof __sk_buff>;

export const xdp_md = layout('xdp_md', 24, {
  data: at(0, u32),
  data_end: at(4, u32),
  data_meta: at(8, u32),
  ingress_ifindex: at(12, u32),
  rx_queue_index: at(16, u32),
  egress_ifindex: at(20, u32),
});
export type xdp_md = StructValue<typeof xdp_md>;

export const bpf_sk_lookup = layout('bpf_sk_lookup', 72, {
  sk: at(0, u64),
  cookie: at(0, u64),
  family: at(8, u32),
  protocol: at(12, u32),
  remote_ip4: at(16, u32),
  remote_ip6: at(20, array(u32, 4)),
  remote_port: at(36, be16),
  local_ip4: at(40, u32),
  local_ip6: at(44, array(u32, 4)),
  local_port: at(60, u32),
  ingress_ifindex: at(64, u32),
});
export type bpf_sk_lookup = StructValue<typeof bpf_sk_lookup>;

export const bpf_attr_map_create = layout('bpf_attr_map_create', 96, {
  map_type: at(0, u32),
  key_size: at(4, u32),
  value_size: at(8, u32),
  max_entries: at(12, u32),
  map_flags: at(16, u32),
  inner_map_fd: at(20, u32),
  numa_node: at(24, u32),
  map_name: at(28, chars(16)),
  map_ifindex: at(44, u32),
  btf_fd: at(48, u32),
  btf_key_type_id: at(52, u32),
  btf_value_type_id: at(56, u32),
  btf_vmlinux_value_type_id: at(60, u32),
  map_extra: at(64, u64),
  value_type_btf_obj_fd: at(72, i32),
  map_token_fd: at(76, i32),
  excl_prog_hash: at(80, u64),
  excl_prog_hash_size: at(88, u32),
});
export type bpf_attr_map_create = StructValue<typeof bpf_attr_map_create>;

export const bpf_attr_map_elem = layout('bpf_attr_map_elem', 32, {
  map_fd: at(0, u32),
  key: at(8, u64),
  value: at(16, u64),
  next_key: at(16, u64),
  flags: at(24, u64),
});
export type bpf_attr_map_elem = StructValue<typeof bpf_attr_map_elem>;

export const bpf_attr_batch = layout('bpf_attr_batch', 56, {
  in_batch: at(0, u64),
  out_batch: at(8, u64),
  keys: at(16, u64),
  values: at(24, u64),
  count: at(32, u32),
  map_fd: at(36, u32),
  elem_flags: at(40, u64),
  flags: at(48, u64),
});
export type bpf_attr_batch = StructValue<typeof bpf_attr_batch>;

export const bpf_attr_prog_load = layout('bpf_attr_prog_load', 168, {
  prog_type: at(0, u32),
  insn_cnt: at(4, u32),
  insns: at(8, u64),
  license: at(16, u64),
  log_level: at(24, u32),
  log_size: at(28, u32),
  log_buf: at(32, u64),
  kern_version: at(40, u32),
  prog_flags: at(44, u32),
  prog_name: at(48, chars(16)),
  prog_ifindex: at(64, u32),
  expected_attach_type: at(68, u32),
  prog_btf_fd: at(72, u32),
  func_info_rec_size: at(76, u32),
  func_info: at(80, u64),
  func_info_cnt: at(88, u32),
  line_info_rec_size: at(92, u32),
  line_info: at(96, u64),
  line_info_cnt: at(104, u32),
  attach_btf_id: at(108, u32),
  attach_prog_fd: at(112, u32),
  attach_btf_obj_fd: at(112, u32),
  core_relo_cnt: at(116, u32),
  fd_array: at(120, u64),
  core_relos: at(128, u64),
  core_relo_rec_size: at(136, u32),
  log_true_size: at(140, u32),
  prog_token_fd: at(144, i32),
  fd_array_cnt: at(148, u32),
  signature: at(152, u64),
  signature_size: at(160, u32),
  keyring_id: at(164, i32),
});
export type bpf_attr_prog_load = StructValue<typeof bpf_attr_prog_load>;

export const bpf_attr_obj = layout('bpf_attr_obj', 24, {
  pathname: at(0, u64),
  bpf_fd: at(8, u32),
  file_flags: at(12, u32),
  path_fd: at(16, i32),
});
export type bpf_attr_obj = StructValue<typeof bpf_attr_obj>;

export const bpf_attr_prog_attach = layout('bpf_attr_prog_attach', 32, {
  target_fd: at(0, u32),
  target_ifindex: at(0, u32),
  attach_bpf_fd: at(4, u32),
  attach_type: at(8, u32),
  attach_flags: at(12, u32),
  replace_bpf_fd: at(16, u32),
  relative_fd: at(20, u32),
  relative_id: at(20, u32),
  expected_revision: at(24, u64),
});
export type bpf_attr_prog_attach = StructValue<typeof bpf_attr_prog_attach>;

export const bpf_attr_test = layout('bpf_attr_test', 80, {
  prog_fd: at(0, u32),
  retval: at(4, u32),
  data_size_in: at(8, u32),
  data_size_out: at(12, u32),
  data_in: at(16, u64),
  data_out: at(24, u64),
  repeat: at(32, u32),
  duration: at(36, u32),
  ctx_size_in: at(40, u32),
  ctx_size_out: at(44, u32),
  ctx_in: at(48, u64),
  ctx_out: at(56, u64),
  flags: at(64, u32),
  cpu: at(68, u32),
  batch_size: at(72, u32),
});
export type bpf_attr_test = StructValue<typeof bpf_attr_test>;

export const bpf_attr_get_id = layout('bpf_attr_get_id', 16, {
  start_id: at(0, u32),
  prog_id: at(0, u32),
  map_id: at(0, u32),
  btf_id: at(0, u32),
  link_id: at(0, u32),
  next_id: at(4, u32),
  open_flags: at(8, u32),
  fd_by_id_token_fd: at(12, i32),
});
export type bpf_attr_get_id = StructValue<typeof bpf_attr_get_id>;

export const bpf_attr_info = layout('bpf_attr_info', 16, {
  bpf_fd: at(0, u32),
  info_len: at(4, u32),
  info: at(8, u64),
});
export type bpf_attr_info = StructValue<typeof bpf_attr_info>;

export const bpf_attr_query = layout('bpf_attr_query', 64, {
  target_fd: at(0, u32),
  target_ifindex: at(0, u32),
  attach_type: at(4, u32),
  query_flags: at(8, u32),
  attach_flags: at(12, u32),
  prog_ids: at(16, u64),
  prog_cnt: at(24, u32),
  count: at(24, u32),
  prog_attach_flags: at(32, u64),
  link_ids: at(40, u64),
  link_attach_flags: at(48, u64),
  revision: at(56, u64),
});
export type bpf_attr_query = StructValue<typeof bpf_attr_query>;

export const bpf_attr_raw_tracepoint = layout('bpf_attr_raw_tracepoint', 24, {
  name: at(0, u64),
  prog_fd: at(8, u32),
  cookie: at(16, u64),
});
export type bpf_attr_raw_tracepoint = StructValue<typeof bpf_attr_raw_tracepoint>;

export const bpf_attr_btf_load = layout('bpf_attr_btf_load', 40, {
  btf: at(0, u64),
  btf_log_buf: at(8, u64),
  btf_size: at(16, u32),
  btf_log_size: at(20, u32),
  btf_log_level: at(24, u32),
  btf_log_true_size: at(28, u32),
  btf_flags: at(32, u32),
  btf_token_fd: at(36, i32),
});
export type bpf_attr_btf_load = StructValue<typeof bpf_attr_btf_load>;

export const bpf_attr_task_fd_query = layout('bpf_attr_task_fd_query', 48, {
  pid: at(0, u32),
  fd: at(4, u32),
  flags: at(8, u32),
  buf_len: at(12, u32),
  buf: at(16, u64),
  prog_id: at(24, u32),
  fd_type: at(28, u32),
  probe_offset: at(32, u64),
  probe_addr: at(40, u64),
});
export type bpf_attr_task_fd_query = StructValue<typeof bpf_attr_task_fd_query>;

export const bpf_attr_link_create = layout('bpf_attr_link_create', 64, {
  prog_fd: at(0, u32),
  map_fd: at(0, u32),
  target_fd: at(4, u32),
  target_ifindex: at(4, u32),
  attach_type: at(8, u32),
  flags: at(12, u32),
  target_btf_id: at(16, u32),
  iter_info: at(16, u64),
  iter_info_len: at(24, u32),
  perf_event: at(16, layout('bpf_attr_link_create.perf_event', 8, {
    bpf_cookie: at(0, u64),
  })),
  kprobe_multi: at(16, layout('bpf_attr_link_create.kprobe_multi', 32, {
    flags: at(0, u32),
    cnt: at(4, u32),
    syms: at(8, u64),
    addrs: at(16, u64),
    cookies: at(24, u64),
  })),
  tracing: at(16, layout('bpf_attr_link_create.tracing', 16, {
    target_btf_id: at(0, u32),
    cookie: at(8, u64),
  })),
  netfilter: at(16, layout('bpf_attr_link_create.netfilter', 16, {
    pf: at(0, u32),
    hooknum: at(4, u32),
    priority: at(8, i32),
    flags: at(12, u32),
  })),
  tcx: at(16, layout('bpf_attr_link_create.tcx', 16, {
    relative_fd: at(0, u32),
    relative_id: at(0, u32),
    expected_revision: at(8, u64),
  })),
  uprobe_multi: at(16, layout('bpf_attr_link_create.uprobe_multi', 48, {
    path: at(0, u64),
    offsets: at(8, u64),
    ref_ctr_offsets: at(16, u64),
    cookies: at(24, u64),
    cnt: at(32, u32),
    flags: at(36, u32),
    pid: at(40, u32),
    path_fd: at(44, u32),
  })),
  netkit: at(16, layout('bpf_attr_link_create.netkit', 16, {
    relative_fd: at(0, u32),
    relative_id: at(0, u32),
    expected_revision: at(8, u64),
  })),
  cgroup: at(16, layout('bpf_attr_link_create.cgroup', 16, {
    relative_fd: at(0, u32),
    relative_id: at(0, u32),
    expected_revision: at(8, u64),
  })),
  tracing_multi: at(16, layout('bpf_attr_link_create.tracing_multi', 24, {
    ids: at(0, u64),
    cookies: at(8, u64),
    cnt: at(16, u32),
  })),
});
export type bpf_attr_link_create = StructValue<typeof bpf_attr_link_create>;

export const bpf_attr_link_update = layout('bpf_attr_link_update', 16, {
  link_fd: at(0, u32),
  new_prog_fd: at(4, u32),
  new_map_fd: at(4, u32),
  flags: at(8, u32),
  old_prog_fd: at(12, u32),
  old_map_fd: at(12, u32),
});
export type bpf_attr_link_update = StructValue<typeof bpf_attr_link_update>;

export const bpf_attr_link_detach = layout('bpf_attr_link_detach', 4, {
  link_fd: at(0, u32),
});
export type bpf_attr_link_detach = StructValue<typeof bpf_attr_link_detach>;

export const bpf_attr_enable_stats = layout('bpf_attr_enable_stats', 4, {
  type: at(0, u32),
});
export type bpf_attr_enable_stats = StructValue<typeof bpf_attr_enable_stats>;

export const bpf_attr_iter_create = layout('bpf_attr_iter_create', 8, {
  link_fd: at(0, u32),
  flags: at(4, u32),
});
export type bpf_attr_iter_create = StructValue<typeof bpf_attr_iter_create>;

export const bpf_attr_prog_bind_map = layout('bpf_attr_prog_bind_map', 12, {
  prog_fd: at(0, u32),
  map_fd: at(4, u32),
  flags: at(8, u32),
});
export type bpf_attr_prog_bind_map = StructValue<typeof bpf_attr_prog_bind_map>;

export const bpf_attr_token_create = layout('bpf_attr_token_create', 8, {
  flags: at(0, u32),
  bpffs_fd: at(4, u32),
});
export type bpf_attr_token_create = StructValue<typeof bpf_attr_token_create>;

export const bpf_attr_prog_stream_read = layout('bpf_attr_prog_stream_read', 24, {
  stream_buf: at(0, u64),
  stream_buf_len: at(8, u32),
  stream_id: at(12, u32),
  prog_fd: at(16, u32),
});
export type bpf_attr_prog_stream_read = StructValue<typeof bpf_attr_prog_stream_read>;

export const bpf_attr_prog_assoc_struct_ops = layout('bpf_attr_prog_assoc_struct_ops', 12, {
  map_fd: at(0, u32),
  prog_fd: at(4, u32),
  flags: at(8, u32),
});
export type bpf_attr_prog_assoc_struct_ops = StructValue<typeof bpf_attr_prog_assoc_struct_ops>;

// linux/bpf_common.h

// macros
export const BPF_LD = 0;
export const BPF_LDX = 1;
export const BPF_ST = 2;
export const BPF_STX = 3;
export const BPF_ALU = 4;
export const BPF_JMP = 5;
export const BPF_RET = 6;
export const BPF_MISC = 7;
export const BPF_W = 0;
export const BPF_H = 8;
export const BPF_B = 0x10;
export const BPF_IMM = 0;
export const BPF_ABS = 0x20;
export const BPF_IND = 0x40;
export const BPF_MEM = 0x60;
export const BPF_LEN = 0x80;
export const BPF_MSH = 0xa0;
export const BPF_ADD = 0;
export const BPF_SUB = 0x10;
export const BPF_MUL = 0x20;
export const BPF_DIV = 0x30;
export const BPF_OR = 0x40;
export const BPF_AND = 0x50;
export const BPF_LSH = 0x60;
export const BPF_RSH = 0x70;
export const BPF_NEG = 0x80;
export const BPF_MOD = 0x90;
export const BPF_XOR = 0xa0;
export const BPF_JA = 0;
export const BPF_JEQ = 0x10;
export const BPF_JGT = 0x20;
export const BPF_JGE = 0x30;
export const BPF_JSET = 0x40;
export const BPF_K = 0;
export const BPF_X = 8;
export const BPF_MAXINSNS = 4096;

// linux/btf.h

// enum btf_max
export const BTF_MAX_KIND = 0x7f;
export const BTF_MAX_TYPE = 0xfffff;
export const BTF_MAX_NAME_OFFSET = 0xffffff;
export const BTF_MAX_VLEN = 0xffffff;

// enum
export const BTF_KIND_UNKN = 0;
export const BTF_KIND_INT = 1;
export const BTF_KIND_PTR = 2;
export const BTF_KIND_ARRAY = 3;
export const BTF_KIND_STRUCT = 4;
export const BTF_KIND_UNION = 5;
export const BTF_KIND_ENUM = 6;
export const BTF_KIND_FWD = 7;
export const BTF_KIND_TYPEDEF = 8;
export const BTF_KIND_VOLATILE = 9;
export const BTF_KIND_CONST = 10;
export const BTF_KIND_RESTRICT = 11;
export const BTF_KIND_FUNC = 12;
export const BTF_KIND_FUNC_PROTO = 13;
export const BTF_KIND_VAR = 14;
export const BTF_KIND_DATASEC = 15;
export const BTF_KIND_FLOAT = 16;
export const BTF_KIND_DECL_TAG = 17;
export const BTF_KIND_TYPE_TAG = 18;
export const BTF_KIND_ENUM64 = 19;
export const NR_BTF_KINDS = 20;
export const BTF_KIND_MAX = 19;
export const BTF_VAR_STATIC = 0;
export const BTF_VAR_GLOBAL_ALLOCATED = 1;
export const BTF_VAR_GLOBAL_EXTERN = 2;

// enum btf_func_linkage
export const BTF_FUNC_STATIC = 0;
export const BTF_FUNC_GLOBAL = 1;
export const BTF_FUNC_EXTERN = 2;

// macros
export const BTF_MAGIC = 0xeb9f;
export const BTF_VERSION = 1;
export const BTF_INT_SIGNED = 1;
export const BTF_INT_CHAR = 2;
export const BTF_INT_BOOL = 4;

export const btf_header = layout('btf_header', 32, {
  magic: at(0, u16),
  version: at(2, u8),
  flags: at(3, u8),
  hdr_len: at(4, u32),
  type_off: at(8, u32),
  type_len: at(12, u32),
  str_off: at(16, u32),
  str_len: at(20, u32),
  layout_off: at(24, u32),
  layout_len: at(28, u32),
});
export type btf_header = StructValue<typeof btf_header>;

export const btf_type = layout('btf_type', 12, {
  name_off: at(0, u32),
  info: at(4, u32),
  size: at(8, u32),
  type: at(8, u32),
});
export type btf_type = StructValue<typeof btf_type>;

export const btf_enum = layout('btf_enum', 8, {
  name_off: at(0, u32),
  val: at(4, i32),
});
export type btf_enum = StructValue<typeof btf_enum>;

export const btf_array = layout('btf_array', 12, {
  type: at(0, u32),
  index_type: at(4, u32),
  nelems: at(8, u32),
});
export type btf_array = StructValue<typeof btf_array>;

export const btf_member = layout('btf_member', 12, {
  name_off: at(0, u32),
  type: at(4, u32),
  offset: at(8, u32),
});
export type btf_member = StructValue<typeof btf_member>;

export const btf_param = layout('btf_param', 8, {
  name_off: at(0, u32),
  type: at(4, u32),
});
export type btf_param = StructValue<typeof btf_param>;

export const btf_var = layout('btf_var', 4, {
  linkage: at(0, u32),
});
export type btf_var = StructValue<typeof btf_var>;

export const btf_var_secinfo = layout('btf_var_secinfo', 12, {
  type: at(0, u32),
  offset: at(4, u32),
  size: at(8, u32),
});
export type btf_var_secinfo = StructValue<typeof btf_var_secinfo>;

export const btf_decl_tag = layout('btf_decl_tag', 4, {
  component_idx: at(0, i32),
});
export type btf_decl_tag = StructValue<typeof btf_decl_tag>;

export const btf_enum64 = layout('btf_enum64', 12, {
  name_off: at(0, u32),
  val_lo32: at(4, u32),
  val_hi32: at(8, u32),
});
export type btf_enum64 = StructValue<typeof btf_enum64>;

// linux/filter.h

// macros
export const BPF_MAJOR_VERSION = 1;
export const BPF_MINOR_VERSION = 1;
export const BPF_A = 0x10;
export const BPF_TAX = 0;
export const BPF_TXA = 0x80;
export const BPF_MEMWORDS = 16;
export const SKF_AD_OFF = -4096;
export const SKF_AD_PROTOCOL = 0;
export const SKF_AD_PKTTYPE = 4;
export const SKF_AD_IFINDEX = 8;
export const SKF_AD_NLATTR = 12;
export const SKF_AD_NLATTR_NEST = 16;
export const SKF_AD_MARK = 20;
export const SKF_AD_QUEUE = 24;
export const SKF_AD_HATYPE = 28;
export const SKF_AD_RXHASH = 32;
export const SKF_AD_CPU = 36;
export const SKF_AD_ALU_XOR_X = 40;
export const SKF_AD_VLAN_TAG = 44;
export const SKF_AD_VLAN_TAG_PRESENT = 48;
export const SKF_AD_PAY_OFFSET = 52;
export const SKF_AD_RANDOM = 56;
export const SKF_AD_VLAN_TPID = 60;
export const SKF_AD_MAX = 64;
export const SKF_NET_OFF = -1048576;
export const SKF_LL_OFF = -2097152;
export const BPF_NET_OFF = -1048576;
export const BPF_LL_OFF = -2097152;

export const sock_filter = layout('sock_filter', 8, {
  code: at(0, u16),
  jt: at(2, u8),
  jf: at(3, u8),
  k: at(4, u32),
});
export type sock_filter = StructValue<typeof sock_filter>;

export const sock_fprog = layout('sock_fprog', 16, {
  len: at(0, u16),
  filter: at(8, u64),
});
export type sock_fprog = StructValue<typeof sock_fprog>;
