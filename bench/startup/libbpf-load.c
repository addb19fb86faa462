/*
 * The C side of the start-up benchmark: what libbpf itself takes to open an object, load one of its programs and
 * attach it to an interface by a bpf_link, in native mode. Prints the nanoseconds.
 *
 * Usage: libbpf-load OBJECT PROGRAM IFINDEX
 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

static void fail(const char *doing, int error)
{
	fprintf(stderr, "Cannot %s: %s\n", doing, strerror(error < 0 ? -error : error));
	exit(1);
}

static uint64_t nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int main(int argc, char **argv)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_DRV_MODE);
	struct bpf_program *program;
	struct bpf_object *object;
	uint64_t start, end;
	int error, link;

	if (argc != 4)
		fail("start", EINVAL);
	start = nanoseconds();
	object = bpf_object__open_file(argv[1], NULL);
	if (!object)
		fail("open the object", errno);
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, strcmp(bpf_program__name(program), argv[2]) == 0);
	error = bpf_object__load(object);
	if (error)
		fail("load the object", error);
	program = bpf_object__find_program_by_name(object, argv[2]);
	if (!program)
		fail("find the program", ENOENT);
	link = bpf_link_create(bpf_program__fd(program), atoi(argv[3]), BPF_XDP, &options);
	end = nanoseconds();
	if (link < 0)
		fail("attach the program", errno);
	printf("%" PRIu64 "\n", end - start);
	close(link);
	bpf_object__close(object);
	return 0;
}
