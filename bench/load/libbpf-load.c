/*
 * The C side of the load benchmark: what libbpf takes to make the kernel's BTF ready for CO-RE, or to bring an object from
 * its file into the kernel. For each iteration a line with the nanoseconds, of the clock and of the processor, that were
 * not spent within bpf(2), those of the clock that were, and the most memory so far above what the process began with, in KiB.
 * A program of more than STAND_IN_FROM instructions is shown to the kernel as one of two: see timed-kernel.ts.
 *
 * Usage: libbpf-load ITERATIONS [OBJECT]
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include <linux/bpf.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

static uint64_t in_kernel, cpu_in_kernel;

static uint64_t nanoseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#define STAND_IN_FROM 16384

/* r0 = 0; exit */
static const struct bpf_insn stand_in[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
	{ .code = BPF_JMP | BPF_EXIT },
};

static long load_stand_in(long (*real)(long, ...), const union bpf_attr *wanted, long size)
{
	/* libbpf may know a longer one than the headers at hand. */
	union {
		union bpf_attr attr;
		char bytes[512];
	} copy;

	if (size < 0 || (size_t)size > sizeof(copy)) {
		errno = E2BIG;
		return -1;
	}
	memcpy(&copy, wanted, (size_t)size);
	copy.attr.insns = (uintptr_t)stand_in;
	copy.attr.insn_cnt = sizeof(stand_in) / sizeof(stand_in[0]);
	copy.attr.func_info = copy.attr.func_info_cnt = 0;
	copy.attr.line_info = copy.attr.line_info_cnt = 0;
	return real(SYS_bpf, BPF_PROG_LOAD, &copy, size);
}

/* Stands in for libc's: libbpf, linked in or loaded, calls bpf(2) through it. */
long syscall(long number, ...)
{
	static long (*real)(long, ...);
	long argument[6], result;
	uint64_t start, cpu;
	va_list list;
	int index;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	va_start(list, number);
	for (index = 0; index < 6; index++)
		argument[index] = va_arg(list, long);
	va_end(list);
	start = nanoseconds(CLOCK_MONOTONIC);
	cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
	if (number == SYS_bpf && argument[0] == BPF_PROG_LOAD &&
	    ((const union bpf_attr *)argument[1])->insn_cnt > STAND_IN_FROM)
		result = load_stand_in(real, (const union bpf_attr *)argument[1], argument[2]);
	else
		result = real(number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
	if (number == SYS_bpf) {
		cpu_in_kernel += nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
		in_kernel += nanoseconds(CLOCK_MONOTONIC) - start;
	}
	return result;
}

static void fail(const char *doing, int error)
{
	fprintf(stderr, "Cannot %s: %s\n", doing, strerror(error < 0 ? -error : error));
	exit(1);
}

static int silent(enum libbpf_print_level level, const char *format, va_list list)
{
	(void)level;
	(void)format;
	(void)list;
	return 0;
}

/* KiB. Not getrusage(2)'s, which begins with what the parent had. */
static long most_memory(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[128];
	long most = 0;

	if (!status)
		fail("read /proc/self/status", errno);
	while (fgets(line, sizeof(line), status)) {
		if (sscanf(line, "VmHWM: %ld", &most) == 1)
			break;
	}
	fclose(status);
	return most;
}

static void read_kernel_types(void)
{
	struct btf *btf = btf__load_vmlinux_btf();

	if (!btf)
		fail("read the kernel's BTF", errno);
	if (btf__find_by_name_kind(btf, "task_struct", BTF_KIND_STRUCT) < 0)
		fail("find task_struct", ENOENT);
	btf__free(btf);
}

int main(int argc, char **argv)
{
	long before = most_memory();
	int iterations, index;

	if (argc < 2 || argc > 3)
		fail("start", EINVAL);
	libbpf_set_print(silent);
	iterations = atoi(argv[1]);
	for (index = 0; index < iterations; index++) {
		struct bpf_object *object = NULL;
		uint64_t start = nanoseconds(CLOCK_MONOTONIC), end;
		uint64_t cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
		int error = 0;

		in_kernel = cpu_in_kernel = 0;
		if (argc == 2) {
			read_kernel_types();
		} else {
			object = bpf_object__open_file(argv[2], NULL);
			if (!object)
				fail("open the object", errno);
			error = bpf_object__load(object);
			if (error)
				fail("load the object", error);
		}
		cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
		end = nanoseconds(CLOCK_MONOTONIC);
		printf("{\"wall\":%" PRIu64 ",\"cpu\":%" PRIu64 ",\"kernel\":%" PRIu64 ",\"memory\":%ld}\n",
		       end - start - in_kernel, cpu - cpu_in_kernel, in_kernel, most_memory() - before);
		bpf_object__close(object);
	}
	return 0;
}
