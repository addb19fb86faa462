/*
 * What libbpf makes of objects, one JSON line each: the errno of opening, of loading the object as a whole, and of
 * loading each of its programs with all others switched off; 0 where it worked.
 *
 *     libbpf-reference --version | OBJECT...
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <features.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GLIBC__) && !__GLIBC_PREREQ(2, 38)
/* A libbpf.a that was compiled against a newer C library asks for these by name. */
long __isoc23_strtol(const char *text, char **end, int base)
{
	return strtol(text, end, base);
}

long long __isoc23_strtoll(const char *text, char **end, int base)
{
	return strtoll(text, end, base);
}

unsigned long __isoc23_strtoul(const char *text, char **end, int base)
{
	return strtoul(text, end, base);
}

unsigned long long __isoc23_strtoull(const char *text, char **end, int base)
{
	return strtoull(text, end, base);
}

int __isoc23_sscanf(const char *text, const char *format, ...)
{
	va_list arguments;
	int converted;

	va_start(arguments, format);
	converted = vsscanf(text, format, arguments);
	va_end(arguments);
	return converted;
}

int __isoc23_fscanf(FILE *stream, const char *format, ...)
{
	va_list arguments;
	int converted;

	va_start(arguments, format);
	converted = vfscanf(stream, format, arguments);
	va_end(arguments);
	return converted;
}
#endif

static int print_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return 0;
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Maps that ask to be pinned are not: pins would outlive this process, and be found by the next object. */
static struct bpf_object *open_unpinned(const char *path)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_map *map;

	if (object)
		bpf_object__for_each_map(map, object)
			bpf_map__set_pin_path(map, NULL);
	return object;
}

static int load_and_close(struct bpf_object *object)
{
	int result = -bpf_object__load(object);

	bpf_object__close(object);
	return result;
}

static int load_whole(const char *path)
{
	struct bpf_object *object = open_unpinned(path);

	return object ? load_and_close(object) : errno;
}

/* Programs are told apart by position: two of one name are possible. */
static int load_alone(const char *path, int chosen)
{
	struct bpf_object *object = open_unpinned(path);
	struct bpf_program *program;
	int position = 0;

	if (!object)
		return errno;
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, position++ == chosen);
	return load_and_close(object);
}

static void report(const char *path)
{
	/* Stays open and is never loaded: it lends the names. */
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *program;
	int position = 0;

	if (!object) {
		printf("{\"object\":\"%s\",\"open\":%d,\"load\":null,\"programs\":{}}\n", name_of(path), errno);
		return;
	}
	printf("{\"object\":\"%s\",\"open\":0,\"load\":%d,\"programs\":{", name_of(path), load_whole(path));
	bpf_object__for_each_program(program, object) {
		printf("%s\"%s\":%d", position ? "," : "", bpf_program__name(program), load_alone(path, position));
		position++;
	}
	printf("}}\n");
	bpf_object__close(object);
}

int main(int argc, char **argv)
{
	libbpf_set_print(print_nothing);
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		printf("%s\n", libbpf_version_string());
		return 0;
	}
	for (int index = 1; index < argc; index++) {
		report(argv[index]);
		fflush(stdout);
	}
	return 0;
}
