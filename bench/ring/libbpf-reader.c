/*
 * The C side of the ring benchmark: libbpf's own loader and ring_buffer__consume().
 *
 * Usage: libbpf-reader OBJECT. For each line `EVENTS CHUNK` on standard input it fills the ring with at most CHUNK
 * events at a time, drains it, until it was EVENTS, and answers with one line of JSON. Only draining is timed.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/types.h>

#include <sniffer/events.h>

struct totals {
	uint32_t checksum;
	uint64_t events;
};

static int on_event(void *context, void *data, size_t size)
{
	struct totals *totals = context;
	const struct simple_event *event = data;
	uint32_t mixed;

	if (size != sizeof(*event))
		return -EINVAL;
	mixed = (event->src_ip ^ event->dst_port) + (event->dst_ip ^ event->packet_len);
	totals->checksum = (totals->checksum << 1 | totals->checksum >> 31) + mixed;
	totals->events++;
	return 0;
}

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

static void fill(int program, uint32_t events)
{
	char packet[64] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet, .data_size_in = sizeof(packet), .repeat = (int)events);
	int error = bpf_prog_test_run_opts(program, &options);

	if (error)
		fail("run the program that fills the ring", error);
}

int main(int argc, char **argv)
{
	struct totals totals = {0};
	struct bpf_object *object;
	struct ring_buffer *ring;
	uint32_t events, chunk;
	int program, error;

	if (argc != 2)
		fail("start", EINVAL);
	object = bpf_object__open_file(argv[1], NULL);
	if (!object)
		fail("open the object", errno);
	error = bpf_object__load(object);
	if (error)
		fail("load the object", error);
	program = bpf_program__fd(bpf_object__find_program_by_name(object, "fill"));
	ring = ring_buffer__new(bpf_object__find_map_fd_by_name(object, "events"), on_event, &totals, NULL);
	if (!ring)
		fail("open the ring", errno);

	while (scanf("%" SCNu32 " %" SCNu32, &events, &chunk) == 2) {
		uint64_t spent = 0;

		totals = (struct totals){0};
		for (uint32_t left = events; left > 0;) {
			uint32_t count = left < chunk ? left : chunk;
			uint64_t start;

			fill(program, count);
			start = nanoseconds();
			error = ring_buffer__consume(ring);
			spent += nanoseconds() - start;
			if (error < 0)
				fail("drain the ring", error);
			left -= count;
		}
		printf("{\"events\":%" PRIu64 ",\"checksum\":%" PRIu32 ",\"nanoseconds\":%" PRIu64 "}\n", totals.events,
		       totals.checksum, spent);
		fflush(stdout);
	}
	ring_buffer__free(ring);
	bpf_object__close(object);
	return 0;
}
