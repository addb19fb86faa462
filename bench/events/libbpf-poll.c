/*
 * The C side of the benchmarks of events that come by themselves: libbpf's ring_buffer__poll(), which waits in epoll_wait(2).
 *
 * Usage: libbpf-poll MAP_ID. For each line `EVENTS latency|rate` on standard input it says `{}` as soon as it reads, takes that
 * many events, and answers with one line of JSON. Latency is from an event's own stamp to the moment its callback begins.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/types.h>

#include <sniffer/events.h>

struct tally {
	uint64_t wanted, events;
	uint64_t first, last; /* the first event's stamp, the last one's arrival */
	uint32_t checksum;
	double *latencies; /* NULL where they are not asked for: then there is no look at the clock for each event */
};

static uint64_t nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int on_event(void *context, void *data, size_t size)
{
	struct tally *tally = context;
	const struct simple_event *event = data;
	uint32_t mixed;

	if (size != sizeof(*event))
		return -EINVAL;
	if (tally->latencies && tally->events < tally->wanted)
		tally->latencies[tally->events] = (double)(nanoseconds() - event->timestamp);
	mixed = (event->src_ip ^ event->dst_port) + (event->dst_ip ^ event->packet_len);
	tally->checksum = (tally->checksum << 1 | tally->checksum >> 31) + mixed;
	if (tally->events == 0)
		tally->first = event->timestamp;
	if (++tally->events == tally->wanted)
		tally->last = nanoseconds();
	return 0;
}

static void fail(const char *doing, int error)
{
	fprintf(stderr, "Cannot %s: %s\n", doing, strerror(error < 0 ? -error : error));
	exit(1);
}

static int compare(const void *left, const void *right)
{
	double difference = *(const double *)left - *(const double *)right;

	return difference < 0 ? -1 : difference > 0;
}

static uint64_t processor_time(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000u +
	       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000u;
}

static void answer(struct tally *tally, uint64_t cpu)
{
	double p50 = 0, p99 = 0;

	if (tally->latencies) {
		qsort(tally->latencies, tally->wanted, sizeof(*tally->latencies), compare);
		p50 = tally->latencies[tally->wanted / 2];
		p99 = tally->latencies[tally->wanted * 99 / 100];
	}
	printf("{\"events\":%" PRIu64 ",\"checksum\":%" PRIu32 ",\"nanoseconds\":%" PRIu64 ",\"cpu\":%" PRIu64
	       ",\"p50\":%.0f,\"p99\":%.0f}\n",
	       tally->events, tally->checksum, tally->last - tally->first, cpu, p50, p99);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct tally tally = {0};
	struct ring_buffer *ring;
	char what[16];
	int map;

	if (argc != 2)
		fail("start", EINVAL);
	map = bpf_map_get_fd_by_id((uint32_t)atoi(argv[1]));
	if (map < 0)
		fail("open the map", map);
	ring = ring_buffer__new(map, on_event, &tally, NULL);
	if (!ring)
		fail("open the ring", errno);
	while (scanf("%" SCNu64 " %15s", &tally.wanted, what) == 2) {
		uint64_t cpu = processor_time();

		tally.events = 0;
		tally.checksum = 0;
		tally.latencies = strcmp(what, "latency") == 0 ? calloc(tally.wanted, sizeof(*tally.latencies)) : NULL;
		puts("{}");
		fflush(stdout);
		while (tally.events < tally.wanted) {
			int error = ring_buffer__poll(ring, -1);

			if (error < 0 && error != -EINTR)
				fail("wait for events", error);
		}
		answer(&tally, processor_time() - cpu);
		free(tally.latencies);
	}
	ring_buffer__free(ring);
	return 0;
}
