/*
 * An object that is hardly anything but CO-RE relocations, for where the kernel's test programs are not at hand: offsets,
 * sizes and existence of fields of the kernel's structs, added up.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define KERNEL __attribute__((preserve_access_index))

struct list_head { struct list_head *next, *prev; } KERNEL;
struct task_struct { int pid; int tgid; struct task_struct *parent; struct list_head tasks; char comm[16]; int prio; } KERNEL;
struct net_device { unsigned int mtu; int ifindex; char name[16]; unsigned int flags; } KERNEL;
struct sk_buff { unsigned int len; unsigned int data_len; struct net_device *dev; unsigned char *head, *data; } KERNEL;
struct file { unsigned int f_flags; long long f_pos; } KERNEL;
struct inode { unsigned long i_ino; unsigned short i_mode; long long i_size; } KERNEL;
struct mm_struct { unsigned long start_code; unsigned long end_code; unsigned long total_vm; } KERNEL;
struct bpf_map { unsigned int key_size; unsigned int value_size; unsigned int max_entries; } KERNEL;

/* The kinds of __builtin_preserve_field_info(): offset, size, existence. */
#define ALL_OF(type, field)                                                                                      \
	(__builtin_preserve_field_info(((struct type *)0)->field, 0) +                                               \
	 __builtin_preserve_field_info(((struct type *)0)->field, 1) +                                               \
	 __builtin_preserve_field_info(((struct type *)0)->field, 2))

static __always_inline unsigned int sum(void)
{
	return ALL_OF(task_struct, pid) + ALL_OF(task_struct, tgid) + ALL_OF(task_struct, parent) +
	       ALL_OF(task_struct, tasks.next) + ALL_OF(task_struct, comm) + ALL_OF(task_struct, prio) +
	       ALL_OF(net_device, mtu) + ALL_OF(net_device, ifindex) + ALL_OF(net_device, name) +
	       ALL_OF(net_device, flags) + ALL_OF(sk_buff, len) + ALL_OF(sk_buff, data_len) + ALL_OF(sk_buff, dev) +
	       ALL_OF(sk_buff, head) + ALL_OF(sk_buff, data) + ALL_OF(file, f_flags) + ALL_OF(file, f_pos) +
	       ALL_OF(inode, i_ino) + ALL_OF(inode, i_mode) + ALL_OF(inode, i_size) + ALL_OF(mm_struct, start_code) +
	       ALL_OF(mm_struct, end_code) + ALL_OF(mm_struct, total_vm) + ALL_OF(bpf_map, key_size) + ALL_OF(bpf_map, value_size) + ALL_OF(bpf_map, max_entries);
}

SEC("xdp")
int core(struct xdp_md *context)
{
	(void)context;
	return sum() == 0 ? XDP_ABORTED : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
