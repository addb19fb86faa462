/*
 * The C side of the map benchmark: libbpf's calls about entries, one at a time and by batches.
 *
 * Usage: libbpf-maps OBJECT ENTRIES. For each line `OPERATION COUNT` on standard input it does that, and answers with one line of
 * JSON. Only the operation is timed, in processor time; what must be there before, or away, is seen to first.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define MOST_ENTRIES 100000
#define BATCH 4096
#define COUNTERS 64

struct traffic {
	uint32_t packets;
	uint32_t errors;
	uint64_t bytes;
};

static uint32_t entry_count;
static uint32_t keys[MOST_ENTRIES];
static struct traffic values[MOST_ENTRIES];
static uint32_t read_keys[BATCH];
static struct traffic read_values[BATCH];

static void fail(const char *doing, int error)
{
	fprintf(stderr, "Cannot %s: %s\n", doing, strerror(error < 0 ? -error : error));
	exit(1);
}

static uint64_t nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint32_t mix(uint32_t key, const struct traffic *value)
{
	return (key ^ value->packets) + value->errors + (uint32_t)value->bytes;
}

static void write_batches(int map, uint32_t entries)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options);

	for (uint32_t done = 0; done < entries;) {
		uint32_t count = entries - done < BATCH ? entries - done : BATCH;

		if (bpf_map_update_batch(map, keys + done, values + done, &count, &options))
			fail("write a batch", errno);
		done += count;
	}
}

static uint32_t delete_batches(int map, uint32_t entries)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options);
	uint32_t done = 0;

	while (done < entries) {
		uint32_t count = entries - done < BATCH ? entries - done : BATCH;

		if (bpf_map_delete_batch(map, keys + done, &count, &options))
			fail("delete a batch", errno);
		done += count;
	}
	return done;
}

static uint32_t read_batches(int map)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options);
	uint32_t position, checksum = 0, count;
	void *from = NULL;
	int error;

	do {
		count = BATCH;
		error = bpf_map_lookup_batch(map, from, &position, read_keys, read_values, &count, &options);
		if (error && errno != ENOENT)
			fail("read a batch", errno);
		for (uint32_t index = 0; index < count; index++)
			checksum += mix(read_keys[index], &read_values[index]);
		from = &position;
	} while (!error);
	return checksum;
}

static void clear(int map)
{
	for (uint32_t index = 0; index < entry_count; index++)
		bpf_map_delete_elem(map, &keys[index]);
}

static uint32_t look_up(int map, uint32_t count)
{
	uint32_t checksum = 0;
	struct traffic value;

	for (uint32_t done = 0; done < count; done++) {
		uint32_t key = done % entry_count;

		if (bpf_map_lookup_elem(map, &key, &value))
			fail("look up", errno);
		checksum += mix(key, &value);
	}
	return checksum;
}

static uint32_t update(int map, uint32_t count)
{
	for (uint32_t done = 0; done < count; done++) {
		uint32_t key = done % entry_count;
		struct traffic value = {.packets = done, .errors = key, .bytes = done + 7ull};

		if (bpf_map_update_elem(map, &key, &value, BPF_ANY))
			fail("update", errno);
	}
	return count;
}

static uint32_t delete(int map, uint32_t count)
{
	uint32_t deleted = 0;

	for (uint32_t key = 0; key < count; key++)
		deleted += bpf_map_delete_elem(map, &key) == 0;
	return deleted;
}

static uint32_t count_up(const volatile uint64_t *counters, uint32_t count)
{
	uint32_t checksum = 0;

	for (uint32_t done = 0; done < count; done++)
		checksum += (uint32_t)counters[done % COUNTERS];
	return checksum;
}

int main(int argc, char **argv)
{
	const volatile uint64_t *memory;
	struct bpf_object *object;
	char operation[16];
	uint32_t count;
	int map, counters, error;

	if (argc != 3 || (uint32_t)atoi(argv[2]) > MOST_ENTRIES)
		fail("start", EINVAL);
	entry_count = (uint32_t)atoi(argv[2]);
	object = bpf_object__open_file(argv[1], NULL);
	if (!object)
		fail("open the object", errno);
	error = bpf_object__load(object);
	if (error)
		fail("load the object", error);
	map = bpf_object__find_map_fd_by_name(object, "flows");
	counters = bpf_object__find_map_fd_by_name(object, "counters");
	memory = mmap(NULL, 4096, PROT_READ, MAP_SHARED, counters, 0);
	if (memory == MAP_FAILED)
		fail("map the counters", errno);
	for (uint32_t index = 0; index < entry_count; index++) {
		keys[index] = index;
		values[index] = (struct traffic){.packets = index * 3, .errors = index, .bytes = index * 5ull};
	}
	for (uint32_t index = 0; index < COUNTERS; index++) {
		uint64_t value = index * 0x100000001ull;

		bpf_map_update_elem(counters, &index, &value, BPF_ANY);
	}

	while (scanf("%15s %" SCNu32, operation, &count) == 2) {
		uint32_t checksum = 0;
		uint64_t start;

		clear(map);
		if (strcmp(operation, "set"))
			write_batches(map, entry_count);
		start = nanoseconds();
		if (!strcmp(operation, "lookup"))
			checksum = look_up(map, count);
		else if (!strcmp(operation, "update"))
			checksum = update(map, count);
		else if (!strcmp(operation, "delete"))
			checksum = delete(map, count);
		else if (!strcmp(operation, "set"))
			write_batches(map, count);
		else if (!strcmp(operation, "iterate"))
			checksum = read_batches(map);
		else if (!strcmp(operation, "remove"))
			checksum = delete_batches(map, count);
		else if (!strcmp(operation, "counter"))
			checksum = count_up(memory, count);
		else
			fail("understand the operation", EINVAL);
		start = nanoseconds() - start;
		/* What writing left behind says whether it wrote what it was to. */
		if (!strcmp(operation, "set") || !strcmp(operation, "update"))
			checksum = read_batches(map);
		printf("{\"events\":%" PRIu32 ",\"checksum\":%" PRIu32 ",\"nanoseconds\":%" PRIu64 "}\n", count, checksum,
		       start);
		fflush(stdout);
	}
	bpf_object__close(object);
	return 0;
}
